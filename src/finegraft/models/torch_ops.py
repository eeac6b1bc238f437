"""Make torchvision importable beside a CPU build of torch.

The registry's torchvision wheel is built for CUDA. Beside a CPU build of torch its compiled library does not
load, and the import then fails with "operator torchvision::nms does not exist": it registers gradients for two
operators nobody declared. We use none of its operators, but timm imports torchvision. Declaring the two schemas
first lets both import; calling either operator still fails, as it must, for there is no kernel behind it.
Seen with torch 2.13.0 and torchvision 0.28.0.
"""

from __future__ import annotations

import functools

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


@functools.cache
def declare_torchvision_operators() -> object:
    """Declare the schemas torchvision misses, once. Call it before the first import of torchvision or timm.

    Where torchvision's own library loads, the operators are its own and nothing is declared.
    The returned library must stay alive for as long as the declarations shall; the cache sees to it.
    """
    import torch

    try:
        import torchvision
    except RuntimeError:  # "operator torchvision::nms does not exist"
        import sys

        for name in [module for module in sys.modules if module.split(".")[0] == "torchvision"]:
            del sys.modules[name]  # a half-made import must not be found by the next one
    else:
        return torchvision
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for schema in _SCHEMAS:
        library.define(schema)  # type: ignore[no-untyped-call]
    return library

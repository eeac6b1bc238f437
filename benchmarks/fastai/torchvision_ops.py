"""Makes torchvision import beside a CPU build of torch, for the environment of fastai.

The registry's torchvision is built for CUDA; its operators then fail to load, and its import ends in
"operator torchvision::nms does not exist". Nothing here uses them: two schemas without code are enough.
"""

from __future__ import annotations

import sys

import torch

SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def import_torchvision() -> None:
    """Import torchvision; where its own operators cannot load, declare the two it asks for and try again."""
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        import_torchvision.library = torch.library.Library("torchvision", "DEF")  # undeclared when collected
        for schema in SCHEMAS:
            import_torchvision.library.define(schema)
        import torchvision  # noqa: F401

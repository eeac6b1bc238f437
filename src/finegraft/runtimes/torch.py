"""Torch: for extracting features where a CUDA card is. It runs the module itself, not the graph made from it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

# Photos of 256 pixels in one call: 64 keep any card of the last ten years busy within 2 GB.
_BATCH = 64


class Torch:
    """A module on a device; see `finegraft.runtimes.Runtime`. `outputs` names what its forward returns, in order."""

    name = "torch"
    streams = 1
    batch = _BATCH

    def __init__(self, module: nn.Module, device: str, outputs: tuple[str, ...]) -> None:
        self.version = torch.__version__
        self.outputs = outputs
        self._device = torch.device(device)
        self._module = module.to(self._device).eval()
        # The module keeps its taps between layers, so one call at a time; decoding goes on in other threads.
        self._lock = threading.Lock()

    @torch.inference_mode()
    def run(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """All outputs of the batch `x`, computed in single precision."""
        exact = true_float32() if self._device.type == "cuda" else contextlib.nullcontext()
        with self._lock, exact:
            values = self._module(torch.from_numpy(x).to(self._device, non_blocking=True))
            return {name: value.float().cpu().numpy() for name, value in zip(self.outputs, values, strict=True)}


@contextlib.contextmanager
def true_float32() -> Iterator[None]:
    """Within it, CUDA's convolutions and products are computed in single precision; the settings before come back.

    Cards since 2020 may use TF32, whose 10 bits of fraction move features by 1e-3, and torch allows that for
    convolutions unless told otherwise. The settings belong to the process: other threads see them for as long.
    """
    with contextlib.ExitStack() as changed:
        for switch in (_products, _convolutions):
            assign, before, exact = switch()
            changed.callback(assign, before)
            assign(exact)
        yield


Switch = tuple[Callable[[Any], None], Any, Any]  # how to set it, its value now, its value for single precision


def _products() -> Switch:
    matmul = torch.backends.cuda.matmul
    try:
        return torch.set_float32_matmul_precision, torch.get_float32_matmul_precision(), "highest"
    except RuntimeError:  # somebody used the settings of torch 2.9, and the older ones refuse to be read
        return partial(setattr, matmul, "fp32_precision"), matmul.fp32_precision, "ieee"


def _convolutions() -> Switch:
    cudnn: Any = torch.backends.cudnn
    try:
        return partial(setattr, cudnn, "allow_tf32"), cudnn.allow_tf32, False
    except RuntimeError:  # as above
        return partial(setattr, cudnn.conv, "fp32_precision"), cudnn.conv.fp32_precision, "ieee"

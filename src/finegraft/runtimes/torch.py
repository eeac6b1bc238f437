"""Torch: for extracting features where a CUDA card is. It runs the module itself, not the graph made from it."""

from __future__ import annotations

import threading

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
        """All outputs of the batch `x`, in single precision."""
        with self._lock:
            values = self._module(torch.from_numpy(x).to(self._device, non_blocking=True))
            return {name: value.float().cpu().numpy() for name, value in zip(self.outputs, values, strict=True)}

"""A network made faster by `torch.compile`, where a training is long enough to win back what compiling takes."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

# Steps of a training that wins it back: compiling takes about a minute, a step of 32 photos some 20 ms, of which a
# compiled one saves about a fifth. On processors nothing was saved (`python -m benchmarks.compiling`).
WORTH = 15_000
BACKEND: str | Callable[..., Any] = "inductor"


def pays(device: str, steps: int) -> bool:
    """Whether a training of so many steps is worth compiling for."""
    return device == "cuda" and steps >= WORTH and importlib.util.find_spec("triton") is not None


@contextmanager
def compiled(network: nn.Module, wanted: bool) -> Iterator[None]:
    """Within, `network` runs compiled where that is `wanted`; its weights and their names stay.

    What cannot be compiled runs as it is, with torch's warning. Batches of two sizes, as an epoch has them, are
    compiled twice.
    """
    if not wanted:
        yield
        return
    import torch._dynamo  # takes a second, which only those who compile should wait for

    network.compile(backend=BACKEND, dynamic=False)
    try:
        with torch._dynamo.config.patch(suppress_errors=True):
            yield
    finally:
        network._compiled_call_impl = None

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from finegraft.runtimes.torch import Torch


class Sums(nn.Module):
    """Sum and half precision mean of each item, through a state that two calls at once would mix up."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Tensor] = []

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.kept.clear()
        self.kept.append(x.float())
        assert len(self.kept) == 1
        return self.kept[0].sum((1, 2, 3)), self.kept[0].mean((1, 2, 3)).half()


def devices() -> list[object]:
    no_card = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA card here")
    return ["cpu", pytest.param("cuda", marks=no_card)]


@pytest.mark.parametrize("device", devices())
def test_outputs_are_named_in_order_and_in_single_precision(device: str) -> None:
    runtime = Torch(Sums(), device, ("sum", "mean"))
    x = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 3), dtype=np.uint8)
    got = runtime.run(x)
    assert (runtime.name, runtime.version, list(got)) == ("torch", torch.__version__, ["sum", "mean"])
    assert {values.dtype for values in got.values()} == {np.dtype(np.float32)}
    np.testing.assert_allclose(got["sum"], x.sum((1, 2, 3)))
    np.testing.assert_allclose(got["mean"], x.mean((1, 2, 3)), rtol=1e-3)


@pytest.mark.parametrize("device", devices())
def test_many_threads_get_their_own_answers(device: str) -> None:
    runtime = Torch(Sums(), device, ("sum", "mean"))
    with ThreadPoolExecutor(8) as pool:
        sums = list(pool.map(lambda i: runtime.run(np.full((2, 2, 2, 3), i, np.uint8))["sum"], range(100)))
    assert [values.tolist() for values in sums] == [[12 * i] * 2 for i in range(100)]

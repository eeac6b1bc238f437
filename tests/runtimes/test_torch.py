from __future__ import annotations

import contextlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from finegraft.runtimes.torch import Torch, true_float32


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


def tf32() -> tuple[bool, bool, str]:
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    return cudnn.allow_tf32, matmul.allow_tf32, torch.get_float32_matmul_precision()


class Settings(nn.Module):
    """Keeps what was allowed while it ran."""

    def forward(self, x: Tensor) -> tuple[Tensor]:
        self.seen = tf32()
        return (x,)


@pytest.mark.parametrize("before", ["highest", "high", "medium"])
@pytest.mark.parametrize("convolutions", [True, False])
def test_tf32_is_off_within_and_as_before_after(before: str, convolutions: bool) -> None:
    cudnn, kept = torch.backends.cudnn, tf32()
    try:
        torch.set_float32_matmul_precision(before)
        cudnn.allow_tf32 = convolutions
        set_by_user = tf32()
        with true_float32():
            assert tf32() == (False, False, "highest")
        assert tf32() == set_by_user
        with contextlib.suppress(KeyError), true_float32():
            raise KeyError
        assert tf32() == set_by_user
        module = Settings()
        Torch(module, "cpu", ("same",)).run(np.zeros((1, 2, 2, 3), np.uint8))
        assert module.seen == set_by_user, "a processor has no TF32, nothing is touched"
    finally:
        cudnn.allow_tf32 = kept[0]
        torch.set_float32_matmul_precision(kept[2])


NEWER = """
import torch
from finegraft.runtimes.torch import true_float32
matmul, conv = torch.backends.cuda.matmul, torch.backends.cudnn.conv
matmul.fp32_precision, conv.fp32_precision = "tf32", {conv!r}
with true_float32():
    assert matmul.fp32_precision != "tf32" and conv.fp32_precision != "tf32"
assert (matmul.fp32_precision, conv.fp32_precision) == ("tf32", {conv!r})
"""


@pytest.mark.skipif(not hasattr(torch.backends.cudnn, "conv"), reason="settings of torch 2.9")
@pytest.mark.parametrize("conv", ["tf32", "ieee"])
def test_the_newer_settings_of_torch_are_respected_too(conv: str) -> None:
    """In a process of its own: torch refuses to read the older settings once these were used."""
    subprocess.run([sys.executable, "-c", NEWER.format(conv=conv)], check=True)


class Sides(nn.Module):
    """A convolution and a product of float32, from bytes."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.convolution, self.product = nn.Conv2d(3, 64, 3), nn.Linear(64, 64)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        last = self.convolution(x.permute(0, 3, 1, 2).to(self.product.weight.dtype) / 255)
        return last, self.product(last.mean((2, 3)))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA card here")
def test_a_card_computes_in_single_precision() -> None:
    x = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
    with torch.no_grad():
        wanted = [value.numpy() for value in Sides().double()(torch.from_numpy(x))]
    got = Torch(Sides(), "cuda", ("map", "product")).run(x)
    for value, exact in zip(got.values(), wanted, strict=True):
        np.testing.assert_allclose(value, exact, atol=1e-5)

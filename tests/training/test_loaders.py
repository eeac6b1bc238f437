from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from finegraft.training.loaders import Batches


def batches(n: int, size: int, seed: int = 0, mirrored: bool = False) -> Batches:
    """Record i is [i] with truth i; its mirror image is [-i]."""
    inputs = torch.arange(n, dtype=torch.float32)[:, None]
    return Batches(inputs, torch.arange(n), size, seed, -inputs if mirrored else None)


def order(of: Batches, epoch: int) -> list[int]:
    return [int(value) for _, truth in of.epoch(epoch) for value in truth]


@given(n=st.integers(1, 300), size=st.integers(1, 70), epoch=st.integers(0, 3))
def test_every_record_comes_once_in_batches_of_nearly_one_size(n: int, size: int, epoch: int) -> None:
    parts = list(batches(n, size).epoch(epoch))
    sizes = [len(truth) for _, truth in parts]
    assert len(sizes) == len(batches(n, size))
    assert sorted(int(value) for _, truth in parts for value in truth) == list(range(n))
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= max(size, 3)
    assert min(sizes) >= min(n, 2), "batch norm needs two"
    for inputs, truth in parts:
        assert inputs[:, 0].tolist() == truth.tolist()


def test_the_order_is_that_of_seed_and_epoch() -> None:
    assert order(batches(50, 8, seed=3), 1) == order(batches(50, 8, seed=3), 1)
    assert order(batches(50, 8, seed=3), 1) != order(batches(50, 8, seed=3), 2)
    assert order(batches(50, 8, seed=3), 1) != order(batches(50, 8, seed=4), 1)


def test_the_generator_of_torch_is_left_alone() -> None:
    before = torch.get_rng_state()
    order(batches(50, 8), 0)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("epoch", [0, 1])
def test_mirrored_views_come_about_half_of_the_time_in_the_same_order(epoch: int) -> None:
    plain, both = batches(400, 64), batches(400, 64, mirrored=True)
    assert order(plain, epoch) == order(both, epoch)
    flipped = {int(t) for inputs, truth in both.epoch(epoch) for x, t in zip(inputs, truth, strict=True) if x < 0}
    assert 140 < len(flipped) < 260
    other = {int(t) for inputs, truth in both.epoch(9) for x, t in zip(inputs, truth, strict=True) if x < 0}
    assert flipped != other

"""Progressive resizing: which epoch sees photos of which size."""

from __future__ import annotations

import pytest
import torch

from finegraft.training.loaders import Batches
from finegraft.vision.growing import Growing, sides


@pytest.mark.parametrize(
    ("smallest", "epochs", "wanted"),
    [
        (128, 1, [288]),
        (128, 2, [128, 288]),
        (128, 4, [128, 192, 224, 288]),
        (160, 8, [160, 192, 192, 224, 256, 256, 288, 288]),
        (100, 3, [100, 192, 288]),
        (280, 4, [280, 288, 288, 288]),
    ],
)
def test_photos_grow_by_equal_steps_and_the_last_quarter_sees_full_size(
    smallest: int, epochs: int, wanted: list[int]
) -> None:
    assert sides(smallest, 288, epochs) == wanted


@pytest.mark.parametrize("epochs", range(1, 30))
def test_no_epoch_is_smaller_than_the_one_before_nor_larger_than_full_size(epochs: int) -> None:
    found = sides(96, 224, epochs)
    assert len(found) == epochs
    assert found == sorted(found)
    assert found[-1] == 224
    assert min(found) >= 96


def test_each_epoch_is_fed_by_its_own_size_which_is_made_once() -> None:
    made: list[int] = []

    def by_side(side: int) -> Batches:
        made.append(side)
        return Batches(torch.full((6, 1), float(side)), torch.arange(6), size=2, seed=5)

    feed = Growing(by_side, [8, 8, 16])
    assert (feed.seed, feed.records, len(feed)) == (5, 6, 3)
    shown = [{float(inputs[0, 0]) for inputs, _ in feed.epoch(epoch)} for epoch in range(3)]
    assert shown == [{8.0}, {8.0}, {16.0}]
    assert made == [8, 16]

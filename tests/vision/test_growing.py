"""Progressive resizing: which epoch sees photos of which size."""

from __future__ import annotations

import pytest
import torch

from finegraft.training.callbacks import State
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


@pytest.mark.parametrize(("smallest", "largest"), [(96, 224), (192, 380), (128, 318), (33, 65), (223, 224)])
def test_no_epoch_is_smaller_than_the_one_before_nor_larger_than_full_size(smallest: int, largest: int) -> None:
    for epochs in range(1, 50):
        found = sides(smallest, largest, epochs)
        assert len(found) == epochs
        assert found == sorted(found)
        assert max(found) == found[-1] == largest
        assert min(found) >= smallest


def test_each_epoch_is_fed_by_its_own_size_which_is_made_once() -> None:
    made: list[int] = []

    def by_side(side: int) -> Batches:
        made.append(side)
        return Batches(torch.full((6, 1), float(side)), torch.arange(6), size=2, seed=5)

    feed = Growing(by_side, 32, 64, epochs=4)
    assert (feed.seed, feed.records, len(feed)) == (5, 6, 3)
    shown = [{float(inputs[0, 0]) for inputs, _ in feed.epoch(epoch)} for epoch in range(4)]
    assert shown == [{32.0}, {32.0}, {64.0}, {64.0}]
    assert made == [32, 64]


def test_photos_grow_faster_where_epochs_are_taken_back() -> None:
    feed = Growing(lambda side: Batches(torch.full((4, 1), float(side)), torch.arange(4), 2, 0), 32, 128, epochs=8)

    def side_of(epoch: int) -> float:
        return float(next(iter(feed.epoch(epoch)))[0][0, 0])

    assert side_of(0) == 32
    feed.on_epoch_end(State(torch.nn.Linear(1, 1), epochs=3, batches=2))
    assert [side_of(1), side_of(2)] == [64, 128]

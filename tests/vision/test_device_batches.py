"""Photos that lie on a device and are changed there; the device is the processor here, the arithmetic the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from finegraft.data.record import Record
from finegraft.training.loaders import Batches
from finegraft.vision import device_batches
from finegraft.vision.changing import Changing
from finegraft.vision.device_batches import DeviceBatches, room_for, stacked
from finegraft.vision.preprocess import Preprocess


def test_an_epoch_has_the_order_of_all_batches_and_new_views() -> None:
    n = 11
    records = [Record(f"{number}.png", f"d{number}", "a") for number in range(n)]
    kept = stacked([np.full((16, 16, 3), 20 * number, np.uint8) for number in range(n)], "cpu")
    feed = DeviceBatches(records, kept, torch.arange(n), size=4, seed=2, changing=Changing(Preprocess(8), 0))
    plain = Batches(torch.arange(n)[:, None].float(), torch.arange(n), size=4, seed=2)
    assert (len(feed), feed.records) == (len(plain), n)
    first = list(feed.epoch(0))
    for (seen, truth), (_, wanted) in zip(first, plain.epoch(0), strict=True):
        assert torch.equal(truth, wanted)
        assert seen.shape[1:] == (8, 8, 3)
        for value, number in zip(seen.mean((1, 2, 3)).tolist(), truth.tolist(), strict=True):
            assert 20 * number * 0.8 - 1 <= value <= 20 * number * 1.2 + 1
    again = list(feed.epoch(0))
    assert all(torch.equal(one[0], other[0]) for one, other in zip(first, again, strict=True))
    assert not torch.equal(next(iter(feed.epoch(1)))[0], first[0][0])


@pytest.mark.parametrize(("free", "room"), [(10 * 10 * 10 * 3 / 0.4 + 1, True), (10 * 10 * 10 * 3, False)])
def test_photos_are_kept_where_there_is_room_beside_the_network(free: float, room: bool) -> None:
    assert room_for(10, 10, int(free)) is room


def test_photos_are_gathered_some_at_a_time_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_batches, "_READ_AT_ONCE", 4)
    records = [Record(f"{number}.png", f"d{number}", "a") for number in range(10)]
    asked: list[int] = []

    def read(some: Sequence[Record], side: int) -> list[np.ndarray]:
        asked.append(len(some))
        return [np.full((side, side, 3), int(record.key[0]), np.uint8) for record in some]

    kept = device_batches.gathered(records, 6, read, "cpu")
    assert asked == [4, 4, 2]
    assert kept.shape == (10, 6, 6, 3)
    assert kept[:, 0, 0, 0].tolist() == list(range(10))

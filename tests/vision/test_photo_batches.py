"""Mini-batches of photos, read while others are learned from."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from finegraft.data.record import Record
from finegraft.errors import DataError, UnreadableFile
from finegraft.training.loaders import Batches
from finegraft.vision.photo_batches import PhotoBatches

N = 19
RECORDS = tuple(Record(f"a/{number}.png", str(number), "a") for number in range(N))
TRUTH = torch.arange(N)


def load(record: Record, view: int) -> np.ndarray:
    return np.full((4, 4, 3), 10 * int(record.digest) + view, np.uint8)


def batches(workers: int | None = None, **settings: object) -> PhotoBatches:
    return PhotoBatches(RECORDS, TRUTH, **{"size": 4, "seed": 3, "load": load, "workers": workers, **settings})  # type: ignore[arg-type]


@pytest.mark.parametrize("workers", [1, 2, 5, None])
def test_how_many_work_changes_no_bit(workers: int | None) -> None:
    for epoch in (0, 3):
        wanted, got = list(batches(0).epoch(epoch)), list(batches(workers).epoch(epoch))
        assert len(wanted) == len(got) == len(batches())
        for (photos, truth), (other, other_truth) in zip(wanted, got, strict=True):
            assert torch.equal(photos, other)
            assert torch.equal(truth, other_truth)


def test_every_epoch_shows_every_record_once_in_a_new_view_and_in_the_order_of_all_batches() -> None:
    plain = Batches(torch.arange(N)[:, None].float(), TRUTH, size=4, seed=3)
    for epoch in (0, 1):
        seen = []
        for (photos, truth), (_, wanted) in zip(batches().epoch(epoch), plain.epoch(epoch), strict=True):
            assert photos.dtype == torch.uint8
            assert photos.shape[1:] == (4, 4, 3)
            assert torch.equal(photos[:, 0, 0, 0].long(), (10 * truth + epoch + 1) % 256)
            assert torch.equal(truth, wanted)
            seen += truth.tolist()
        assert sorted(seen) == list(range(N))


def test_photos_are_read_ahead_but_not_all_of_them() -> None:
    asked: list[str] = []

    def counted(record: Record, view: int) -> np.ndarray:
        asked.append(record.key)
        return load(record, view)

    epoch = batches(1, load=counted).epoch(0)
    next(epoch)
    epoch.close()  # type: ignore[attr-defined]
    assert 4 <= len(asked) <= 3 * 4


def test_a_loop_that_ends_early_leaves_no_thread() -> None:
    epoch = batches(2).epoch(0)
    next(epoch)
    epoch.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("finegraft-photos")]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_photo_that_is_gone_is_named(workers: int) -> None:
    def gone(record: Record, view: int) -> np.ndarray:
        if record.key == "a/7.png":
            raise UnreadableFile("unreadable", "There is no such file.")
        return load(record, view)

    with pytest.raises(DataError, match=r"a/7.png could be read before, and cannot be now: There is no such file."):
        list(batches(workers, load=gone).epoch(0))

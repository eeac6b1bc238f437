"""Maps of changed views, computed once and cut into mini-batches."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from finegraft.data.record import Record
from finegraft.errors import DataError, UnreadableFile
from finegraft.training.loaders import Batches
from finegraft.vision.maps import MapBatches, computed

N = 23


@dataclass
class Engine:
    """A runtime whose map and averages say which photo they are of."""

    name: str = "counting"
    version: str = "0"
    outputs: tuple[str, ...] = ("map", "below")
    streams: int = 2
    batch: int = 1
    asked: Counter[float] = field(default_factory=Counter)

    def run(self, x: np.ndarray) -> dict[str, np.ndarray]:
        self.asked.update(x[:, 0, 0, 0].tolist())
        planes = np.broadcast_to(x[:, :1, :1, :1].astype(np.float32), (len(x), 3, 2, 2))
        return {"map": np.array(planes), "below": x[:, 0, 0].astype(np.float32)}


RECORDS = tuple(Record(f"a/{number}.png", f"{number:040x}", "a") for number in range(N))
TRUTH = torch.arange(N)


def load(record: Record, view: int) -> np.ndarray:
    """A photo whose pixels are 10 × its number + the view."""
    return np.full((4, 4, 3), 10 * int(record.digest, 16) + view, np.int64)


def batches(engine: Engine, **settings: object) -> MapBatches:
    given = {"size": 4, "seed": 3, "views": 2, "load": load, "runtime": engine, **settings}
    return MapBatches(RECORDS, TRUTH, **given)  # type: ignore[arg-type]


def shown(feed: MapBatches, epoch: int) -> list[tuple[list[int], list[int], list[int]]]:
    """(numbers of the photos, their views, truth) of every batch."""
    found = []
    for (maps, below), truth in feed.epoch(epoch):
        values = maps[:, 0, 0, 0].int()
        assert torch.equal(below[:, 0].int(), values)
        found.append(((values // 10).tolist(), (values % 10).tolist(), truth.tolist()))
    return found


def test_an_epoch_shows_every_record_once_with_its_truth() -> None:
    rows = shown(batches(Engine()), 0)
    numbers = [number for photos, _, _ in rows for number in photos]
    assert sorted(numbers) == list(range(N))
    assert all(photos == truth for photos, _, truth in rows)
    assert len(rows) == len(batches(Engine())) == 6


def test_the_order_is_that_of_all_mini_batches() -> None:
    plain = Batches(torch.arange(N)[:, None].float(), TRUTH, size=4, seed=3)
    for epoch in (0, 5):
        wanted = [truth.tolist() for _, truth in plain.epoch(epoch)]
        assert [truth for _, _, truth in shown(batches(Engine()), epoch)] == wanted


def test_epochs_take_turns_with_the_views_and_none_shows_the_plain_one() -> None:
    feed = batches(Engine())
    for epoch, view in enumerate([1, 2, 1, 2]):
        assert {each for _, views, _ in shown(feed, epoch) for each in views} == {view}


def test_a_view_with_room_is_computed_once() -> None:
    engine = Engine()
    feed = batches(engine)
    for epoch in range(4):
        shown(feed, epoch)
    changed = {value: count for value, count in engine.asked.items() if value % 10}
    assert len(changed) == 2 * N
    assert set(changed.values()) == {1}


def test_a_view_that_does_not_return_is_not_kept() -> None:
    feed = batches(Engine(), epochs=3)
    for epoch in range(3):
        shown(feed, epoch)
    assert set(feed._kept) == {1}  # epoch 2 shows it again, and nothing shows view 2 again


@pytest.mark.parametrize("keep", [1, 40 * 9, 40 * N + 100])
def test_how_many_are_kept_changes_no_batch(keep: int) -> None:
    some, all_ = batches(Engine(), keep=keep), batches(Engine())
    for epoch in range(3):
        assert shown(some, epoch) == shown(all_, epoch)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_how_many_work_changes_no_bit(workers: int) -> None:
    wanted = list(batches(Engine(), workers=1).epoch(1))
    for (maps, below), (other_maps, other_below) in zip(
        [inputs for inputs, _ in wanted],
        [inputs for inputs, _ in batches(Engine(), workers=workers).epoch(1)],
        strict=True,
    ):
        assert torch.equal(maps, other_maps)
        assert torch.equal(below, other_below)


def test_maps_are_as_the_upper_part_takes_them() -> None:
    (maps, below), _ = next(batches(Engine()).epoch(0))
    assert maps.dtype == below.dtype == torch.float32
    assert maps.is_contiguous(memory_format=torch.channels_last)


def test_numbers_beyond_half_precision_stay_finite() -> None:
    chunk = computed(RECORDS[:2], 0, lambda record, view: load(record, view) + 10**6, Engine())
    assert np.isfinite(chunk.maps).all()


def test_a_photo_that_is_gone_is_named() -> None:
    def gone(record: Record, view: int) -> np.ndarray:
        if record.key == "a/7.png" and view == 2:
            raise UnreadableFile("unreadable", "There is no such file.")
        return load(record, view)

    feed = batches(Engine(), load=gone)
    shown(feed, 0)
    with pytest.raises(DataError, match=r"a/7.png could be read before, and cannot be now: There is no such file."):
        shown(feed, 1)


def test_no_photos_at_all_are_refused() -> None:
    with pytest.raises(DataError, match="There are no photos to learn from"):
        computed([], 0, load, Engine())

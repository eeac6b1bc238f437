from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.foretelling import learned_from, pool_of
from benchmarks.promises.growing import half_width, within
from finegraft.data.dataset import Dataset
from finegraft.data.record import Record


def test_the_test_part_is_left_alone() -> None:
    records = tuple(
        Record(f"{part}/{i}.jpg", f"{part}{i}", "ab"[i % 2], part)  # type: ignore[arg-type]
        for part in ("train", "validation", "test")
        for i in range(4)
    )
    pool = pool_of(Dataset(records, Path("nowhere"), "vision"))
    assert {record.key.partition("/")[0] for record in pool.records} == {"train", "validation"}
    assert pool.given_splits == frozenset()
    halved = learned_from(pool, {"train/0.jpg", "validation/1.jpg"})
    assert [record.key for record in halved.part("train")] == ["train/0.jpg", "validation/1.jpg"]
    assert len(halved.part("held-out")) == 6
    assert halved.judged_on == "held-out"


def test_a_band_counts_where_it_holds_what_was_measured() -> None:
    rows = [{"low": 0.88, "high": 0.92}, {"low": 0.91, "high": 0.93}, {"low": 0.90, "high": 0.95}]
    assert within({"measured": 0.9, "rows": rows}) == 2
    assert half_width(rows[2]) == pytest.approx(2.5)

from __future__ import annotations

from pathlib import Path

from finegraft.data.dataset import Dataset
from finegraft.data.record import Record, Split
from finegraft.evaluation.common_ground import common_ground


def dataset(*records: Record) -> Dataset:
    return Dataset(records, Path(), "vision")


def record(key: str, split: Split, digest: str = "", group: str | None = None) -> Record:
    return Record(key, digest or f"of {key}", "a", split, group=group)


def test_runs_on_the_same_split_share_all_of_it() -> None:
    data = dataset(record("1", "train"), record("2", "held-out"), record("3", "held-out"))
    ground = common_ground(data, data, ("2", "3"), ("2", "3"))
    assert ground.left_out == frozenset()
    assert ground.to_json() == {"learned_by_a": 0, "learned_by_b": 0, "other_content": 0}


def test_what_the_other_learned_from_proves_nothing() -> None:
    a = dataset(record("1", "train"), record("2", "held-out"), record("3", "validation"), record("4", "held-out"))
    b = dataset(record("1", "held-out"), record("2", "train"), record("3", "held-out"), record("4", "held-out"))
    ground = common_ground(a, b, ("2", "4"), ("1", "3", "4"))
    assert (ground.learned_by_a, ground.learned_by_b) == ({"1", "3"}, {"2"})
    assert "4" not in ground.left_out


def test_copies_and_groups_count_as_learned_from_in_the_eyes_of_either_run() -> None:
    a = dataset(
        record("1", "train", "same"), record("2", "train", group="ann"), record("3", "test"), record("4", "test")
    )
    b = dataset(record("3", "test", "same"), record("4", "test", group="ann"))
    ground = common_ground(a, b, ("3", "4"), ("3", "4"))
    assert (ground.learned_by_a, ground.learned_by_b) == ({"3", "4"}, set())


def test_files_of_one_name_with_other_content_are_not_the_same_record() -> None:
    a, b = dataset(record("1", "test"), record("2", "test")), dataset(record("1", "test", "new"), record("2", "test"))
    assert common_ground(a, b, ("1", "2"), ("1", "2")).other_content == {"1"}


def test_a_record_that_was_left_out_or_in_no_part_was_not_learned_from() -> None:
    a = dataset(Record("1", "x", "a", None), Record("2", "y", "a", "train", "unreadable"), record("3", "test"))
    b = dataset(record("1", "test", "x"), record("2", "test", "y"), record("3", "test"))
    assert common_ground(a, b, ("3",), ("1", "2", "3")).left_out == frozenset()

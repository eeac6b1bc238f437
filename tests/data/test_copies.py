from __future__ import annotations

from finegraft.data.copies import copies
from finegraft.data.record import Record


def found(*records: Record) -> list[tuple[str, str, str | None]]:
    return [(f.kind, f.key, f.other) for f in copies(records)]


def test_every_further_copy_names_the_first() -> None:
    rows = [Record(f"a/{i}", "same", "a") for i in range(3)]
    assert found(*rows, Record("a/9", "other", "a")) == [("exact-copy", "a/1", "a/0"), ("exact-copy", "a/2", "a/0")]


def test_a_copy_under_another_label_is_two_findings() -> None:
    pair = Record("a/1", "same", "a"), Record("b/1", "same", "b")
    assert found(*pair) == [("exact-copy", "b/1", "a/1"), ("two-labels", "b/1", "a/1")]
    assert copies(pair)[1].note == "Labelled 'b' here, and 'a' as a/1. Keep the right one."
    assert copies(pair)[1].score == 1.0


def test_a_copy_in_a_later_split_leaks_from_the_earliest() -> None:
    rows = (
        Record("test/a/1", "same", "a", "test"),
        Record("train/a/1", "same", "a", "train"),
        Record("train/a/2", "same", "a", "train"),
        Record("val/a/1", "same", "a", "validation"),
    )
    leaks = [f for f in copies(rows) if f.kind == "leak"]
    assert [(f.key, f.other) for f in leaks] == [("test/a/1", "train/a/1"), ("val/a/1", "train/a/1")]
    assert leaks[0].note == ("In the test part, and in the train part as train/a/1. Take it out of one of them.")


def test_distinct_records_have_no_findings() -> None:
    assert found(Record("a/1", "x", "a"), Record("b/1", "y", "b")) == []

from __future__ import annotations

from finegraft.data.copies import NearCopy, copies
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


def test_near_copies_name_the_earlier_one_with_what_differs() -> None:
    records = [Record("a/1", "x", "a"), Record("a/2", "y", "a"), Record("b/3", "z", "b")]
    near = [NearCopy(0, 1, 0.98765), NearCopy(1, 2, 0.95, "mirrored")]
    found = copies(records, near)
    assert [(f.key, f.other, f.kind, f.score) for f in found] == [
        ("a/2", "a/1", "near-copy", 0.988),
        ("b/3", "a/2", "near-copy", 0.95),
        ("b/3", "a/2", "two-labels", 0.95),
    ]
    assert found[1].note == (
        "Nearly the same as a/2, mirrored. Both are kept on one side of the split; one of them may be enough."
    )
    assert found[2].note == "Labelled 'b' here, and 'a' as a/2. Keep the right one."


def test_near_copies_leak_between_given_splits() -> None:
    records = [Record("test/a", "x", "a", "test"), Record("train/a", "y", "a", "train")]
    (near, leak) = copies(records, [NearCopy(0, 1, 0.99)])
    assert near.kind == "near-copy"
    assert (leak.key, leak.other, leak.kind, leak.score) == ("test/a", "train/a", "leak", 0.99)


def test_of_many_near_copies_the_five_likest_are_named() -> None:
    records = [Record(f"{i}", f"d{i}", "a") for i in range(9)]
    found = copies(records, [NearCopy(i, 8, 0.9 + i / 100) for i in range(8)])
    assert [f.other for f in found] == ["7", "6", "5", "4", "3"]

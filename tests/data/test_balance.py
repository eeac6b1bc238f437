from __future__ import annotations

import pytest

from finegraft.data.balance import balance, lopsided
from finegraft.data.record import Record, Split


def rows(counts: dict[str, int], split: Split | None = None) -> list[Record]:
    return [
        Record(f"{split}/{label}/{i}", f"{split}{label}{i}", label, split)
        for label, count in counts.items()
        for i in range(count)
    ]


@pytest.mark.parametrize(
    ("counts", "wanted"),
    [
        ([], False),
        ([0, 0], False),
        ([7], False),
        ([0, 7, 8], False),
        ([10, 39], False),
        ([10, 40], True),
        ([158, 163, 15], True),
        ([158, 163, 160], False),
    ],
)
def test_lopsided_begins_at_four_to_one(counts: list[int], wanted: bool) -> None:
    assert lopsided(counts) is wanted


def test_even_classes_have_no_findings() -> None:
    assert balance(rows({"a": 5, "b": 19})) == []


def test_each_small_class_is_named_with_what_to_do() -> None:
    few = [finding for finding in balance(rows({"a": 4, "b": 20, "c": 3})) if finding.kind == "few"]
    assert [finding.key for finding in few] == ["", ""]
    assert few[0].note == (
        "Class 'c' has only 3 to learn from: it is learned, but how well cannot be told. "
        "Add at least 2, better 47; else merge it with a class like it, or leave it out."
    )
    assert few[1].note.startswith("Class 'a' has only 4 to learn from")


def test_lopsided_classes_are_one_finding() -> None:
    (finding,) = balance(rows({"a": 5, "b": 1051, "c": 30}))
    assert (finding.key, finding.kind, finding.score) == ("", "imbalance", pytest.approx(1 - 5 / 1051))
    assert finding.note == (
        "Class 'b' has 1,051 to learn from, 'a' only 5. Training weighs the classes to make up for it, unless told not "
        "to; add to 'a', and judge by macro recall and macro F1 rather than accuracy."
    )


def test_with_given_splits_the_training_part_counts() -> None:
    data = [*rows({"a": 9, "b": 9}, "train"), *rows({"a": 1, "b": 1, "new": 9}, "test")]
    (finding,) = balance(data)
    assert finding.note == "Class 'new' has nothing to learn from. Add at least 5, better 50, or leave it out."


def test_a_test_part_alone_is_counted_itself() -> None:
    assert balance(rows({"a": 9, "b": 9}, "test")) == []


def test_every_tag_of_a_record_counts() -> None:
    both = [Record(f"{i}", f"{i}", ("a", "b")) for i in range(5)]
    only = [Record(f"more {i}", f"more {i}", ("a",)) for i in range(15)]
    (finding,) = balance([*both, *only])
    assert (finding.kind, finding.score) == ("imbalance", pytest.approx(1 - 5 / 20))


def test_numbers_and_nothing_have_no_findings() -> None:
    assert balance([]) == []
    assert balance([Record(f"{i}", f"{i}", float(i)) for i in range(9)]) == []

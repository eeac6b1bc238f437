from __future__ import annotations

import pytest

from finegraft.data.balance import balance
from finegraft.data.record import Record, Split


def rows(counts: dict[str, int], split: Split | None = None) -> list[Record]:
    return [
        Record(f"{split}/{label}/{i}", f"{split}{label}{i}", label, split)
        for label, count in counts.items()
        for i in range(count)
    ]


def test_even_classes_have_no_findings() -> None:
    assert balance(rows({"a": 5, "b": 50})) == []


def test_each_small_class_is_named() -> None:
    findings = balance(rows({"a": 4, "b": 20, "c": 1 + 2}))
    assert [(f.key, f.kind) for f in findings] == [("", "few"), ("", "few")]
    assert findings[0].note.startswith("Class 'c' has only 3 to learn from; at least 5 are needed")


def test_lopsided_classes_are_one_finding() -> None:
    (finding,) = balance(rows({"a": 5, "b": 51, "c": 30}))
    assert (finding.key, finding.kind, finding.score) == ("", "imbalance", pytest.approx(1 - 5 / 51))
    assert finding.note == (
        "Class 'b' has 51 to learn from, 'a' only 5. Add to 'a', and judge by macro F1 rather than accuracy."
    )


def test_with_given_splits_the_training_part_counts() -> None:
    data = [*rows({"a": 9, "b": 9}, "train"), *rows({"a": 1, "b": 1, "new": 9}, "test")]
    (finding,) = balance(data)
    assert finding.note.startswith("Class 'new' has nothing to learn from")


def test_a_test_part_alone_is_counted_itself() -> None:
    assert balance(rows({"a": 9, "b": 9}, "test")) == []


def test_nothing_has_no_findings() -> None:
    assert balance([]) == []

from __future__ import annotations

import numpy as np
import pytest

from finegraft.errors import DataError
from finegraft.evaluation.alignment import aligned
from finegraft.evaluation.result import Evaluation
from finegraft.targets import Category


def judged(labels: str, rows: dict[str, tuple[str, str]]) -> Evaluation:
    """An evaluation of classes with one letter; `rows` is key -> (truth, answer)."""
    target = Category(tuple(labels))
    answers = target.encode([said for _, said in rows.values()])
    return Evaluation(
        tuple(rows), target, target.encode([truth for truth, _ in rows.values()]), np.eye(len(labels))[answers]
    )


def test_rows_and_columns_meet_whatever_their_order() -> None:
    a, b = aligned(
        judged("xyz", {"1": ("x", "y"), "2": ("y", "y"), "3": ("z", "x")}),
        judged("zxy", {"4": ("x", "x"), "3": ("z", "y"), "2": ("y", "x")}),
    )
    assert a.keys == b.keys == ("2", "3")
    assert a.labels == b.labels == ("x", "y", "z")
    assert a.truth.tolist() == b.truth.tolist() == [1, 2]
    assert [b.labels[i] for i in b.predicted] == ["x", "y"]


def test_other_classes_are_named() -> None:
    one = judged("abcdefg", {"1": ("a", "a")})
    with pytest.raises(DataError) as caught:
        aligned(one, judged("az", {"1": ("a", "a")}))
    assert str(caught.value) == (
        "The two tell different classes apart: only A knows b, c, d, e, f, …; only B knows z. "
        "Compare runs that learned the same classes."
    )


def test_no_record_in_common() -> None:
    with pytest.raises(DataError) as caught:
        aligned(judged("ab", {"1": ("a", "a")}), judged("ab", {"2": ("a", "a"), "3": ("b", "b")}))
    assert str(caught.value) == (
        "No record was judged by both: A judged 1, B 2 others. "
        "Train both on the same data with the same --seed: then the same part is held out."
    )


@pytest.mark.parametrize(("second", "more"), [("a", ""), ("b", ", and 1 more differ")])
def test_one_record_has_one_truth(second: str, more: str) -> None:
    with pytest.raises(DataError) as caught:
        aligned(judged("ab", {"1": ("a", "a"), "2": ("a", "a")}), judged("ab", {"1": ("b", "a"), "2": (second, "a")}))
    assert str(caught.value) == (
        f"'1' is 'a' in A and 'b' in B{more}. "
        "Both must be judged by the same labels: train the older run again on the data as it is now."
    )

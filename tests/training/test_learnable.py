from __future__ import annotations

from pathlib import Path

import pytest

from finegraft.data.dataset import Dataset
from finegraft.data.record import Label, Record, Split
from finegraft.errors import DataError
from finegraft.targets import Category, Number, Tags
from finegraft.training.learnable import encode, target_of


def data(labels: list[Label], judged: int = 1) -> Dataset:
    """The last `judged` records are the test part."""
    splits: list[Split] = ["train"] * (len(labels) - judged) + ["test"] * judged
    rows = zip(labels, splits, strict=True)
    return Dataset(
        tuple(Record(f"{i}", f"d{i}", label, split) for i, (label, split) in enumerate(rows)), Path(), "vision"
    )


def test_the_labels_decide_what_is_learned() -> None:
    assert target_of(data(["b", "a", "a"])) == Category(("a", "b"))
    assert target_of(data([("red",), (), ("round", "red")])) == Tags(("red", "round"))
    assert target_of(data([1.5, -2.0, 0.0])) == Number()


def test_each_kind_is_encoded_its_own_way() -> None:
    records = data([("red",), (), ("round", "red")]).usable
    assert encode(Tags(("red", "round")), records).tolist() == [[1, 0], [0, 0], [1, 1]]
    assert encode(Number(), data([0.1, 3.0]).usable).tolist() == [0.1, 3.0]
    assert encode(Category(("a", "b")), data(["b", "a"]).usable).tolist() == [1, 0]


def test_a_tag_of_the_judged_part_alone_is_judged_all_the_same() -> None:
    assert target_of(data([("red",), (), ("blue",)])).labels == ("blue", "red")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([(), (), ()], "No record has any tag."),
        (
            [("a", "b"), ("a", "b"), ("a",)],
            "All records to learn from have the same tags (a, b): nothing tells them apart.",
        ),
        ([(), (), ("a",)], "All records to learn from have the same tags (none): nothing tells them apart."),
        ([5.0, 5.0, 6.0], "All numbers to learn from are 5: there is nothing to tell apart."),
        ([float("nan"), 5.0, 6.0], "Numbers to learn must be finite, got nan or infinity."),
        (
            [1e40, 2e40, 0.0],
            "The numbers to learn lie from 0 to 2e+40: their differences are lost in the seven digits that a model "
            "computes with.",
        ),
        (
            [1e9, 1e9 + 1, 0.0],
            "The numbers to learn lie from 0 to 1e+09: their differences are lost in the seven digits that a model "
            "computes with.",
        ),
        (["a", ("a",), "b"], "The labels must all be of one kind, got str, tuple."),
        (["a", "a", "a"], "There must be two classes or more to learn from, got ['a']."),
    ],
)
def test_what_cannot_be_learned_is_refused(labels: list[Label], said: str) -> None:
    with pytest.raises(DataError) as refused:
        target_of(data(labels))
    assert refused.value.what == said
    assert refused.value.mend


def test_without_anything_to_learn_from_it_says_so() -> None:
    with pytest.raises(DataError, match=r"^There is nothing to learn from: no record is in the training part\."):
        target_of(data([1.0, 2.0], judged=2))

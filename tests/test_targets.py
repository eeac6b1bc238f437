from __future__ import annotations

import json

import numpy as np
import pytest

from finegraft import targets
from finegraft.errors import DataError
from finegraft.targets import Category, Number, Tags


@pytest.mark.parametrize(
    ("target", "labels", "encoded", "kind"),
    [
        (Category(("rose", "tulip")), ["tulip", "rose", "tulip"], [1, 0, 1], np.int64),
        (Tags(("a", "b", "c")), [("b",), (), ("c", "a")], [[0, 1, 0], [0, 0, 0], [1, 0, 1]], np.float32),
        (Number(), [0.5, -3, 1e300], [0.5, -3.0, 1e300], np.float64),
    ],
)
def test_every_target_encodes_and_comes_back_from_json(
    target: targets.Target, labels: list[object], encoded: list[object], kind: type[np.generic]
) -> None:
    found = target.encode(labels)  # type: ignore[arg-type]
    assert found.dtype == kind
    assert found.tolist() == encoded
    assert len(target.encode([])) == 0
    assert targets.from_json(json.loads(json.dumps(target.to_json()))) == target
    assert targets.of(labels) == (type(target).of(labels) if not isinstance(target, Number) else target)  # type: ignore[arg-type]


def test_classes_and_tags_are_sorted() -> None:
    assert Category.of(["b", "a", "b"]).labels == ("a", "b")
    assert Tags.of([("c", "a"), (), ("b",)]).labels == ("a", "b", "c")
    assert (len(Category.of("ab")), len(Tags.of([("a",)]))) == (2, 1)
    assert Tags.of([(), ()]).encode([(), ()]).shape == (2, 0)


def test_names_must_differ() -> None:
    with pytest.raises(DataError, match=r"Class names must differ, got \['a', 'a'\]\."):
        Category(("a", "a"))
    with pytest.raises(DataError, match=r"Tags must differ, got \['a', 'a'\]\."):
        Tags(("a", "a"))


def test_unknown_labels_are_named() -> None:
    with pytest.raises(DataError, match=r"not classes of the model: lily\. It knows: rose\."):
        Category(("rose",)).encode(["rose", "lily"])
    with pytest.raises(DataError, match=r"not tags of the model: a, b, c, d, e, …\. It knows: x\."):
        Tags(("x",)).encode([("a", "b"), ("c", "d", "e", "f"), ("x",)])


@pytest.mark.parametrize("label", [float("nan"), float("inf")])
def test_numbers_must_be_finite(label: float) -> None:
    with pytest.raises(DataError, match="Numbers to learn must be finite, got nan or infinity"):
        Number().encode([1.0, label])


@pytest.mark.parametrize(("labels", "got"), [([], "none"), (["a", 1.0], "float, str"), ([("a",), "a"], "str, tuple")])
def test_labels_must_be_of_one_kind(labels: list[str | tuple[str, ...] | float], got: str) -> None:
    with pytest.raises(DataError, match=rf"The labels must all be of one kind, got {got}\."):
        targets.of(labels)


def test_a_target_of_the_future_says_so() -> None:
    with pytest.raises(DataError, match=r"no target of the kind 'rank'\. Known: category, tags, number\. Upgrade"):
        targets.from_json({"kind": "rank"})
    assert targets.from_json({"labels": ["a"]}) == Category(("a",)), "as before there were kinds"

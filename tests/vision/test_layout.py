from __future__ import annotations

import pytest

from finegraft.vision.layout import Layout, Place


def places(*keys: str) -> list[tuple[str | None, str | None]]:
    layout = Layout.of(keys)
    return [(layout.place(key).label, layout.place(key).split) for key in keys]


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("rose/1", ("rose", None)),
        ("flowers/red/rose/1", ("rose", None)),
        ("train/rose/1", ("rose", "train")),
        ("Training/rose/1", ("rose", "train")),
        ("valid/rose/1", ("rose", "validation")),
        ("val/rose/1", ("rose", "validation")),
        ("validation/rose/1", ("rose", "validation")),
        ("test/rose/1", ("rose", "test")),
        ("TESTING/rose/1", ("rose", "test")),
        ("archive/train/wild/rose/1", ("rose", "train")),
        ("train/train/1", ("train", "train")),
        ("1", (None, None)),
    ],
)
def test_the_innermost_folder_is_the_class_and_splits_lie_above(key: str, place: tuple[str | None, str | None]) -> None:
    assert places(key) == [place]


def test_a_class_may_be_called_train() -> None:
    assert places("boat/1", "train/1") == [("boat", None), ("train", None)]
    assert places("test/boat/1", "test/train/1") == [("boat", "test"), ("train", "test")]


def test_a_split_without_class_folders_has_no_labels() -> None:
    assert places("train/1", "test/1") == [(None, "train"), (None, "test")]


def test_a_photo_loose_in_a_split_has_no_label() -> None:
    assert places("train/rose/1", "train/2") == [("rose", "train"), (None, "train")]
    assert places("train/rose/1", "test/2", "notes/3")[1] == (None, "test")


def test_a_photo_beside_a_training_part_lies_outside() -> None:
    layout = Layout.of(["train/rose/1", "more/rose/2"])
    assert layout.place("more/rose/2") == Place("rose", None, outside=True)
    assert not layout.place("train/rose/1").outside


def test_without_a_training_part_nothing_lies_outside() -> None:
    assert not Layout.of(["test/rose/1", "rose/2"]).place("rose/2").outside


def test_one_name_spelled_in_two_ways_is_one_class() -> None:
    composed, decomposed = "train/caf\u00e9/1", "test/cafe\u0301/1"
    assert {label for label, _ in places(composed, decomposed)} == {"caf\u00e9"}

from __future__ import annotations

import pytest

from finegraft.errors import DataError
from finegraft.vision.given import splits_of


def test_words_in_any_case() -> None:
    words = ["Train", "TRAINING", "valid", "validation", "Val", "test", "testing", ""]
    assert splits_of(words, "part") == [*["train"] * 2, *["validation"] * 3, *["test"] * 2, None]


@pytest.mark.parametrize(("yes", "no"), [("True", "False"), ("1", "0"), ("yes", "No"), ("1.0", "0.0"), ("true", "0")])
def test_yes_means_the_part_that_the_column_names(yes: str, no: str) -> None:
    assert splits_of([yes, no, ""], "is_valid") == ["validation", "train", None]
    assert splits_of([yes, no], "held out") == ["validation", "train"]
    assert splits_of([yes, no], "is_test") == ["test", "train"]
    assert splits_of([yes, no], "Is_Train") == ["train", "validation"]


def test_other_words_are_named_with_those_there_are() -> None:
    with pytest.raises(
        DataError, match=r"column 'part' names parts that are not known: dev, fold 2\. Write train, train"
    ):
        splits_of(["train", "fold 2", "dev", "True"][:3], "part")
    with pytest.raises(DataError, match="names parts that are not known: True"):
        splits_of(["train", "True"], "part")

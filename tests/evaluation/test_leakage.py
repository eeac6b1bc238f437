from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from finegraft.data.dataset import Dataset
from finegraft.data.record import Record
from finegraft.evaluation.leakage import leakage
from finegraft.evaluation.result import Evaluation
from finegraft.targets import Category

TARGET = Category(("a", "b"))


def judged(records: list[Record], right: list[bool]) -> tuple[Dataset, Evaluation]:
    """The records as a dataset, and an evaluation of those of the test part."""
    test = [record for record in records if record.split == "test"]
    truth = TARGET.encode([str(record.label) for record in test])
    probabilities = np.where(np.array(right)[:, None] == (np.arange(2) == truth[:, None]), 0.9, 0.1)
    return Dataset(tuple(records), Path(), "vision"), Evaluation(
        tuple(record.key for record in test), TARGET, truth, probabilities
    )


def test_copies_and_groups_that_were_learned_from_are_taken_out() -> None:
    records = [
        Record("train/1", "x", "a", "train"),
        Record("train/2", "y", "b", "train", group="patient"),
        Record("validation/3", "v", "b", "validation", group="near"),
        Record("test/1", "x", "a", "test"),
        Record("test/2", "z", "b", "test", group="patient"),
        Record("test/3", "w", "b", "test", group="near"),
        Record("test/4", "p", "a", "test"),
        Record("test/5", "q", "b", "test"),
    ]
    found = leakage(*judged(records, [True, True, True, True, False]))
    assert found is not None
    assert found.leaked == 3
    assert found.without is not None
    assert found.without.value == 0.5
    assert found.optimism == pytest.approx(0.3)
    assert found.to_json()["records"] == 3
    assert found.to_json()["accuracy_without"]["value"] == 0.5


def test_a_split_without_copies_flatters_nothing() -> None:
    records = [Record("train/1", "x", "a", "train"), Record("test/1", "y", "a", "test"), Record("2", "y", "b")]
    assert leakage(*judged(records, [True])) is None


def test_where_everything_judged_was_learned_from_nothing_is_left_to_say() -> None:
    records = [Record("train/1", "x", "a", "train"), Record("test/1", "x", "a", "test")]
    found = leakage(*judged(records, [True]))
    assert found is not None
    assert found.to_json() == {"records": 1, "accuracy_without": None, "optimism": None}

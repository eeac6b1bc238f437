from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks import rivals
from benchmarks.promises.comparing import share
from benchmarks.rivals import Shelf, by_chance, by_skill, drawn, mixed, told
from finegraft.evaluation.result import Evaluation
from finegraft.targets import Category
from finegraft.training.recipe import Table

TARGET = Category(("a", "b"))


def evaluation(right: np.ndarray) -> Evaluation:
    """Records of class a, of which those that are `right` are answered so."""
    probabilities = np.where(right[:, None], [0.9, 0.1], [0.2, 0.8])
    return Evaluation(tuple(map(str, range(len(right)))), TARGET, np.zeros(len(right), dtype=np.int64), probabilities)


def test_mixed_takes_as_many_answers_of_the_better_one_as_make_three_points() -> None:
    rng = np.random.default_rng(0)
    a, b = evaluation(rng.random(2000) < 0.8), evaluation(rng.random(2000) < 0.9)
    found = mixed(a, b, rng)
    assert found.accuracy.value - a.accuracy.value == pytest.approx(0.03)
    kept = (found.probabilities == a.probabilities).all(axis=1) | (found.probabilities == b.probabilities).all(axis=1)
    assert kept.all()
    with pytest.raises(ValueError, match="B gets only -"):
        mixed(b, a, rng)


def test_drawn_records_may_repeat() -> None:
    found = drawn(evaluation(np.array([True, False])), np.array([1, 1, 0]))
    assert (found.keys, found.accuracy.value) == (("0", "1", "2"), pytest.approx(1 / 3))


def test_the_share_is_told_with_its_interval_and_what_the_pairs_are_like() -> None:
    measured = share({"called": 9, "pairs": 200, "judged": 1000, "one_sided": 11.4, "apart": 0.0153}, "called")
    assert measured.number == 0.045
    assert measured.words == (
        "0.045 (0.024–0.083), 9 of 200; of 1,000 photos each, 11 are right in one of the two only and 1.5 % answered "
        "differently"
    )


def test_pairs_by_chance_share_their_photos_and_those_by_skill_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rivals, "LEARNED", 120)
    monkeypatch.setattr(rivals, "JUDGED", 150)
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 600)
    features = rng.normal(size=(600, 40)) + 1.1 * np.eye(3, 40)[truth]
    table = Table(torch.from_numpy(features.astype(np.float32)), torch.from_numpy(truth))
    shelf = Shelf(table, Category(("a", "b", "c")))
    chance = by_chance(shelf, pairs=2)
    assert [len(pair) for pair in chance] == [150, 150]
    assert chance[0].a.keys != chance[1].a.keys
    skill, measured = by_skill(shelf, pairs=3)
    assert (len(skill), len(measured)) == (3, 1)
    assert measured[0] > 0.03
    said = told(skill)
    assert (said["pairs"], said["judged"]) == (3, 150)
    assert said["one_sided"] == np.mean([pair.counts["only_a"] + pair.counts["only_b"] for pair in skill])

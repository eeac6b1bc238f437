from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks import rivals
from benchmarks.promises.comparing import share
from benchmarks.rivals import Shelf, by_chance, by_skill, drawn, set_right, told
from finegraft.evaluation.result import Evaluation
from finegraft.targets import Category
from finegraft.training.recipe import Table

TARGET = Category(("a", "b"))


def evaluation(right: np.ndarray) -> Evaluation:
    """Records of class a, of which those that are `right` are answered so."""
    probabilities = np.where(right[:, None], [0.9, 0.1], [0.2, 0.8])
    return Evaluation(tuple(map(str, range(len(right)))), TARGET, np.zeros(len(right), dtype=np.int64), probabilities)


@pytest.mark.parametrize("gain", [0.0, 0.03])
@pytest.mark.parametrize("share_of_b", [0.75, 0.9])
def test_set_right_is_exactly_as_much_better_as_wanted(gain: float, share_of_b: float) -> None:
    rng = np.random.default_rng(0)
    a, b = evaluation(rng.random(2000) < 0.8), evaluation(rng.random(2000) < share_of_b)
    found = set_right(a, b, gain, rng)
    assert found.accuracy.value - a.accuracy.value == pytest.approx(gain)
    of_b = (found.probabilities == b.probabilities).all(axis=1)
    assert ((found.probabilities == a.probabilities).all(axis=1) | of_b).all()
    assert 0.85 < of_b.mean() < 1


def test_what_cannot_be_set_right_is_said() -> None:
    with pytest.raises(ValueError, match=r"B gets \+0 of 10 more right than A; 7% cannot be made of it"):
        set_right(*[evaluation(np.ones(10, dtype=bool))] * 2, gain=0.07, rng=np.random.default_rng(0))


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


def test_pairs_by_chance_and_by_skill_are_drawn_from_what_no_head_learned_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rivals, "LEARNED", 120)
    monkeypatch.setattr(rivals, "JUDGED", 150)
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 600)
    features = rng.normal(size=(600, 40)) + 1.1 * np.eye(3, 40)[truth]
    table = Table(torch.from_numpy(features.astype(np.float32)), torch.from_numpy(truth))
    shelf = Shelf(table, Category(("a", "b", "c")))
    chance, _ = by_chance(shelf, pairs=2)
    assert [len(pair) for pair in chance] == [150, 150]
    assert chance[0].a.truth.tolist() != chance[1].a.truth.tolist()
    skill, heads = by_skill(shelf, pairs=3)
    assert (len(skill), len(heads)) == (3, 1)
    assert heads[0] > 0.03
    said = told(skill, heads)
    assert (said["pairs"], said["judged"]) == (3, 150)
    assert said["one_sided"] == np.mean([pair.counts["only_a"] + pair.counts["only_b"] for pair in skill])

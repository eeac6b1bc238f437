from __future__ import annotations

import numpy as np
import pytest

from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.tags import TagsEvaluation
from finegraft.inference.drift import figure, figures, index, usual
from finegraft.inference.prediction import NumberPrediction, Prediction, TagsPrediction
from finegraft.targets import Category, Number, Tags

RNG = np.random.default_rng(0)


def told(values: np.ndarray) -> dict[str, list[float]]:
    found = usual(values)
    assert found is not None
    return found


def test_parts_have_equal_shares() -> None:
    found = told(np.arange(200) / 200)
    assert len(found["edges"]) == 9
    np.testing.assert_allclose(found["shares"], 0.1, atol=0.006)


@pytest.mark.parametrize(("count", "parts"), [(20, 2), (39, 3), (100, 10), (1000, 10)])
def test_few_judged_records_make_few_parts(count: int, parts: int) -> None:
    assert len(told(RNG.random(count))["shares"]) == parts


@pytest.mark.parametrize("values", [np.full(100, 0.9), RNG.random(19), np.empty(0)])
def test_what_cannot_be_cut_is_not_told(values: np.ndarray) -> None:
    assert usual(values) is None


def test_values_that_come_often_make_parts_of_their_own() -> None:
    found = told(np.concatenate([np.ones(60), RNG.random(40)]))
    assert sum(found["shares"]) == pytest.approx(1)
    assert all(share > 0 for share in found["shares"])
    assert found["edges"] == sorted(set(found["edges"]))


def test_the_index_is_that_of_the_formula() -> None:
    usually = {"edges": [0.5], "shares": [0.4, 0.6]}
    later = np.array([0.1] * 7 + [0.9] * 3)
    wanted = (0.7 - 0.4) * np.log(0.7 / 0.4) + (0.3 - 0.6) * np.log(0.3 / 0.6)
    assert index(usually, later) == pytest.approx(wanted)
    assert index(usually, np.array([0.1] * 4 + [0.9] * 6)) == pytest.approx(0)
    assert index(usually, np.full(10, 0.9)) == pytest.approx(
        (0.05 - 0.4) * np.log(0.05 / 0.4) + (1 - 0.6) * np.log(1 / 0.6)
    )


def test_the_same_photos_hardly_drift_and_harder_ones_do() -> None:
    judged = RNG.beta(6, 1, 400)
    usually = told(judged)
    same = [index(usually, RNG.beta(6, 1, 500)) for _ in range(50)]
    assert max(same) < 0.1
    assert index(usually, RNG.beta(3, 1, 500)) > 0.25


def test_the_figure_of_each_kind_of_answer_is_that_of_its_evaluation() -> None:
    target = Category(("a", "b"))
    shares = np.array([[0.2, 0.8], [0.7, 0.3]])
    np.testing.assert_array_equal(figures(Evaluation(("x", "y"), target, np.array([0, 1]), shares)), [0.8, 0.7])
    assert figure(Prediction("b", 0.8, (("b", 0.8), ("a", 0.2)))) == 0.8
    tags = TagsEvaluation(("x", "y"), Tags(("a", "b")), np.eye(2, dtype=np.int64), np.array([[0.4, 0.3], [0.9, 0.8]]))
    np.testing.assert_array_equal(figures(tags), [0.4, 0.9])
    assert figure(TagsPrediction((), (("a", 0.4), ("b", 0.3)))) == 0.4
    numbers = NumberEvaluation(("x", "y"), Number(), np.ones(2), np.array([3.0, 4]))
    np.testing.assert_array_equal(figures(numbers), [3, 4])
    assert figure(NumberPrediction(3.0)) == 3.0

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from finegraft.evaluation import intervals
from finegraft.evaluation.calibration import reliability
from finegraft.evaluation.metrics import macro_f1
from finegraft.evaluation.tables import confusion_matrix


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
@pytest.mark.parametrize(("successes", "n"), [(0, 1), (1, 1), (0, 20), (20, 20), (7, 9), (337, 372), (5, 100_000)])
def test_wilson_agrees_with_scipy(successes: int, n: int, level: float) -> None:
    expected = binomtest(successes, n).proportion_ci(confidence_level=level, method="wilson")
    assert intervals.wilson(successes, n, level) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_ends_are_exact_and_nothing_is_known_without_records() -> None:
    assert intervals.wilson(0, 50)[0] == 0.0
    assert intervals.wilson(50, 50)[1] == 1.0
    assert intervals.wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("support", "recall"),
    [
        ([33, 33, 3], [0.95, 0.95, 0.8]),
        ([33, 33, 3], [0.95, 0.9, 0.5]),
        ([300, 5], [0.995, 0.5]),
        ([2] * 37, [0.9] * 37),
        ([2] * 37, np.linspace(0.6, 1, 37).tolist()),
        ([100, 50, 25, 12, 6, 3, 2, 1], np.linspace(0.98, 0.4, 8).tolist()),
        ([500, 500, 50], [0.95, 0.95, 0.8]),
        ([20], [0.9]),
    ],
)
def test_macro_recall_interval_covers_the_truth(support: list[int], recall: list[float]) -> None:
    found = np.random.default_rng(3).binomial(support, recall, size=(1000, len(support)))
    intervals_found = [intervals.of_macro_recall(row, np.array(support)) for row in found]
    covered = np.mean([low <= np.mean(recall) <= high for low, high in intervals_found])
    assert covered >= 0.93  # 0.95 less three standard errors of 1,000 sets


def test_macro_recall_of_one_class_has_wilsons_interval_and_stays_within_0_and_1() -> None:
    assert intervals.of_macro_recall(np.array([7]), np.array([9])) == pytest.approx(intervals.wilson(7, 9))
    low, high = intervals.of_macro_recall(np.array([3, 50]), np.array([3, 50]))
    assert 0.6 < low < 0.9
    assert high == 1.0
    assert intervals.of_macro_recall(np.array([0, 0]), np.array([1, 2]))[0] == 0.0


def true_f1(shares: np.ndarray) -> float:
    """The macro F1 of a population whose confusion table has these shares."""
    return float((2 * np.diag(shares) / (shares.sum(axis=0) + shares.sum(axis=1))).mean())


@pytest.mark.parametrize(("k", "n", "right"), [(2, 50, 0.97), (10, 372, 0.89), (50, 500, 0.8)])
def test_macro_f1_interval_covers_the_truth(k: int, n: int, right: float) -> None:
    rng = np.random.default_rng(1)
    shares = rng.dirichlet(np.full(k, 0.5), size=k) * (1 - right) + np.eye(k) * right
    shares /= k
    sets = rng.multinomial(n, shares.ravel(), size=200).reshape(-1, k, k)
    found = [intervals.of_macro_f1(matrix, resamples=200) for matrix in sets]
    covered = np.mean([low <= true_f1(shares) <= high for low, high in found])
    assert covered >= 0.91  # 0.95 less three standard errors of 200 sets


def test_macro_f1_interval_agrees_with_resampling_the_records() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, size=2000)
    predicted = np.where(rng.random(2000) < 0.7, truth, rng.integers(0, 4, size=2000))
    draws = rng.integers(0, 2000, size=(1000, 2000))
    values = [macro_f1_value(truth[draw], predicted[draw]) for draw in draws]
    low, high = intervals.of_macro_f1(confusion_matrix(truth, predicted, 4))
    assert (low, high) == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])), abs=0.004)


def macro_f1_value(truth: np.ndarray, predicted: np.ndarray) -> float:
    matrix = confusion_matrix(truth, predicted, 4)
    return true_f1(matrix / matrix.sum())


def test_twenty_right_of_twenty_is_no_proof() -> None:
    low, high = intervals.of_macro_f1(np.diag([10, 10]))
    assert 0.7 < low < 0.9
    assert high == 1.0


def test_one_record_has_an_interval_too() -> None:
    for matrix in (np.array([[1, 0], [0, 0]]), np.array([[0, 1], [0, 0]])):
        low, high = intervals.of_macro_f1(matrix)
        assert 0.0 <= low <= high <= 1.0


def answers(n: int, sharpness: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two-class probabilities and truth; calibrated at sharpness 1, too sure above."""
    logit = np.abs(rng.normal(1.5, 1.0, size=n))
    top = 1 / (1 + np.exp(-logit * sharpness))
    right = rng.random(n) < 1 / (1 + np.exp(-logit))
    return np.stack([top, 1 - top], axis=1), np.where(right, 0, 1)


@pytest.mark.parametrize("sharpness", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("n", [60, 372])
def test_ece_interval_covers_the_truth(n: int, sharpness: float) -> None:
    rng = np.random.default_rng(2)
    true = 0.0 if sharpness == 1 else reliability(*answers(400_000, sharpness, rng)).error
    found = [intervals.of_ece(reliability(*answers(n, sharpness, rng)), resamples=200) for _ in range(200)]
    assert np.mean([low <= true <= high for low, high in found]) >= 0.91


def test_ece_interval_excludes_zero_when_the_answers_are_clearly_too_sure() -> None:
    assert intervals.of_ece(reliability(*answers(3000, 3.0, np.random.default_rng(0))))[0] > 0.05


def test_intervals_repeat_with_the_seed_and_do_not_depend_on_the_order_of_records() -> None:
    rng = np.random.default_rng(0)
    probabilities, truth = answers(500, 2.0, rng)
    shuffled = rng.permutation(500)
    tables = [reliability(probabilities, truth), reliability(probabilities[shuffled], truth[shuffled])]
    assert intervals.of_ece(tables[0]) == pytest.approx(intervals.of_ece(tables[1]))
    matrix = np.array([[50, 3], [4, 40]])
    assert intervals.of_macro_f1(matrix, seed=7) == intervals.of_macro_f1(matrix, seed=7)
    assert intervals.of_macro_f1(matrix, seed=7) != intervals.of_macro_f1(matrix, seed=8)


def test_a_macro_f1_value_lies_in_its_interval() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        metric = macro_f1(rng.multinomial(30, rng.dirichlet(np.ones(9))).reshape(3, 3))
        assert metric.interval is not None
        assert metric.interval[0] <= metric.value <= metric.interval[1]

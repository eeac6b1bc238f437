from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from finegraft.errors import DataError, UsageError
from finegraft.evaluation.calibration import (
    expected_calibration_error,
    fit_temperature,
    reliability,
    risk_coverage,
    unsure_below,
)
from finegraft.targets import softmax


def scored(n: int, k: int, gain: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores `gain` times too large for a truth drawn from their softmax."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(scale=2.0, size=(n, k))
    truth = np.array([rng.choice(k, p=row) for row in softmax(scores)])
    return scores * gain, truth


def loss(inverse: float, scores: np.ndarray, truth: np.ndarray) -> float:
    """The loss as documented: cross-entropy, one record of evenly spread truth added."""
    logs = log_softmax(scores * inverse, axis=1)
    n = len(truth)
    return float((-n * logs[np.arange(n), truth] - logs.mean(axis=1)).mean() / (n + 1))


@pytest.mark.parametrize("gain", [0.2, 1.0, 3.0, 12.0])
@pytest.mark.parametrize(("n", "k"), [(40, 2), (300, 10)])
def test_temperature_agrees_with_scipy(n: int, k: int, gain: float) -> None:
    scores, truth = scored(n, k, gain)
    best = minimize_scalar(loss, bounds=(0.05, 20.0), args=(scores, truth), method="bounded", options={"xatol": 1e-9})
    assert 1 / fit_temperature(scores, truth) == pytest.approx(best.x, rel=1e-4)


def test_temperature_undoes_a_known_gain_and_mends_the_calibration() -> None:
    scores, truth = scored(5000, 5, gain=3.0)
    temperature = fit_temperature(scores, truth)
    assert temperature == pytest.approx(3.0, rel=0.05)
    assert expected_calibration_error(softmax(scores), truth) > 0.1
    assert expected_calibration_error(softmax(scores, temperature), truth) < 0.03


def test_temperature_ignores_what_softmax_ignores() -> None:
    scores, truth = scored(100, 4, gain=2.0)
    shifted = scores + np.linspace(-1e4, 1e4, 100)[:, None]
    assert fit_temperature(shifted, truth) == pytest.approx(fit_temperature(scores, truth), rel=1e-6)


def test_scores_that_are_all_right_do_not_become_certainties() -> None:
    truth = np.arange(30) % 3
    scores = np.eye(3)[truth] * 4.0
    top = softmax(scores, fit_temperature(scores, truth)).max()
    assert 0.95 < top < 0.99  # 30 right of 30; the next may be wrong


def test_temperature_stays_in_its_bounds() -> None:
    truth = np.arange(30) % 3
    assert fit_temperature(np.eye(3)[truth] * 1e-6, truth) == pytest.approx(0.05)
    assert fit_temperature(-np.eye(3)[truth] * 50, truth) == pytest.approx(20.0)


def test_flat_scores_have_temperature_one() -> None:
    assert fit_temperature(np.full((4, 3), 7.0), np.array([0, 1, 2, 0])) == 1.0


def test_temperature_refuses_scores_that_are_not_finite() -> None:
    with pytest.raises(DataError, match=r"not finite numbers.*use a lower learning rate"):
        fit_temperature(np.array([[0.0, np.nan]]), np.array([0]))


@pytest.mark.parametrize("judge", [fit_temperature, unsure_below, reliability])
def test_no_records_are_refused(judge: object) -> None:
    with pytest.raises(DataError, match="There are no records to judge"):
        judge(np.empty((0, 2)), np.empty(0, dtype=np.int64))  # type: ignore[operator]


def test_bins_hold_equal_shares_and_the_error_is_that_of_the_definition() -> None:
    rng = np.random.default_rng(0)
    top = np.sort(rng.uniform(0.5, 1.0, size=600))
    probabilities = np.stack([top, 1 - top], axis=1)
    truth = (rng.random(600) < 0.3).astype(np.int64)
    table = reliability(probabilities, truth, bins=10)
    assert table.count.tolist() == [60] * 10
    parts = np.split(np.arange(600), 10)
    expected = sum(abs(top[part].mean() - (truth[part] == 0).mean()) * 60 / 600 for part in parts)
    assert table.error == pytest.approx(expected)
    np.testing.assert_allclose(table.accuracy, [(truth[part] == 0).mean() for part in parts])
    np.testing.assert_allclose(table.confidence, [top[part].mean() for part in parts])


def test_equal_probabilities_share_a_bin_and_small_sets_get_few_bins() -> None:
    equal = np.tile([0.75, 0.25], (400, 1))
    truth = np.arange(400) % 4 == 0  # three of four right: perfectly calibrated
    assert reliability(equal, truth.astype(np.int64)).count.tolist() == [400]
    assert expected_calibration_error(equal, truth.astype(np.int64)) == pytest.approx(0.0)
    assert len(reliability(*scored_probabilities(60)).count) == 2
    assert len(reliability(*scored_probabilities(10)).count) == 1


def scored_probabilities(n: int) -> tuple[np.ndarray, np.ndarray]:
    scores, truth = scored(n, 4, gain=1.0)
    return softmax(scores), truth


def two_class(top: list[float], right: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    confidence = np.array(top)
    return np.stack([confidence, 1 - confidence], axis=1), np.where(right, 0, 1)


def test_unsure_below_is_the_smallest_threshold_that_keeps_the_error() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        top = rng.uniform(0.5, 1.0, size=40).round(2)  # with ties
        probabilities, truth = two_class(list(top), list(rng.random(40) < top))
        found = unsure_below(probabilities, truth, wanted_error=0.1)
        errors = {t: (truth[top >= t] == 1).mean() for t in np.unique(top)}
        fitting = [t for t, error in errors.items() if error <= 0.1]
        expected = 1.0 if not fitting else 0.0 if min(fitting) == top.min() else min(fitting)
        assert found == expected


def test_unsure_below_at_its_ends() -> None:
    assert unsure_below(*two_class([0.6, 0.9], [True, True])) == 0.0
    assert unsure_below(*two_class([0.6, 0.9], [False, False])) == 1.0
    assert unsure_below(*two_class([0.6, 0.9], [False, True])) == 0.9
    # 1 wrong of 20 is exactly the wanted 0.05
    assert unsure_below(*two_class([0.9] * 20, [False] + [True] * 19), wanted_error=0.05) == 0.0


@pytest.mark.parametrize("wanted", [-0.1, 1.0, float("nan")])
def test_unsure_below_refuses_an_impossible_error(wanted: float) -> None:
    with pytest.raises(UsageError, match=r"must be at least 0 and below 1, got .*Try 0\.05"):
        unsure_below(*two_class([0.6], [True]), wanted_error=wanted)


def test_risk_by_coverage_is_counted_from_the_surest_answer_on() -> None:
    probabilities, truth = two_class([0.6, 0.9, 0.8, 0.7], [False, True, False, True])
    coverage, error = risk_coverage(probabilities, truth)
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert error.tolist() == pytest.approx([0, 1 / 2, 1 / 3, 2 / 4])

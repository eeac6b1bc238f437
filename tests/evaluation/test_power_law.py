from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from scipy.optimize import least_squares

from finegraft.evaluation.power_law import ROUGHNESS, error_covariance, fit_power_law

SIZES = (90, 270, 820, 2450)
EXACT = np.diag([1e-8] * 4)


def law(n: np.ndarray | float, a: float, b: float, c: float) -> np.ndarray:
    return np.asarray(c + a * np.asarray(n, dtype=np.float64) ** -b)


@pytest.mark.parametrize(("a", "b", "c"), [(1.5, 0.4, 0.0), (2.0, 0.5, 0.04), (0.8, 0.25, 0.0)])
def test_it_goes_on_as_scipys_least_squares_fit_does(a: float, b: float, c: float) -> None:
    seen = law(np.array(SIZES), a, b, c)
    more = np.geomspace(90, 2450, 12)
    a_fit, b_fit, c_fit = least_squares(lambda p: law(more, *p) / law(more, a, b, c) - 1, (1.0, 0.4, 0.01)).x
    fitted = fit_power_law(SIZES, seen.tolist(), EXACT)
    for n in (500, 4900, 9800):
        middle, (low, high) = fitted.at(n)
        expected = float(law(n, a_fit, b_fit, c_fit))
        assert low < expected < high
        assert middle == pytest.approx(expected, rel=0.12)


def test_a_curve_that_does_not_fall_stays_where_it_is() -> None:
    middle, (low, high) = fit_power_law(SIZES, [0.2] * 4, EXACT).at(4900)
    assert middle == pytest.approx(0.2, rel=0.05)
    assert low < 0.2 < high


def test_a_curve_that_rises_is_not_said_to_go_on_rising() -> None:
    middle, _ = fit_power_law(SIZES, [0.10, 0.12, 0.15, 0.20], EXACT).at(4900)
    assert middle < 0.20


def test_without_an_error_so_far_a_few_may_still_come() -> None:
    wrong = np.zeros((2, 40))
    fitted = fit_power_law((16, 32), [0.0, 0.0], error_covariance(wrong, [str(i) for i in range(40)]))
    middle, (low, high) = fitted.at(80)
    assert low == pytest.approx(0.0, abs=1e-3)
    assert 0 < middle < 0.05
    assert middle < high < 0.2


def test_one_size_fixes_the_level_and_leaves_the_slope_open() -> None:
    fitted = fit_power_law((1000,), [0.1], np.array([[1e-5]]))
    middle, (low, high) = fitted.at(1000)
    assert middle == pytest.approx(0.1, rel=0.05)
    assert fitted.at(8000)[1][0] < low < high


def test_the_interval_of_a_measured_share_makes_room_for_who_is_asked() -> None:
    fitted = fit_power_law(SIZES, law(np.array(SIZES), 1.5, 0.4, 0.02).tolist(), EXACT)
    _, (low, high) = fitted.at(4900)
    _, (lower, higher) = fitted.at(4900, judged=300)
    spread = (high - low) / 2 / 1.96
    expected = 1.96 * np.hypot(spread, np.sqrt(0.07 * 0.93 / 300))
    assert (higher - lower) / 2 == pytest.approx(expected, rel=0.1)


def test_the_covariance_is_that_of_many_draws_of_the_same_records() -> None:
    rng = np.random.default_rng(0)
    wrong = np.array([rng.random(400) < 0.3, rng.random(400) < 0.2, rng.random(400) < 0.25], dtype=np.float64)
    wrong[1] = np.where(rng.random(400) < 0.7, wrong[0], wrong[1])
    draws = wrong[:, rng.integers(0, 400, (4000, 400))].mean(axis=2)
    found = error_covariance(wrong, [str(i) for i in range(400)])
    np.testing.assert_allclose(found, np.cov(draws), atol=3e-5)


def test_who_was_asked_by_one_model_only_adds_nothing_to_what_they_share() -> None:
    wrong = np.array([[1.0, 0.0, 1.0, 0.0] * 25, [1.0, 0.0, 1.0, 0.0] * 25])
    wrong[0, 50:] = np.nan
    found = error_covariance(wrong, [str(i) for i in range(100)])
    assert found[0, 1] == pytest.approx(0.25 * 50 / 50 / 100)
    assert found[0, 0] == pytest.approx(0.25 / 50)
    assert found[1, 1] == pytest.approx(0.25 / 100)


def test_copies_count_as_one_draw() -> None:
    wrong = np.array([[1.0, 0.0] * 50])
    alone = error_covariance(wrong, [str(i) for i in range(100)])
    tied = error_covariance(np.repeat(wrong, 4, axis=1), [str(i // 4) for i in range(400)])
    assert tied[0, 0] == pytest.approx(alone[0, 0], rel=1e-9)


@pytest.mark.parametrize(("a", "b", "c"), [(1.5, 0.35, 0.02), (1.0, 0.35, 0.0), (2.0, 0.5, 0.06), (0.5, 0.2, 0.0)])
def test_the_band_holds_the_truth_at_twice_the_records_in_most_simulated_sets(a: float, b: float, c: float) -> None:
    """Answers to 1,500 records: hard ones are hard for every model. Those of the smaller models count 700 of them."""
    rng = np.random.default_rng(0)
    truth, held = float(law(6000, a, b, c)), 0
    for _ in range(60):
        hardness = rng.normal(size=1500)
        wrong = np.stack([np.sqrt(0.7) * hardness + np.sqrt(0.3) * rng.normal(size=1500) for _ in SIZES])
        errors = law(np.array(SIZES), a, b, c) * (1 + ROUGHNESS * rng.normal(size=4))
        wrong = (wrong < [[NormalDist().inv_cdf(error)] for error in errors]).astype(np.float64)
        wrong[:-1, 700:] = np.nan
        covariance = error_covariance(wrong, [str(i) for i in range(1500)])
        low, high = fit_power_law(SIZES, np.nanmean(wrong, axis=1).tolist(), covariance).at(6000)[1]
        held += low <= truth <= high
    assert held >= 53

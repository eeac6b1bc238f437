from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from finegraft.evaluation.platt import FLATTEST, STEEPEST, fit_each, fit_platt


def drawn(n: int, slope: float, shift: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 3, n)
    return scores, (rng.random(n) < expit(slope * scores + shift)).astype(np.int64)


@pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (0.3, -2.0), (2.5, 1.0), (0.4, 2.0)])
def test_it_is_the_minimum_that_scipy_finds(slope: float, shift: float) -> None:
    scores, truth = drawn(300, slope, shift)
    yes, no = truth.sum(), 300 - truth.sum()
    wanted = np.where(truth > 0, (yes + 1) / (yes + 2), 1 / (no + 2))

    def loss(pair: np.ndarray) -> float:
        logit = pair[0] * scores + pair[1]
        return float((np.logaddexp(0, logit) - wanted * logit).sum())

    best = minimize(loss, np.array([1.0, 0.0]), method="BFGS")
    np.testing.assert_allclose(fit_platt(scores, truth), best.x, rtol=1e-3, atol=1e-3)


def test_a_large_sample_gives_back_what_it_was_drawn_with() -> None:
    np.testing.assert_allclose(fit_platt(*drawn(100_000, 0.7, -1.2)), (0.7, -1.2), atol=0.03)


@pytest.mark.parametrize(
    ("scores", "truth"),
    [
        (np.zeros(20), np.arange(20) % 2),
        (np.zeros(20), np.zeros(20, dtype=int)),
        (np.linspace(-5, 5, 20), (np.arange(20) > 9).astype(int)),  # parted without a fault
        (np.linspace(-5, 5, 20), (np.arange(20) < 10).astype(int)),  # the wrong way round
        (np.linspace(-1e6, 1e6, 20), np.arange(20) % 2),
        (np.ones(1), np.ones(1, dtype=int)),
    ],
)
def test_odd_scores_give_a_bounded_slope_and_no_certainty(scores: np.ndarray, truth: np.ndarray) -> None:
    slope, shift = fit_platt(scores, truth)
    assert FLATTEST <= slope <= STEEPEST
    assert np.isfinite(shift)
    if abs(scores).max() < 100:
        assert (expit(slope * scores + shift) < 1).all()


def test_equal_scores_get_the_share_of_yes() -> None:
    truth = (np.arange(100) < 30).astype(int)
    slope, shift = fit_platt(np.full(100, 2.0), truth)
    assert expit(slope * 2.0 + shift) == pytest.approx(0.3, abs=0.01)


def test_rare_tags_share_what_all_have_together() -> None:
    scores = np.random.default_rng(0).normal(size=(200, 3))
    truth = (scores + np.random.default_rng(1).normal(size=scores.shape) > 0).astype(np.int64)
    truth[9:, 1] = 0  # nine at most have it
    truth[:195, 2] = 1  # five at most lack it
    found = fit_each(scores, truth)
    together = fit_platt(scores.ravel(), truth.ravel())
    assert tuple(found[1]) == tuple(found[2]) == together
    assert tuple(found[0]) == fit_platt(scores[:, 0], truth[:, 0])

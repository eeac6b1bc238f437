"""Probabilities of single yes or no answers that mean what they say: one slope and one shift for each.

Platt, 1999, "Probabilistic outputs for support vector machines"; Newton's method as in Lin, Lin and Weng, 2007, "A note
on Platt's probabilistic outputs for support vector machines".
"""

from __future__ import annotations

import numpy as np

# Positives below which an answer has no slope and shift of its own. Cross-entropy on 300 photos of up to three pieces
# of clothing, ten tags, learned from 100, 250 and 1,000 (linear head, hidden layer; six draws): one temperature 3.01,
# 2.21, 1.71 and 2.37, 2.05, 1.70; one slope and shift for all tags 2.38, 2.01, 1.65 and 2.36, 2.03, 1.69; each its own
# from ten positives on 2.37, 1.99, 1.65 and 2.34, 2.00, 1.66.
FEWEST = 10
# A slope of another size than these says that the scores are noise, or nearly certain on too few records.
FLATTEST, STEEPEST = 0.05, 20.0
_STEPS, _ENOUGH = 100, 1e-9


def fit_platt(scores: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """The slope and the shift that make `sigmoid(slope * score + shift)` most likely to give `truth`.

    `scores` float (n,), `truth` 0 or 1 (n,), out of fold. One record of each kind is added in part, as Platt does, so
    that scores which are all right do not become certainties. The slope is held within 0.05..20.
    """
    scores = np.asarray(scores, dtype=np.float64)
    yes, no = float(truth.sum()), float(len(truth) - truth.sum())
    wanted = np.where(truth > 0, (yes + 1) / (yes + 2), 1 / (no + 2))
    slope, shift = 1.0, float(np.log((yes + 1) / (no + 1)) - scores.mean())
    loss = _loss(scores, wanted, slope, shift)
    for _ in range(_STEPS):
        step = _newton(scores, wanted, slope, shift)
        length = 1.0
        while length > _ENOUGH:  # half the way, until it goes down
            tried = float(np.clip(slope - length * step[0], FLATTEST, STEEPEST)), shift - length * step[1]
            if (lower := _loss(scores, wanted, *tried)) <= loss:
                break
            length /= 2
        else:
            break
        (slope, shift), gained, loss = tried, loss - lower, lower
        if gained <= _ENOUGH * len(scores):
            break
    return slope, shift


def fit_each(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Slope and shift of every tag, float64 (k, 2), from out-of-fold `scores` (n, k) and `truth` 0 or 1 (n, k).

    A tag that fewer than 10 records have, or fewer than 10 lack, gets those of all tags together.
    """
    together = fit_platt(scores.ravel(), truth.ravel())
    rows = [
        fit_platt(scores[:, tag], truth[:, tag]) if min(count, len(truth) - count) >= FEWEST else together
        for tag, count in enumerate(truth.sum(axis=0).tolist())
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, 2)


def _loss(scores: np.ndarray, wanted: np.ndarray, slope: float, shift: float) -> float:
    logit = slope * scores + shift
    return float((np.logaddexp(0, logit) - wanted * logit).sum())


def _newton(scores: np.ndarray, wanted: np.ndarray, slope: float, shift: float) -> tuple[float, float]:
    """The step from (slope, shift) to where the loss would be least were it a parabola."""
    p = (1 + np.tanh((slope * scores + shift) / 2)) / 2
    weight, off = p * (1 - p) + 1e-12, p - wanted
    squares, mixed, plain = (
        float((weight * scores**2).sum()) + 1e-9,
        float((weight * scores).sum()),
        float(weight.sum()),
    )
    determinant = squares * plain - mixed**2
    down, along = float((off * scores).sum()), float(off.sum())
    if determinant <= 1e-12 * squares * plain:  # all scores are the same: only the shift tells
        return 0.0, along / plain
    return (plain * down - mixed * along) / determinant, (squares * along - mixed * down) / determinant

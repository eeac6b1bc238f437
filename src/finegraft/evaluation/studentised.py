"""Intervals of figures that are functions of sums over records, such as RMSE and R²: the studentised bootstrap.

Clusters are drawn with replacement, each a row of sums, so that a resample costs one product of matrices. What is
resampled is how many standard errors a figure lies from that of the whole, not the figure itself (Efron, 1981; Hall,
1988, "Theoretical comparison of bootstrap confidence intervals"): errors have long tails, whose rare large ones a
sample mostly misses, and then it takes itself for more certain than it is.

Coverage of 95 % intervals of MAE, RMSE and R² in 300 simulated sets each, in brackets BCa: 100 records with normal
errors 0.96, 0.94, 0.97 (0.94, 0.94, 0.96); with long tails (log-normal scale) 0.93, 0.91, 0.91 (0.92, 0.88, 0.88); 10
clusters of 10: 0.92, 0.92, 0.93 (0.85, 0.84, 0.88), with long tails 0.92, 0.88, 0.90 (0.83, 0.73, 0.81). Percentiles do
no better than BCa. The ends are never nearer than Student's interval from the same standard error.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from finegraft.evaluation.clusters import student_quantile
from finegraft.evaluation.intervals import LEVEL, RESAMPLES, Interval

# sums (…, s) -> the figure (…,) on a scale where it is nearly normal, and its derivatives by the sums (…, s)
Figure = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

_MOST = 5000  # rows that are resampled: more are first joined by chance, which changes no expectation
_BATCH = 100
_FURTHEST = 3.0  # Student's quantiles: three records resampled give distances of any size


def joined(sums: np.ndarray, seed: int = 0) -> np.ndarray:
    """Rows (c, s) joined by chance into at most 5,000, which bounds the cost of resampling."""
    c = len(sums)
    if c <= _MOST:
        return sums
    block = np.random.default_rng(seed).permutation(c) % _MOST
    return np.stack([np.bincount(block, column, _MOST) for column in sums.T], axis=1)


def interval(
    sums: np.ndarray, figure: Figure, level: float = LEVEL, resamples: int = RESAMPLES, seed: int = 0
) -> Interval | None:
    """The interval of `figure`, on its own scale, from the sums of each cluster, (c, s); the first column counts.

    None for a single cluster, and where nothing varies.
    """
    sums = joined(sums, seed)
    c = len(sums)
    if c < 2:
        return None
    value, slopes = figure(sums.sum(axis=0))
    error = float(_error(sums, np.ones(c), slopes))
    if not error > 0:
        return None
    alike = sums[:, 0].sum() ** 2 / (sums[:, 0] ** 2).sum()
    student = student_quantile(level, max(1.0, alike - 1))
    distances = _distances(sums, figure, float(value), resamples, seed)
    low, high = np.quantile(distances, [(1 - level) / 2, (1 + level) / 2]).clip(
        -_FURTHEST * student, _FURTHEST * student
    )
    return float(value - max(high, student) * error), float(value - min(low, -student) * error)


def _distances(sums: np.ndarray, figure: Figure, value: float, resamples: int, seed: int) -> np.ndarray:
    """How many of its own standard errors each resample lies from `value`; those without spread are left out."""
    rng, c = np.random.default_rng(seed), len(sums)
    found = []
    for start in range(0, resamples, _BATCH):
        size = min(_BATCH, resamples - start)
        drawn = rng.integers(0, c, size=(size, c)) + c * np.arange(size)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=size * c).reshape(size, c).astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):  # a resample may hold one cluster only
            values, slopes = figure(weights @ sums)
            found.append((values - value) / _error(sums, weights, slopes))
    distances = np.concatenate(found)
    return np.append(distances[np.isfinite(distances)], 0.0)


def _error(sums: np.ndarray, weights: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """The standard error of a figure whose derivatives are `slopes` (…, s), rows drawn `weights` (…, c) times."""
    c = len(sums)
    moves = slopes @ sums.T
    mean = (weights * moves).sum(axis=-1, keepdims=True) / c
    return np.asarray(np.sqrt(c / (c - 1) * (weights * (moves - mean) ** 2).sum(axis=-1)))

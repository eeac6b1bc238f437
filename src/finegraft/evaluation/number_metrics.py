"""The headline numbers where a number is answered. Pure functions, each with its 95 % interval.

Throughout: `truth` and `predicted` float64 (n,), n at least 1. The residual is what was answered less what is.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from finegraft.evaluation import influence, studentised
from finegraft.evaluation.clusters import Clusters, inflation
from finegraft.evaluation.intervals import wilson
from finegraft.evaluation.metrics import Metric, method

_COUNT, _SIZE, _SQUARE, _ERROR, _TRUTH, _TRUTH_SQUARE = range(6)  # columns of the sums


def headline(truth: np.ndarray, predicted: np.ndarray, clusters: Clusters | None = None) -> dict[str, Metric]:
    """By name: mae, rmse, r2, median_absolute_error and mean_error.

    `r2` is 1 less the mean squared error over that of always answering the mean of the judged: 0 is no better than
    that; it is left out where all truths are equal. `mean_error` is the mean residual, above 0 where too much is
    answered. An interval is None where one record or cluster is all there is, or nothing varies.
    """
    mean = float(truth.mean())
    residual = predicted - truth
    sums = _sums(residual, truth - mean, clusters)
    whole = sums.sum(axis=0) / len(truth)
    how = method("studentised bootstrap", clusters is not None)
    found = {
        "mae": _metric(float(whole[_SIZE]), sums, _log_mae, math.exp, how),
        "rmse": _metric(math.sqrt(whole[_SQUARE]), sums, _log_mse, lambda x: math.exp(x / 2), how),
    }
    if truth.min() < truth.max():
        value = 1 - float(whole[_SQUARE] / (whole[_TRUTH_SQUARE] - whole[_TRUTH] ** 2))
        found["r2"] = _metric(value, sums, _log_unexplained, lambda x: 1 - math.exp(x), how)
    found["median_absolute_error"] = median_size(residual, clusters)
    found["mean_error"] = _metric(float(whole[_ERROR]), sums, _mean_error, float, how)
    return found


def median_size(residual: np.ndarray, clusters: Clusters | None = None) -> Metric:
    """The size of residual that half of the answers do not exceed, its interval by order (Woodruff, 1952).

    The ends are the sizes at the ends of Wilson's interval of the share 1/2.
    """
    size = np.sort(np.abs(residual))
    n, value = len(size), float(np.median(size))
    if n < 2:
        return Metric(value)
    count = n / inflation(influence.of_share(np.abs(residual) <= value), clusters)
    low, high = wilson(count / 2, count)
    ends = float(size[max(0, math.floor(low * n) - 1)]), float(size[min(n - 1, math.ceil(high * n))])
    return Metric(value, ends, method("Wilson of ranks", clusters is not None))


def _metric(
    value: float, sums: np.ndarray, figure: studentised.Figure, back: Callable[[float], float], how: str
) -> Metric:
    """`value` with the interval of `figure`, taken `back` from its scale to that of the value."""
    found = studentised.interval(sums, figure) if sums[:, _SQUARE].sum() > 0 else None
    if found is None:
        return Metric(value)
    low, high = sorted(map(back, found))
    return Metric(value, (low, high), how)


def _sums(residual: np.ndarray, truth: np.ndarray, clusters: Clusters | None) -> np.ndarray:
    """What the figures are made of, summed by cluster: (c, 6). `truth` is taken from its mean, which is more exact."""
    each = [np.ones(len(residual)), np.abs(residual), residual**2, residual, truth, truth**2]
    return np.stack(each if clusters is None else [clusters.sums(column) for column in each], axis=1)


def _log_mae(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return _log_ratio(sums, _SIZE)


def _log_mse(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return _log_ratio(sums, _SQUARE)


def _mean_error(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    slopes = np.zeros(sums.shape)
    mean = sums[..., _ERROR] / sums[..., _COUNT]
    slopes[..., _ERROR], slopes[..., _COUNT] = 1 / sums[..., _COUNT], -mean / sums[..., _COUNT]
    return mean, slopes


def _log_unexplained(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The logarithm of 1 - R²."""
    n, square, truth = sums[..., _COUNT], sums[..., _SQUARE], sums[..., _TRUTH]
    slopes = np.zeros(sums.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = sums[..., _TRUTH_SQUARE] - truth**2 / n
        slopes[..., _SQUARE], slopes[..., _TRUTH_SQUARE] = 1 / square, -1 / spread
        slopes[..., _TRUTH], slopes[..., _COUNT] = 2 * truth / n / spread, -((truth / n) ** 2) / spread
        return np.log(square) - np.log(spread), slopes


def _log_ratio(sums: np.ndarray, column: int) -> tuple[np.ndarray, np.ndarray]:
    """The logarithm of the mean of a column that is nowhere below 0."""
    slopes = np.zeros(sums.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes[..., column], slopes[..., _COUNT] = 1 / sums[..., column], -1 / sums[..., _COUNT]
        return np.log(sums[..., column]) - np.log(sums[..., _COUNT]), slopes

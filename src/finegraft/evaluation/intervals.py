"""How far a measured number may lie from the true one: Wilson's interval, and bootstraps on counts.

Records that share a cell of a table are alike, so drawing n records with replacement is one multinomial draw of the
cells: the bootstraps here cost the same for a thousand records as for a million.

Plain resampling never sees an error that did not happen: 20 right of 20 would give the interval (1, 1). So z²/2 right
and z²/2 wrong records (1.92 of each at 95 %) are spread over the table first, which is where Wilson's interval has
its centre (Agresti and Coull, 1998, "Approximate is better than exact").

Counts need not be whole: those of records that hang together are divided first (`finegraft.evaluation.clusters`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np

from finegraft.evaluation.calibration import Reliability

Interval = tuple[float, float]
LEVEL = 0.95
RESAMPLES = 1000
_FEW = 5  # records of a class: with fewer its own interval is far from even on both sides
_BATCH = 100  # resamples drawn at once: bounds the memory at 100 numbers per cell


def wilson(successes: float, n: float, level: float = LEVEL) -> Interval:
    """The score interval of a proportion (Wilson, 1927), both ends in 0..1.

    Unlike value ± 2 standard errors it is honest near 0 and 1 and for small n. With n = 0 nothing is known: (0, 1).

    >>> low, high = wilson(20, 20)
    >>> f"{low:.2f} {high:.2f}"
    '0.84 1.00'
    """
    if n == 0:
        return 0.0, 1.0
    z = _normal_quantile(level)
    share = successes / n
    centre = share + z * z / (2 * n)
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # At the ends the formula gives 0 and 1 but for rounding; say so exactly.
    low = 0.0 if successes == 0 else (centre - reach) / scale
    high = 1.0 if successes == n else (centre + reach) / scale
    return low, high


def of_macro_recall(found: np.ndarray, support: np.ndarray, level: float = LEVEL) -> Interval:
    """The interval of the mean of found/support over the classes, both float or int (k,), every support above 0.

    Wilson's for as many records as tell as much: the fewer of two counts. One is that of classes equally hard (Kish,
    1965, "Survey Sampling"), the other has the variance that was measured, with one record at the mean recall added to
    each class, so that no class is known for sure. Where a class has fewer than five records, what it may really be is
    lopsided, and both ends are moved out to those of `_joined`. Coverage in 1,500 simulated sets each: 0.95 for ten
    classes of clothing, 0.94 for 500, 500 and 50 records, 0.98 for ten of ten of which half are easy; with few in a
    class 0.96 for 33, 33 and 3, 0.97 for 37 of two, 0.94 for eight of 100 to 1; at worst 0.92 in 18 cases.
    """
    recall, k = found / support, len(support)
    middle = float(recall.mean())
    alike = k * k / float((1 / support).sum())
    known = (found + middle) / (support + 1)
    variance = float((known * (1 - known) / support).sum()) / (k * k)
    measured = middle * (1 - middle) / variance if variance > 0 else alike
    if support.min() >= _FEW:
        count = min(alike, measured)
        return wilson(middle * count, count, level)
    low, high = wilson(middle * alike, alike, level)
    below, above = _joined(found, support, level)
    return max(0.0, min(low, middle - below)), min(1.0, max(high, middle + above))


def _joined(found: np.ndarray, support: np.ndarray, level: float) -> tuple[float, float]:
    """How far the mean recall may lie above and below the true one: Wilson's intervals joined by squared distances.

    Zou, Huang and Zhang, 2009, "A note on confidence interval estimation for a linear function of binomial
    proportions".
    """
    ends = np.array([wilson(float(right), float(n), level) for right, n in zip(found, support, strict=True)])
    below, above = np.sqrt(((ends - (found / support)[:, None]) ** 2).sum(axis=0)) / len(support)
    return float(below), float(above)


def of_macro_f1(matrix: np.ndarray, level: float = LEVEL, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """A bootstrap interval of the macro F1 of a confusion matrix, (k, k) with the truth in rows.

    With few records per class a resample's F1 falls short of the set's, as the set's does of the true one; so the
    interval is moved up by twice the shortfall of the resamples. Coverage in 300 simulated sets each: 0.98 for 50
    records of 2 classes at 97 % (0.76 without the records added), 0.97 for 1,000 records of 100 classes (0.70
    without the move), but 0.83 for 59 records of 37 classes, where many classes have one record or none.
    """
    n, k = max(1, round(float(matrix.sum()))), len(matrix)
    margins = matrix.sum(axis=0) + matrix.sum(axis=1)
    rows, columns = np.nonzero(matrix * (1 - np.eye(k, dtype=np.int64)))
    extra = _pseudo_records(level)
    # The cells: right answers of every class, the errors that happened, and last all errors that did not yet.
    spread = extra * matrix.sum(axis=1) / n
    weights = np.concatenate([np.diag(matrix) + spread, matrix[rows, columns], [extra]])

    def mean_f1(counts: np.ndarray) -> np.ndarray:
        right, wrong, unseen = counts[:, :k], counts[:, k:-1], counts[:, -1:]
        sizes = 2 * right + _sum_by(wrong, rows, k) + _sum_by(wrong, columns, k)
        f1 = np.divide(2 * right, sizes + unseen * margins / n, out=np.zeros(sizes.shape), where=sizes > 0)
        # A class that a resample lacks has no F1 there. At least 1: a tiny resample may be all unseen errors.
        return np.asarray(f1.sum(axis=1) / np.maximum((sizes > 0).sum(axis=1), 1))

    values = _resampled(mean_f1, weights, n, resamples, seed)
    shift = 2 * (float(mean_f1(weights[None])[0]) - values.mean())
    low, high = _middle(values + shift, level)
    return max(0.0, low), min(1.0, high)


def of_ece(table: Reliability, level: float = LEVEL, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """A bootstrap interval of the expected calibration error of `table`.

    The error is a mean of distances, so noise can only add to it, and twice as much in a resample. The low end is
    therefore moved down by twice that excess, and is 0 where perfectly calibrated probabilities would often enough
    look as bad (Bröcker and Smith, 2007, "Increasing the Reliability of Reliability Diagrams"). The high end stays
    where it is, on the safe side.
    """
    n = max(1, round(float(table.count.sum())))
    confidence = table.confidence

    def error(counts: np.ndarray) -> np.ndarray:
        right, wrong = np.split(counts, 2, axis=1)
        return np.asarray(np.abs((right + wrong) * confidence - right).sum(axis=1) / counts.sum(axis=1))

    spread = _pseudo_records(level) * table.count / n
    weights = np.concatenate([table.right + spread, table.count - table.right + spread])
    values = _resampled(error, weights, n, resamples, seed)
    low, high = _middle(values, level)
    low -= 2 * (values.mean() - float(error(weights[None])[0]))
    count = np.maximum(1, np.rint(table.count)).astype(np.int64)
    calibrated = np.random.default_rng(seed).binomial(count, confidence, size=(resamples, len(confidence)))
    by_chance = np.abs(count * confidence - calibrated).sum(axis=1) / count.sum()
    if table.error <= _middle(by_chance, level)[1]:
        low = 0.0
    return max(0.0, low), min(1.0, high)


def _resampled(
    statistic: Callable[[np.ndarray], np.ndarray], weights: np.ndarray, n: int, resamples: int, seed: int
) -> np.ndarray:
    """`statistic` (counts (batch, cells) to (batch,)) of tables of `n` records drawn with the cells' `weights`."""
    rng = np.random.default_rng(seed)
    shares = weights / weights.sum()
    sizes = (min(_BATCH, resamples - start) for start in range(0, resamples, _BATCH))
    return np.concatenate([statistic(rng.multinomial(n, shares, size=size)) for size in sizes])


def _sum_by(counts: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """Columns of `counts` (batch, m) summed by their `group` int (m,), to (batch, groups)."""
    sums = np.zeros((len(counts), groups), dtype=counts.dtype)
    order = np.argsort(group, kind="stable")
    present, starts = np.unique(group[order], return_index=True)
    if len(present):
        sums[:, present] = np.add.reduceat(counts[:, order], starts, axis=1)
    return sums


def _middle(values: np.ndarray, level: float) -> Interval:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _normal_quantile(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)


def _pseudo_records(level: float) -> float:
    return _normal_quantile(level) ** 2 / 2

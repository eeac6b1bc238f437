"""How errors fall with the records learned from: power laws, weighed by how well they fit what was measured.

The error of a model falls with the number n it learned from about as c + a·n^-b (Hestness et al., 2017, "Deep Learning
Scaling is Predictable, Empirically", arXiv 1712.00409). A few sizes do not fix three numbers, so none is picked: every
law on a grid is weighed by how well it fits, and the answer is what all of them together say.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from finegraft.evaluation.intervals import LEVEL, Interval

# How far a measured error lies from a smooth law beside the chance of the judged records, as a part of it: which
# records happened to be learned from, and that no law is exact.
ROUGHNESS = 0.04
# The laws: exponents b, and the part of the error at the largest size that no number of records would remove.
_EXPONENTS = np.linspace(0.0, 1.2, 25)
_FLOORS = np.linspace(0.0, 0.96, 13)
_LEVELS = np.linspace(-3.5, 3.5, 15)  # the error at the largest size, in its standard errors
_LEAST_WEIGHT = 1e-4  # of the best law: what weighs less cannot be seen in any answer
_NODES = np.array([NormalDist().inv_cdf((i + 0.5) / 15) for i in range(15)])


@dataclass(frozen=True)
class PowerLaw:
    """Laws error(n) = e·(f + (1 - f)·(n / largest)^-b), each with its `weight` (g,); all of them sum to 1.

    `errors`, `exponents`, `floors` float64 (g,) hold e, b and f.
    """

    largest: int
    errors: np.ndarray
    exponents: np.ndarray
    floors: np.ndarray
    weight: np.ndarray

    def at(self, n: float, judged: int | None = None, level: float = LEVEL) -> tuple[float, Interval]:
        """The error after learning from `n` records: its median and its interval.

        The interval holds the share of errors among records without end, as one more model would have it. With
        `judged` it holds the share measured on so many records, whose choice by chance widens it.
        """
        means = self._means(n)
        spread = (ROUGHNESS * means) ** 2
        if judged is not None:
            spread = spread + means * (1 - means) / judged
        values = (means[:, None] + np.sqrt(spread)[:, None] * _NODES).clip(0.0, 1.0)
        weight = np.repeat(self.weight / len(_NODES), len(_NODES))
        low, middle, high = _quantiles(values.ravel(), weight, ((1 - level) / 2, 0.5, (1 + level) / 2))
        return middle, (low, high)

    def _means(self, n: float) -> np.ndarray:
        falling = (max(n, 1) / self.largest) ** -self.exponents
        return np.asarray((self.errors * (self.floors + (1 - self.floors) * falling)).clip(0.0, 1.0))


def fit_power_law(sizes: Sequence[int], errors: Sequence[float], covariance: np.ndarray) -> PowerLaw:
    """Weigh all laws by how well they fit `errors` (0..1) measured after learning from `sizes` records, rising.

    `covariance` (s, s) is that of the errors by the chance of the judged records. All laws count the same beforehand;
    none rises: more records do no harm. One size alone fixes the level and nothing else.
    """
    n, seen = np.asarray(sizes, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    spread = covariance + np.diag((ROUGHNESS * seen) ** 2)
    levels = (seen[-1] + _LEVELS * math.sqrt(spread[-1, -1])).clip(1e-6, 1.0)
    e, b, f = (grid.ravel() for grid in np.meshgrid(np.unique(levels), _EXPONENTS, _FLOORS, indexing="ij"))
    law = PowerLaw(int(sizes[-1]), e, b, f, np.ones_like(e))
    means = np.stack([law._means(size) for size in n])
    whitened = np.linalg.solve(np.linalg.cholesky(spread), means - seen[:, None])
    misfit = (whitened**2).sum(axis=0)
    weight = np.exp(-(misfit - misfit.min()) / 2)
    kept = weight > _LEAST_WEIGHT
    return PowerLaw(law.largest, e[kept], b[kept], f[kept], weight[kept] / weight[kept].sum())


def error_covariance(wrong: np.ndarray, groups: Sequence[str]) -> np.ndarray:
    """The covariance (s, s) of the error rates of s models that were judged on the same records, or on some of them.

    `wrong` float (s, n) holds 1 for a wrong answer, 0 for a right one, NaN where a model was not asked. Records of one
    group count as one draw. Two wrong answers and two right ones are added to each model's own, so that a model
    without errors is not taken for a perfect one (Agresti and Coull, 1998).
    """
    asked = ~np.isnan(wrong)
    counts = asked.sum(axis=1)
    filled = np.where(asked, wrong, 0.0)
    errors = filled.sum(axis=1) / counts
    parts = np.where(asked, filled - errors[:, None], 0.0) / counts[:, None]
    _, place = np.unique(np.asarray(groups), return_inverse=True)
    by_group = np.zeros((len(wrong), int(place.max()) + 1))
    np.add.at(by_group.T, place, parts.T)
    found = by_group @ by_group.T
    padded = (filled.sum(axis=1) + 2) / (counts + 4)
    least = padded * (1 - padded) / (counts + 4)
    return np.asarray(found + np.diag(np.maximum(least - np.diag(found), 0.0)))


def _quantiles(values: np.ndarray, weight: np.ndarray, wanted: Sequence[float]) -> list[float]:
    order = np.argsort(values)
    below = np.cumsum(weight[order])
    places = np.searchsorted(below, np.asarray(wanted) * below[-1]).clip(max=len(values) - 1)
    return [float(value) for value in values[order][places]]

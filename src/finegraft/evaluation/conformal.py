"""Around an answered number, the interval that holds the true one as often as promised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LEVEL = 0.9


def half_width(residuals: np.ndarray, groups: Sequence[str] = (), level: float = LEVEL) -> float | None:
    """How far to either side of an answer the interval reaches that holds the truth in `level` of cases.

    The size of out-of-fold residual, float (n,), that as many do not exceed, one more record counted as beyond all:
    the cross-validated form of the jackknife (Barber et al., 2021, "Predictive inference with the jackknife+", arXiv
    1905.02928; Lei et al., 2018, "Distribution-free predictive inference for regression"). It promises nothing for
    items unlike the training data, and is exact where the network of all folds errs as those of the folds do.

    Records of one of the `groups` tell as much together as one that stands alone (Dunn et al., 2022, "Distribution-free
    prediction sets for two-layer hierarchical models"). None where there are too few of them: 90 % takes nine.

    >>> half_width(np.arange(1.0, 20.0))
    18.0
    >>> half_width(np.ones(8)) is None
    True
    """
    size = np.abs(np.asarray(residuals, dtype=np.float64))
    weight = np.ones(len(size))
    if len(groups):
        _, group, count = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
        weight = 1 / count[group]
    order = np.argsort(size, kind="stable")
    held = np.cumsum(weight[order])
    enough = np.flatnonzero(held >= level * (weight.sum() + 1) - 1e-9)
    return float(size[order[enough[0]]]) if len(enough) else None

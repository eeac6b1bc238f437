"""Confident learning: which labels are probably wrong, from probabilities of a model that did not learn from them.

Northcutt, Jiang and Chuang, 2021, Confident Learning: Estimating Uncertainty in Dataset Labels, Journal of Artificial
Intelligence Research 70 (arXiv 1911.00068). Throughout: `labels` int (n,) are the given classes, `probabilities` float
(n, k) what a model says of each record that was trained without it; rows sum to one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Joint:
    """How often a label i was given where j is right.

    `thresholds` float (k,) are the mean probabilities of a class among the records with its label, infinite where there
    is none. `confident` int (n,) is the likeliest class of those whose probability reaches their threshold, -1 where
    none does. `counts` int (k, k) has labels in rows, confident classes in columns. `shares` float (k, k), which sum to
    one, are the counts with each row brought to the number of its labels: the joint distribution.
    """

    thresholds: np.ndarray
    confident: np.ndarray
    counts: np.ndarray
    shares: np.ndarray

    @property
    def wrong(self) -> float:
        """The estimated share of wrong labels."""
        return float(1 - np.trace(self.shares))


def joint(labels: np.ndarray, probabilities: np.ndarray) -> Joint:
    """The confident joint (sections 3.1 and 3.2 of the paper)."""
    k = probabilities.shape[1]
    given = np.bincount(labels, minlength=k)
    sums = np.bincount(labels, probabilities[np.arange(len(labels)), labels], minlength=k)
    thresholds = np.divide(sums, given, out=np.full(k, np.inf), where=given > 0)
    reached = np.where(probabilities >= thresholds, probabilities, -1.0)
    confident = np.where(reached.max(axis=1) >= 0, reached.argmax(axis=1), -1)
    sure = confident >= 0
    counts = np.bincount(labels[sure] * k + confident[sure], minlength=k * k).reshape(k, k)
    totals = counts.sum(axis=1)
    # A class whose labels are confident of nothing is taken at its word.
    rows = np.where(totals[:, None] > 0, counts / np.maximum(totals, 1)[:, None], np.eye(k))
    return Joint(thresholds, confident, counts, rows * given[:, None] / len(labels))


def suspects(labels: np.ndarray, probabilities: np.ndarray, found: Joint | None = None) -> np.ndarray:
    """Which labels to look at, bool (n,): of each label i and other class j as many as the joint says are wrong, those
    first whose probability of j exceeds that of i most ("prune by noise rate", section 3.3).
    """
    found = found or joint(labels, probabilities)
    n, k = probabilities.shape
    wanted = np.rint(n * found.shares).astype(np.int64)
    chosen = np.zeros(n, dtype=bool)
    for i, j in zip(*np.nonzero(wanted * ~np.eye(k, dtype=bool)), strict=True):
        rows = np.flatnonzero(labels == i)
        margins = probabilities[rows, j] - probabilities[rows, i]
        chosen[rows[np.argsort(-margins, kind="stable")[: wanted[i, j]]]] = True
    return chosen


def doubt(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How little each label is believed, float (n,), 0 to 1, and the likeliest other class, int (n,).

    It is the share of that class in what both have: above 0.5 where it is likelier than the label.
    """
    rows = np.arange(len(labels))
    others = probabilities.copy()
    own = others[rows, labels]
    others[rows, labels] = -1.0
    other = others.argmax(axis=1)
    rival = others[rows, other]
    return rival / np.maximum(own + rival, np.finfo(np.float64).tiny), other

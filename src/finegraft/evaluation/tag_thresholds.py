"""From which probability on a tag is answered, and how sure a set of tags is.

Choose on out-of-fold answers, judge on records that chose nothing.
"""

from __future__ import annotations

import numpy as np

# A tag's own threshold counts as much as that of all tags together where so many records have it: the best cut through
# few is mostly chance. Macro F1 on 300 photos of up to three pieces of clothing, ten tags, learned from 100, 250 and
# 1,000 (means of two heads and six draws): own thresholds 0.524, 0.592, 0.672, so weighed 0.518, 0.604, 0.674, one for
# all 0.488, 0.589, 0.678, a half 0.378, 0.518, 0.634. All tags right: own 0.458, 0.493, 0.588, so weighed 0.484, 0.508,
# 0.588.
EVEN = 10
PLAIN = 0.5
_LEAST = 1e-6  # of a threshold, and what it stays below 1: answers are told to six digits


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits, float64, of the same shape.

    >>> sigmoid(np.array([0.0, 1000.0, -1000.0])).tolist()
    [0.5, 1.0, 0.0]
    """
    return np.asarray((1 + np.tanh(np.asarray(logits, dtype=np.float64) / 2)) / 2)


def probabilities_of(scores: np.ndarray, platt: np.ndarray) -> np.ndarray:
    """Probabilities of scores (n, k) or (k,), float64; `platt` (k, 2) holds the slope and the shift of every tag."""
    return sigmoid(np.asarray(scores, dtype=np.float64) * platt[:, 0] + platt[:, 1])


def thresholds(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The threshold of every tag, float64 (k,) inside 0..1: a tag is answered at or above it.

    Where the tag's own F1 is highest (Lipton et al., 2014, "Optimal thresholding of classifiers to maximize F1
    measure"), drawn towards the threshold that is best for all tags together, the more the fewer records have the tag.
    A tag that no record has or that all have gets 0.5: nothing tells where to cut. `probabilities` (n, k), `truth` 0 or
    1 (n, k).
    """
    positives = truth.sum(axis=0)
    told = np.flatnonzero((positives > 0) & (positives < len(truth)))
    found = np.full(truth.shape[1], PLAIN)
    if len(told) == 0:
        return found
    together = _logit(best_f1(probabilities[:, told].ravel(), truth[:, told].ravel()))
    for tag in told:
        weight = positives[tag] / (positives[tag] + EVEN)
        own = _logit(best_f1(probabilities[:, tag], truth[:, tag]))
        found[tag] = sigmoid(np.asarray(weight * own + (1 - weight) * together))
    return found.clip(_LEAST, 1 - _LEAST)


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


def best_f1(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """The threshold with the highest F1: half-way between two probabilities, or 0.5 where that cuts the same.

    `probabilities` float (n,), `truth` 0 or 1 (n,) with at least one 1.

    >>> best_f1(np.array([0.9, 0.3, 0.2]), np.array([1, 1, 0]))
    0.25
    """
    order = np.argsort(-probabilities, kind="stable")
    falling = np.asarray(probabilities, dtype=np.float64)[order]
    hits = np.cumsum(truth[order])
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + hits[-1])
    below = np.append(falling[1:], 0.0)
    cuts = np.flatnonzero((below < falling) & (f1 >= f1[falling > below].max(initial=0.0) - 1e-12))
    if len(cuts) == 0:  # all probabilities are 0
        return PLAIN
    middle = np.where((below < PLAIN) & (falling >= PLAIN), PLAIN, (below + falling) / 2)[cuts]
    return float(middle[np.abs(middle - PLAIN).argmin()].clip(_LEAST, 1 - _LEAST))


def certainty(probabilities: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """How far the least clear tag of each record lies from its threshold, float64 (n,) in 0..1.

    0 at the threshold, 1 where the probability is 0 or 1. `probabilities` (n, k), `cuts` (k,) inside 0..1.

    >>> certainty(np.array([[0.9, 0.1], [0.5, 0.1]]), np.array([0.5, 0.2])).round(2).tolist()
    [0.5, 0.0]
    """
    above = probabilities >= cuts
    distance = np.where(above, (probabilities - cuts) / (1 - cuts), (cuts - probabilities) / cuts)
    return np.asarray(distance.min(axis=1))

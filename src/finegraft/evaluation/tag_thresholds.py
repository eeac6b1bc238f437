"""From which probability on a tag is answered, and how sure a set of tags is.

Choose on out-of-fold answers, judge on records that chose nothing.
"""

from __future__ import annotations

import numpy as np

from finegraft.evaluation.calibration import fit_temperature

# Positives below which a tag has no threshold of its own but that of all tags together: the best cut through so few
# is mostly chance.
FEWEST = 10
PLAIN = 0.5
_LEAST = 1e-6  # of a threshold, and what it stays below 1: answers are told to six digits


def sigmoid(scores: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Probabilities of scores that are logits, float64, of the same shape; `temperature` divides the scores first.

    >>> sigmoid(np.array([0.0, 1000.0, -1000.0])).tolist()
    [0.5, 1.0, 0.0]
    """
    half = np.asarray(scores, dtype=np.float64) / temperature / 2
    return np.asarray((1 + np.tanh(half)) / 2)


def fit_tag_temperature(scores: np.ndarray, truth: np.ndarray) -> float:
    """The temperature in 0.05..20 that makes `sigmoid(scores, temperature)` most likely to give `truth`.

    One for all tags: a tag is a choice between the scores 0 and s, so this is `calibration.fit_temperature` of them
    all. `scores` (n, k), `truth` 0 or 1 (n, k), out of fold. Raises `DataError` as that does.
    """
    own = np.asarray(scores, dtype=np.float64).ravel()
    return fit_temperature(np.stack([np.zeros_like(own), own], axis=1), truth.ravel().astype(np.int64))


def thresholds(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The threshold of every tag, float64 (k,) inside 0..1: a tag is answered at or above it.

    Each is where the tag's own F1 is highest (Lipton et al., 2014, "Optimal thresholding of classifiers to maximize
    F1 measure"); of thresholds that do equally well the one nearest 0.5. A tag with fewer than 10 positives takes the
    threshold at which all such tags pooled do best; where even these have fewer than 10, 0.5. A tag that no record
    has or that all have gets 0.5: nothing tells where to cut. `probabilities` (n, k), `truth` 0 or 1 (n, k).
    """
    positives = truth.sum(axis=0)
    told = (positives > 0) & (positives < len(truth))
    few = told & (positives < FEWEST)
    found = np.full(truth.shape[1], PLAIN)
    for tag in np.flatnonzero(told & ~few):
        found[tag] = best_f1(probabilities[:, tag], truth[:, tag])
    if positives[few].sum() >= FEWEST:
        found[few] = best_f1(probabilities[:, few].ravel(), truth[:, few].ravel())
    return found


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

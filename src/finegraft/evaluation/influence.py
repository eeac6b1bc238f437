"""By how much each record moves a metric: float64 (n,), summing to 0 but for rounding.

The derivative of the metric by the weight of a record, so that their squares add up to the metric's variance where
records are independent, and the squares of their sums by cluster where they are not. Throughout: `truth` and
`predicted` int (n,) with values in 0..k-1, n at least 1.
"""

from __future__ import annotations

import numpy as np

from finegraft.evaluation.calibration import bins_of


def of_share(hits: np.ndarray) -> np.ndarray:
    """Of the share of `hits`, bool (n,)."""
    return np.asarray((hits - hits.mean()) / len(hits))


def of_macro_recall(truth: np.ndarray, predicted: np.ndarray, k: int) -> np.ndarray:
    """Of the mean recall of the classes that occur in the truth."""
    hits = (truth == predicted).astype(np.float64)
    support = np.bincount(truth, minlength=k)
    recall = np.bincount(truth, hits, k) / np.maximum(support, 1)
    return np.asarray((hits - recall[truth]) / (support[truth] * (support > 0).sum()))


def of_macro_f1(truth: np.ndarray, predicted: np.ndarray, k: int) -> np.ndarray:
    """Of the mean F1 of the classes that occur in truth or answers.

    The F1 of a class is twice its hits over its size, the sum of how often it is and how often it is answered.
    """
    hits = truth == predicted
    size = np.bincount(truth, minlength=k) + np.bincount(predicted, minlength=k)
    f1 = 2 * np.bincount(truth[hits], minlength=k) / np.maximum(size, 1)
    own = (hits - f1[truth]) / size[truth] + (hits - f1[predicted]) / size[predicted]
    return np.asarray(own / (size > 0).sum())


def of_ece(truth: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Of the expected calibration error, its bins taken as given; `probabilities` (n, k)."""
    confidence = np.asarray(probabilities, dtype=np.float64).max(axis=1)
    bins = bins_of(confidence)
    off = confidence - (probabilities.argmax(axis=1) == truth)
    off *= np.sign(np.bincount(bins, off))[bins]
    return np.asarray((off - off.mean()) / len(truth))

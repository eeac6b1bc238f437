"""Out-of-fold scores: what a model says of records it was not trained on, for every record once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from finegraft.models.novelty import Novelty

# (rows to learn from, rows to score) -> scores (len(rows to score), k)
LearnAndScore = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """What was found out of fold of the n training records, in their order.

    `scores` float (n, k), `truth` as the target encodes it, `groups` what belongs together. `novelty` is the measure
    of what is unlike the training data and `novel` float64 (n,) what it says of each record from the other folds; both
    None where too few records tell.
    """

    scores: np.ndarray
    truth: np.ndarray
    groups: Sequence[str]
    novelty: Novelty | None = None
    novel: np.ndarray | None = None


def out_of_fold(folds: np.ndarray, learn_and_score: LearnAndScore) -> np.ndarray:
    """Scores (n, k): row i comes from a model trained on the records of all folds but that of record i.

    `folds` int (n,) holds fold numbers; copies must share one (`finegraft.data.splits.folds`).
    """
    scores: np.ndarray | None = None
    for fold in np.unique(folds):
        held_out = np.flatnonzero(folds == fold)
        part = learn_and_score(np.flatnonzero(folds != fold), held_out)
        if scores is None:
            scores = np.empty((len(folds), part.shape[1]), part.dtype)
        scores[held_out] = part
    if scores is None:
        raise ValueError("Out-of-fold scores need at least one fold, got none.")
    return scores

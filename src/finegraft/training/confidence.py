"""How sure a model may be, learned from out-of-fold scores of the training part alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from finegraft.data.splits import folds
from finegraft.models.heads import HeadKind
from finegraft.training.folds import OutOfFold, out_of_fold
from finegraft.training.novelty import novelty
from finegraft.training.recipe import Fit, Recipe, Table, scores_of
from finegraft.training.span import train_in_span
from finegraft.training.tasks import AnyCalibration

FOLDS = 5
FEWEST_GROUPS = 3  # of records: by fewer nothing can be measured
WANTED_ERROR = 0.05  # how often answers that are not called unsure may be wrong


def calibrate(
    recipe: Recipe,
    kind: HeadKind,
    fits: Sequence[Fit],
    train: Table,
    groups: Sequence[str],
    seed: int,
    wanted_error: float = WANTED_ERROR,
) -> AnyCalibration:
    """Train one head for each of five folds just as the real one was, and learn from what they say of the rest.

    `groups` say what stays together: copies share a fold. Of the answers that are not called close calls at most
    `wanted_error` are wrong out of fold. With fewer than three groups nothing
    can be measured so: the temperature is 1, and every answer counts as unsure.
    """
    truth, task = train.truth.cpu().numpy(), recipe.task
    distinct = len(set(groups))
    if distinct < FEWEST_GROUPS:
        return task.unknown(truth, recipe.classes, groups)

    def learn_and_score(learn: np.ndarray, rest: np.ndarray) -> np.ndarray:
        part = train.rows(learn)
        network = recipe.fresh(kind, part)
        train_in_span(recipe, network, part, fits)
        return scores_of(network, train.rows(rest))

    kinds = task.strata(truth)
    fold_of = folds(kinds, groups, min(FOLDS, distinct), seed)
    scores = out_of_fold(fold_of, learn_and_score)
    known, novel = novelty(train, scores, fold_of, seed, kinds, task.doubts_by_score) or (None, None)
    return task.calibration(OutOfFold(scores, truth, groups, known, novel), wanted_error)

"""How sure a model may be, learned from out-of-fold scores of the training part alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finegraft.data.splits import folds
from finegraft.evaluation.calibration import fit_temperature, unsure_below
from finegraft.models.heads import HeadKind
from finegraft.models.novelty import Novelty
from finegraft.targets import softmax
from finegraft.training.folds import out_of_fold
from finegraft.training.novelty import novelty
from finegraft.training.recipe import Fit, Recipe, Table, scores_of

FOLDS = 5
WANTED_ERROR = 0.05  # how often answers that are not called unsure may be wrong


@dataclass(frozen=True)
class Calibration:
    """The temperature that makes probabilities honest, and when an answer is unsure.

    It is below the probability `unsure_below`, and where `novelty` finds an item unlike the training data. Of the n
    training records, in their order: `probabilities` float64 (n, k) are the calibrated out-of-fold answers, `novel`
    float64 (n,) says how novel each is to the other folds, None where too few records tell.
    """

    temperature: float
    unsure_below: float
    probabilities: np.ndarray
    novelty: Novelty | None = None
    novel: np.ndarray | None = None


def calibrate(
    recipe: Recipe,
    kind: HeadKind,
    fits: Sequence[Fit],
    train: Table,
    groups: Sequence[str],
    seed: int,
    wanted_error: float = WANTED_ERROR,
) -> Calibration:
    """Train one head for each of five folds just as the real one was, and learn from what they say of the rest.

    `groups` say what stays together: copies share a fold. Of the answers that are not called close calls at most
    `wanted_error` are wrong out of fold. With fewer than three groups nothing
    can be measured so: the temperature is 1, and every answer counts as unsure.
    """
    truth = train.truth.cpu().numpy()
    distinct = len(set(groups))
    if distinct < 3:
        return Calibration(1.0, 1.0, np.full((len(truth), recipe.classes), 1 / recipe.classes))

    def learn_and_score(learn: np.ndarray, rest: np.ndarray) -> np.ndarray:
        part = train.rows(learn)
        network = recipe.fresh(kind, part)
        for fit in fits:
            recipe.train(network, part, fit)
        return scores_of(network, train.rows(rest))

    fold_of = folds(truth, groups, min(FOLDS, distinct), seed)
    scores = out_of_fold(fold_of, learn_and_score)
    # Every record counts the same here, also where the recipe weighs the classes: so probabilities mean what they say
    # for a mix of classes like this one. A weighted fit hangs on the few records of the rarest class and loses that.
    temperature = fit_temperature(scores, truth)
    probabilities = softmax(scores, temperature)
    threshold = unsure_below(probabilities, truth, wanted_error)
    return Calibration(temperature, threshold, probabilities, *(novelty(train, scores, fold_of, seed) or (None, None)))

"""How sure a model may be, learned from out-of-fold scores of the training part alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finegraft.data.splits import folds
from finegraft.evaluation import metrics
from finegraft.evaluation.calibration import fit_temperature, reliability, risk_coverage, unsure_below
from finegraft.models.heads import HeadKind
from finegraft.models.novelty import Novelty
from finegraft.targets import softmax
from finegraft.training.folds import out_of_fold
from finegraft.training.novelty import novelty
from finegraft.training.recipe import Fit, Recipe, Table, scores_of
from finegraft.training.span import train_in_span

FOLDS = 5
WANTED_ERROR = 0.05  # how often answers that are not called unsure may be wrong
_POINTS = 100  # of a curve in JSON: more than a picture shows


@dataclass(frozen=True)
class Calibration:
    """The temperature that makes probabilities honest, and when an answer is unsure.

    It is below the probability `unsure_below`, and where `novelty` finds an item unlike the training data. Of the n
    training records, in their order: `truth` int64 (n,) their class numbers, `probabilities` float64 (n, k) the
    calibrated out-of-fold answers, `groups` what belongs together, `novel` float64 (n,) how novel each is to the other
    folds, None where too few records tell.
    """

    temperature: float
    unsure_below: float
    truth: np.ndarray
    probabilities: np.ndarray
    groups: Sequence[str]
    novelty: Novelty | None = None
    novel: np.ndarray | None = None

    def to_json(self) -> dict[str, Any]:
        """The key `calibration` of run.json: what the out-of-fold answers say, the curve at 100 points at most."""
        found = metrics.of_categories(self.truth, self.probabilities, self.groups)
        bins = reliability(self.probabilities, self.truth)
        coverage, error = risk_coverage(self.probabilities, self.truth)
        at = np.unique(np.linspace(0, len(coverage) - 1, _POINTS).round().astype(int))
        return {
            "temperature": self.temperature,
            "out_of_fold": {
                "accuracy": found["accuracy"].to_json(),
                "ece": found["ece"].to_json(),
                "reliability": {
                    "count": bins.count.tolist(),
                    "right": bins.right.tolist(),
                    "confidence": bins.confidence.tolist(),
                },
                "risk_coverage": {"coverage": coverage[at].tolist(), "error": error[at].tolist()},
                "close_calls": float((self.probabilities.max(axis=1) < self.unsure_below).mean()),
                "unlike_training": None if self.novel is None else float((self.novel > 1).mean()),
            },
        }


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
        nothing = np.full((len(truth), recipe.classes), 1 / recipe.classes)
        return Calibration(1.0, 1.0, truth, nothing, groups)

    def learn_and_score(learn: np.ndarray, rest: np.ndarray) -> np.ndarray:
        part = train.rows(learn)
        network = recipe.fresh(kind, part)
        train_in_span(recipe, network, part, fits)
        return scores_of(network, train.rows(rest))

    fold_of = folds(truth, groups, min(FOLDS, distinct), seed)
    scores = out_of_fold(fold_of, learn_and_score)
    # Every record counts the same here, also where the recipe weighs the classes: so probabilities mean what they say
    # for a mix of classes like this one. A weighted fit hangs on the few records of the rarest class and loses that.
    temperature = fit_temperature(scores, truth)
    probabilities = softmax(scores, temperature)
    threshold = unsure_below(probabilities, truth, wanted_error)
    known, novel = novelty(train, scores, fold_of, seed) or (None, None)
    return Calibration(temperature, threshold, truth, probabilities, groups, known, novel)

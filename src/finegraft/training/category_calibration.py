"""How sure an answer with one class may be: the temperature and the threshold, from out-of-fold scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finegraft.evaluation import metrics
from finegraft.evaluation.calibration import fit_temperature, reliability, risk_coverage, unsure_below
from finegraft.inference.predictor import Certainty
from finegraft.models.novelty import Novelty
from finegraft.targets import softmax
from finegraft.training.folds import OutOfFold

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

    @classmethod
    def of(cls, found: OutOfFold, wanted_error: float) -> Calibration:
        """What the out-of-fold scores say. Of answers that are no close calls at most `wanted_error` are wrong."""
        # Every record counts the same here, also where the recipe weighs the classes: so probabilities mean what they
        # say for a mix of classes like this one. A weighted fit hangs on the few records of the rarest class and loses
        # that.
        temperature = fit_temperature(found.scores, found.truth)
        probabilities = softmax(found.scores, temperature)
        threshold = unsure_below(probabilities, found.truth, wanted_error)
        return cls(temperature, threshold, found.truth, probabilities, found.groups, found.novelty, found.novel)

    @classmethod
    def unknown(cls, truth: np.ndarray, classes: int, groups: Sequence[str]) -> Calibration:
        """Where nothing could be measured: scores as they are, and every answer unsure."""
        return cls(1.0, 1.0, truth, np.full((len(truth), classes), 1 / classes), groups)

    @property
    def certainty(self) -> Certainty:
        """What a predictor needs of it."""
        return {"temperature": self.temperature, "unsure_below": self.unsure_below}

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

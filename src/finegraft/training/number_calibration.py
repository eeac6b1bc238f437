"""How far an answered number may be off: the interval around it, from out-of-fold scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finegraft.evaluation.clusters import Clusters
from finegraft.evaluation.conformal import LEVEL, half_width
from finegraft.evaluation.number_metrics import headline
from finegraft.evaluation.spread import centre_and_spread
from finegraft.inference.predictor import Certainty
from finegraft.models.novelty import Novelty
from finegraft.training.folds import OutOfFold


@dataclass(frozen=True)
class NumberCalibration:
    """The interval around every answer: so far to either side, None where too few records tell.

    An answer is unsure where `novelty` finds an item unlike the training data. Of the n training records, in their
    order: `truth` float64 (n,), `predicted` float64 (n,) out of fold, `groups` what belongs together, `novel` float64
    (n,) or None.
    """

    half_width: float | None
    truth: np.ndarray
    predicted: np.ndarray
    groups: Sequence[str]
    novelty: Novelty | None = None
    novel: np.ndarray | None = None

    @classmethod
    def of(cls, found: OutOfFold, wanted_error: float) -> NumberCalibration:  # noqa: ARG003 - as the others have it
        """What the out-of-fold scores say."""
        predicted = found.scores[:, 0].astype(np.float64)
        width = half_width(predicted - found.truth, found.groups)
        return cls(width, found.truth, predicted, found.groups, found.novelty, found.novel)

    @classmethod
    def unknown(cls, truth: np.ndarray, outputs: int, groups: Sequence[str]) -> NumberCalibration:  # noqa: ARG003
        """Where nothing could be measured: no interval. The mean stands for the answers."""
        return cls(None, truth, np.full(len(truth), truth.mean()), groups)

    @property
    def certainty(self) -> Certainty:
        """What a predictor needs of it."""
        return {"half_width": self.half_width, "spread": centre_and_spread(self.truth)[1]}

    def to_json(self) -> dict[str, Any]:
        """The key `calibration` of run.json: what the out-of-fold answers say."""
        found = headline(self.truth, self.predicted, Clusters.of(self.groups))
        return {
            "half_width": self.half_width,
            "level": LEVEL,
            "out_of_fold": {
                **{name: metric.to_json() for name, metric in found.items()},
                "unlike_training": None if self.novel is None else float((self.novel > 1).mean()),
            },
        }

"""How sure an answer with several tags may be: slopes, thresholds and close calls, from out-of-fold scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finegraft.evaluation import tag_thresholds
from finegraft.evaluation.calibration import sure_from
from finegraft.evaluation.clusters import Clusters
from finegraft.evaluation.platt import fit_each
from finegraft.evaluation.tag_metrics import headline
from finegraft.inference.predictor import Certainty
from finegraft.models.novelty import Novelty
from finegraft.training.folds import OutOfFold


@dataclass(frozen=True)
class TagCalibration:
    """What makes probabilities honest, from where on each tag is answered, and when that is unsure.

    `platt` float64 (k, 2) holds the slope and the shift of every tag's score. The tag in column i is answered at or
    above `thresholds[i]`. An answer is unsure where any tag lies nearer to its threshold than `unsure_below`
    (`tag_thresholds.certainty`), and where `novelty` finds an item unlike the training data. Of the n training records,
    in their order: `truth` 0 or 1 (n, k), `probabilities` float64 (n, k) the calibrated out-of-fold answers, `groups`
    what belongs together, `novel` float64 (n,) or None.
    """

    platt: np.ndarray
    thresholds: np.ndarray
    unsure_below: float
    truth: np.ndarray
    probabilities: np.ndarray
    groups: Sequence[str]
    novelty: Novelty | None = None
    novel: np.ndarray | None = None

    @classmethod
    def of(cls, found: OutOfFold, wanted_error: float) -> TagCalibration:
        """What the out-of-fold scores say. Of answers that are no close calls at most `wanted_error` have any tag
        wrong.
        """
        truth = found.truth.astype(np.int64)
        platt = fit_each(found.scores, truth)
        probabilities = tag_thresholds.probabilities_of(found.scores, platt)
        cuts = tag_thresholds.thresholds(probabilities, truth)
        wrong = ((probabilities >= cuts) != truth).any(axis=1)
        unsure = sure_from(tag_thresholds.certainty(probabilities, cuts), wrong, wanted_error)
        return cls(platt, cuts, unsure, truth, probabilities, found.groups, found.novelty, found.novel)

    @classmethod
    def unknown(cls, truth: np.ndarray, tags: int, groups: Sequence[str]) -> TagCalibration:
        """Where nothing could be measured: scores as they are, thresholds of 0.5, and every answer unsure."""
        half = np.full(tags, tag_thresholds.PLAIN)
        plain = np.tile([1.0, 0.0], (tags, 1))
        return cls(plain, half, 1.0, truth.astype(np.int64), np.full((len(truth), tags), tag_thresholds.PLAIN), groups)

    @property
    def certainty(self) -> Certainty:
        """What a predictor needs of it."""
        return {
            "unsure_below": self.unsure_below,
            "thresholds": tuple(self.thresholds.tolist()),
            "platt": tuple((slope, shift) for slope, shift in self.platt.tolist()),
        }

    def to_json(self) -> dict[str, Any]:
        """The key `calibration` of run.json: what the out-of-fold answers say."""
        answered = (self.probabilities >= self.thresholds).astype(np.int64)
        found = headline(self.truth, self.probabilities, answered, Clusters.of(self.groups))
        sure = tag_thresholds.certainty(self.probabilities, self.thresholds) >= self.unsure_below
        return {
            "platt": self.platt.tolist(),
            "thresholds": self.thresholds.tolist(),
            "out_of_fold": {
                **{name: found[name].to_json() for name in ("micro_f1", "exact_match", "hamming_loss")},
                "close_calls": float(1 - sure.mean()),
                "unlike_training": None if self.novel is None else float((self.novel > 1).mean()),
            },
        }

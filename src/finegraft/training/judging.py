"""Scores of judged records as an evaluation: what the calibration has learned turns them into answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from finegraft.evaluation.kinds import AnyEvaluation
from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.tag_thresholds import probabilities_of
from finegraft.evaluation.tags import TagsEvaluation
from finegraft.targets import Category, Number, Tags, Target, softmax
from finegraft.training.category_calibration import Calibration
from finegraft.training.tag_calibration import TagCalibration
from finegraft.training.tasks import AnyCalibration


@dataclass(frozen=True, eq=False)
class Judged:
    """The n judged records: `truth` as the target encodes it, `scores` (n, k); the others as in `Evaluation`."""

    keys: tuple[str, ...]
    truth: np.ndarray
    scores: np.ndarray
    groups: tuple[str, ...]
    traits: Mapping[str, np.ndarray]
    novelty: np.ndarray | None
    looks: int


def evaluation(target: Target, calibration: AnyCalibration, judged: Judged) -> AnyEvaluation:
    """The evaluation of `judged`; `calibration` is one of the same target."""
    if isinstance(target, Category) and isinstance(calibration, Calibration):
        return Evaluation(
            judged.keys,
            target,
            judged.truth,
            softmax(judged.scores, calibration.temperature),
            judged.groups,
            judged.traits,
            judged.novelty,
            judged.looks,
        )
    if isinstance(target, Tags) and isinstance(calibration, TagCalibration):
        probabilities = probabilities_of(judged.scores, calibration.platt)
        return TagsEvaluation(
            judged.keys, target, judged.truth.astype(np.int64), probabilities, calibration.thresholds, judged.groups
        )
    if isinstance(target, Number):
        return NumberEvaluation(
            judged.keys, target, judged.truth, judged.scores[:, 0].astype(np.float64), judged.groups
        )
    raise TypeError(f"A {type(calibration).__name__} says nothing of a {type(target).__name__}.")

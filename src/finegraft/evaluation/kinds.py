"""The kinds of evaluation, one for each kind of target."""

from __future__ import annotations

from pathlib import Path

from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.tags import TagsEvaluation
from finegraft.targets import Category, Tags, Target

AnyEvaluation = Evaluation | TagsEvaluation | NumberEvaluation


def load(path: Path, target: Target) -> AnyEvaluation:
    """The evaluation that its `save` wrote to `path`. Raises what the `load` of its kind raises."""
    if isinstance(target, Category):
        return Evaluation.load(path, target)
    return TagsEvaluation.load(path, target) if isinstance(target, Tags) else NumberEvaluation.load(path, target)

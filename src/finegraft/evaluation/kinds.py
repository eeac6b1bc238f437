"""The kinds of evaluation, one for each kind of target."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from finegraft.errors import UsageError
from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.tags import THRESHOLD, TagsEvaluation
from finegraft.targets import Category, Number, Tags, Target

AnyEvaluation = Evaluation | TagsEvaluation | NumberEvaluation


def load(path: Path, target: Target, thresholds: Mapping[str, float] | None = None) -> AnyEvaluation:
    """The evaluation that its `save` wrote to `path`.

    `thresholds` says from which probability on each tag is answered (default: 0.5), which the file does not hold.
    Raises what the `load` of its kind raises.
    """
    if isinstance(target, Category):
        return Evaluation.load(path, target)
    if isinstance(target, Number):
        return NumberEvaluation.load(path, target)
    known = thresholds or {}
    return TagsEvaluation.load(path, target, np.array([known.get(label, THRESHOLD) for label in target.labels]))


def metric_names(target: Target) -> tuple[str, ...]:
    """The metrics that an evaluation of `target` may have, the leading ones first."""
    if isinstance(target, Number):
        return ("mae", "rmse", "r2", "median_absolute_error", "mean_error")
    if isinstance(target, Tags):
        shares = [f"{mean}_{name}" for mean in ("micro", "macro") for name in ("f1", "precision", "recall")]
        return ("exact_match", *shares, "macro_auroc", "macro_average_precision", "hamming_loss")
    more = ("top_5_accuracy",) if len(target) > 5 else ("auroc", "average_precision") if len(target) == 2 else ()
    return ("accuracy", "error_rate", "macro_f1", "macro_recall", "ece", *more)


def check_metric(name: str, target: Target) -> None:
    """Raise `UsageError` unless `name` is a metric of `target`, with the nearest one that is."""
    names = metric_names(target)
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        meant = f"Did you mean {near[0]!r}? " if near else ""
        what = {"category": "classes", "tags": "tags", "number": "numbers"}[target.kind]
        raise UsageError(f"There is no metric {name!r} of {what}.", f"{meant}Known: {', '.join(names)}.")

"""A metric by name in place of the usual error: what the live table shows and log.jsonl keeps."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from torch import Tensor

from finegraft.evaluation import kinds
from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.tag_thresholds import sigmoid
from finegraft.evaluation.tags import TagsEvaluation
from finegraft.targets import Category, Tags, Target, softmax
from finegraft.training.tasks import Task


def measured_by(task: Task, target: Target, name: str | None) -> Task:
    """`task` with the metric `name` as its error; as it is for None.

    The metric is that of scores as they stand, before any temperature, every tag answered from a half on; nan where the
    records do not have it. Raises `UsageError` for a name that the target has no metric of.
    """
    if name is None:
        return task
    kinds.check_metric(name, target)

    def error(scores: Tensor, truth: Tensor) -> float:
        return _value(name, target, scores.cpu().numpy(), truth.cpu().numpy())

    return replace(task, error_name=name, error=error)


def _value(name: str, target: Target, scores: np.ndarray, truth: np.ndarray) -> float:
    keys = tuple(map(str, range(len(truth))))
    evaluation: kinds.AnyEvaluation
    if isinstance(target, Category):
        evaluation = Evaluation(keys, target, truth, softmax(scores))
    elif isinstance(target, Tags):
        evaluation = TagsEvaluation(keys, target, truth.astype(np.int64), sigmoid(scores))
    else:
        evaluation = NumberEvaluation(keys, target, truth, scores[:, 0].astype(np.float64))
    found = evaluation.metrics().get(name)
    return math.nan if found is None else found.value

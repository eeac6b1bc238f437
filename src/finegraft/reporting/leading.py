"""Which figure leads a report: accuracy, or where one class has far more records than another, macro recall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from finegraft.data.balance import lopsided
from finegraft.evaluation.metrics import Metric
from finegraft.evaluation.recalls import Recall, of_classes, rarest, weakest
from finegraft.evaluation.result import Evaluation
from finegraft.reporting import wording
from finegraft.reporting.markup import Child, Html, join, name
from finegraft.reporting.page import paragraph, term


@dataclass(frozen=True, slots=True)
class Leading:
    """The leading `metric`, its `word` ("right" or "found"), what its `range` holds, and the `guess`: what always
    naming the commonest class would give.
    """

    metric: Metric
    word: str
    range: str
    guess: float


def unbalanced(evaluation: Evaluation) -> bool:
    """Whether one class has four times the judged records of another or more (`finegraft.data.balance.LOPSIDED`)."""
    return lopsided(evaluation.per_class().support.tolist())


def leading(evaluation: Evaluation) -> Leading:
    """The figure that leads the report of `evaluation`."""
    if unbalanced(evaluation):
        guess = 1 / len(of_classes(evaluation))
        return Leading(evaluation.metrics()["macro_recall"], "found", "macro recall", guess)
    guess = float(np.bincount(evaluation.truth).max() / len(evaluation))
    return Leading(evaluation.accuracy, "right", "accuracy", guess)


def weakest_class(evaluation: Evaluation) -> Html:
    """A sentence on the class found least, and one on the rarest, where the classes are unbalanced."""
    if not unbalanced(evaluation):
        return Html("")
    weak, rare = weakest(evaluation), rarest(evaluation)
    words: list[Child] = ["Of ", name(weak.label), f", the weakest class, it found {_found(weak)}. "]
    if rare != weak:
        words += ["Of ", name(rare.label), f", the rarest, {_found(rare)}. "]
    return join(words)


def why(evaluation: Evaluation) -> list[Html]:
    """Why macro recall leads and what the accuracy is; nothing where accuracy leads."""
    if not unbalanced(evaluation):
        return []
    accuracy, f1, rare = evaluation.accuracy, evaluation.macro_f1, rarest(evaluation)
    words: list[Child] = [
        "What comes first is ",
        term("macro recall"),
        ": the share found of each class, averaged over ",
    ]
    words += [f"the classes. {_percent(accuracy)} are right in all, but rare classes hardly count in that: "]
    words += [name(rare.label), f" is {rare.judged:,} of the {len(evaluation):,} judged. Macro F1: {f1}."]
    return [paragraph(*words)]


def _found(recall: Recall) -> str:
    return f"{recall.found:,} of {recall.judged:,} ({wording.percent_range(recall.interval)})"


def _percent(metric: Metric) -> str:
    between = "" if metric.interval is None else f" ({wording.percent_range(metric.interval)})"
    return f"{wording.percent(metric.value)}{between}"

"""How much of each class was found: the weakest class and the rarest, which one number over all records hides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from finegraft.evaluation.estimates import share
from finegraft.evaluation.intervals import Interval, wilson
from finegraft.evaluation.result import Evaluation


@dataclass(frozen=True, slots=True)
class Recall:
    """Of the `judged` records of the class `label`, at least one, `found` were answered so.

    `effect` is how many times less they prove than records that stand alone (`finegraft.evaluation.clusters`).
    """

    label: str
    found: int
    judged: int
    effect: float = 1.0

    @property
    def value(self) -> float:
        """The share found, in 0..1."""
        return self.found / self.judged

    @property
    def interval(self) -> Interval:
        """Wilson's interval of `value`, by cluster where the records belong together."""
        return wilson(self.found / self.effect, self.judged / self.effect)


def of_classes(evaluation: Evaluation) -> tuple[Recall, ...]:
    """The classes that were judged, in the order of the labels."""
    matrix = evaluation.confusion_matrix()
    counts = zip(evaluation.labels, matrix.diagonal().tolist(), matrix.sum(axis=1).tolist(), strict=True)
    return tuple(
        Recall(label, found, judged, _effect(evaluation, number))
        for number, (label, found, judged) in enumerate(counts)
        if judged
    )


def _effect(evaluation: Evaluation, number: int) -> float:
    """The design effect of the recall of a class that was judged; 1 where every record stands alone."""
    if evaluation.clusters is None:
        return 1.0
    own = (evaluation.truth == number).astype(np.float64)
    return share(own * (evaluation.predicted == number), own).effect(evaluation.clusters)


def weakest(evaluation: Evaluation) -> Recall:
    """The class of the smallest share found; of equal ones the one with fewer records, which is the less certain."""
    return min(of_classes(evaluation), key=lambda recall: (recall.value, recall.judged, recall.label))


def rarest(evaluation: Evaluation) -> Recall:
    """The class with the fewest judged records."""
    return min(of_classes(evaluation), key=lambda recall: (recall.judged, recall.label))

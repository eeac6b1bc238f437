"""Two evaluations row by row: the records that both judged, in one order, with the classes in one order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from finegraft.errors import DataError
from finegraft.evaluation.result import Evaluation


def aligned(a: Evaluation, b: Evaluation) -> tuple[Evaluation, Evaluation]:
    """`a` and `b` on the records that both judged, in the order of `a`: row i of one is row i of the other.

    Records are the same where their keys are; the classes may stand in another order. Raises `DataError` where the two
    know different classes, share no record, or where a record has two truths.
    """
    b = _in_order_of(a, b)
    place = {key: row for row, key in enumerate(b.keys)}
    rows_a = np.array([row for row, key in enumerate(a.keys) if key in place], dtype=np.int64)
    if not len(rows_a):
        raise DataError(
            f"No record was judged by both: A judged {len(a):,}, B {len(b):,} others.",
            "Train both on the same data with the same --seed: then the same part is held out.",
        )
    rows_b = np.array([place[a.keys[row]] for row in rows_a.tolist()], dtype=np.int64)
    a, b = a.subset(rows_a), b.subset(rows_b)
    _one_truth(a, b)
    return a, b


def _in_order_of(a: Evaluation, b: Evaluation) -> Evaluation:
    """`b` with its classes in the order of those of `a`. Raises `DataError` where they are others."""
    if a.labels == b.labels:
        return b
    own = [(side, sorted(set(x.labels) - set(y.labels))) for side, x, y in (("A", a, b), ("B", b, a))]
    told = [f"only {side} knows {', '.join(names[:5])}{', …' * (len(names) > 5)}" for side, names in own if names]
    if told:
        raise DataError(
            f"The two tell different classes apart: {'; '.join(told)}.", "Compare runs that learned the same classes."
        )
    columns = np.array([b.labels.index(label) for label in a.labels])
    truth = np.argsort(columns)[b.truth]
    return replace(b, target=a.target, truth=truth, probabilities=b.probabilities[:, columns])


def _one_truth(a: Evaluation, b: Evaluation) -> None:
    """Raise `DataError` where a record is of another class in `b` than in `a`."""
    differ = np.flatnonzero(a.truth != b.truth)
    if len(differ):
        first = int(differ[0])
        labels = [side.labels[int(side.truth[first])] for side in (a, b)]
        more = f", and {len(differ) - 1:,} more differ" if len(differ) > 1 else ""
        raise DataError(
            f"{a.keys[first]!r} is {labels[0]!r} in A and {labels[1]!r} in B{more}.",
            "Both must be judged by the same labels: train the older run again on the data as it is now.",
        )

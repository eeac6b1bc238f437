"""Which answers two models give differently, record by record and class by class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from finegraft.evaluation.clusters import Clusters
from finegraft.evaluation.intervals import LEVEL
from finegraft.evaluation.paired import of_shares
from finegraft.evaluation.result import Evaluation

Kind = Literal["fixed", "broken", "still-wrong"]
_KINDS: dict[int, Kind] = {1: "fixed", -1: "broken", 0: "still-wrong"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What one of the two said, and how sure it was."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class Change:
    """A record of the class `label` that `a` and `b` answered differently.

    `kind` is "fixed" (only B is right), "broken" (only A is) or "still-wrong" (neither is). `surprise` says how far the
    two are apart, in 0..1: half the sum of the differences of all probabilities.
    """

    key: str
    label: str
    a: Answer
    b: Answer
    kind: Kind
    surprise: float

    def to_json(self) -> dict[str, Any]:
        """A row of `compare --json`."""
        a, b = ({"label": answer.label, "probability": answer.probability} for answer in (self.a, self.b))
        return {"key": self.key, "label": self.label, "a": a, "b": b, "change": self.kind, "surprise": self.surprise}


@dataclass(frozen=True, slots=True)
class ClassChange:
    """One class: of its `judged` records A found `found_a` and B `found_b`, only B `fixed` and only A `broken`.

    `real` says whether chance would hardly make the difference, looking at so many classes at once.
    """

    label: str
    judged: int
    found_a: int
    found_b: int
    fixed: int
    broken: int
    real: bool


def change_of(a: Evaluation, b: Evaluation) -> np.ndarray:
    """1 where only `b` is right, -1 where only `a` is, else 0: int64 (n,). Row i of both is one record."""
    right_a, right_b = (side.predicted == side.truth for side in (a, b))
    return np.asarray(right_b.astype(np.int64) - right_a)


def changes(a: Evaluation, b: Evaluation) -> tuple[Change, ...]:
    """The records answered differently, the most surprising first."""
    change = change_of(a, b)
    apart = np.abs(a.probabilities - b.probabilities).sum(axis=1) / 2
    rows = np.flatnonzero(a.predicted != b.predicted)
    return tuple(
        Change(
            a.keys[row], a.labels[a.truth[row]], _said(a, row), _said(b, row), _KINDS[change[row]], float(apart[row])
        )
        for row in rows[np.argsort(-apart[rows], kind="stable")].tolist()
    )


def by_class(a: Evaluation, b: Evaluation, clusters: Clusters | None = None) -> tuple[ClassChange, ...]:
    """Every class that was judged, in the order of the labels."""
    change, judged = change_of(a, b), np.unique(a.truth).tolist()
    return tuple(_of_class(a, b, change, number, clusters, len(judged)) for number in judged)


def _of_class(
    a: Evaluation, b: Evaluation, change: np.ndarray, number: int, clusters: Clusters | None, looked_at: int
) -> ClassChange:
    rows = a.truth == number
    found = of_shares(change[rows], None if clusters is None else clusters.rows(rows))
    return ClassChange(
        label=a.labels[number],
        judged=int(rows.sum()),
        found_a=int((a.predicted[rows] == number).sum()),
        found_b=int((b.predicted[rows] == number).sum()),
        fixed=int((change[rows] == 1).sum()),
        broken=int((change[rows] == -1).sum()),
        real=found.real and found.p * looked_at < 1 - LEVEL,  # Bonferroni: none of so many by chance
    )


def _said(side: Evaluation, row: int) -> Answer:
    answer = int(side.predicted[row])
    return Answer(side.labels[answer], float(side.probabilities[row, answer]))

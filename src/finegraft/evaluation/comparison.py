"""Two models on the same records: which is better, whether chance would do as much, and which answers changed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from finegraft.data.balance import lopsided
from finegraft.evaluation.alignment import aligned
from finegraft.evaluation.changes import Change, ClassChange, Kind, by_class, change_of, changes
from finegraft.evaluation.clusters import Clusters
from finegraft.evaluation.metrics import Metric, share
from finegraft.evaluation.paired import Difference, of_means, of_shares
from finegraft.evaluation.result import Evaluation


@dataclass(frozen=True, eq=False)
class Comparison:
    """The evaluations `a` and `b` on the records that both judged: row i of one is row i of the other.

    `only_a` and `only_b` count the records that one of them judged and the other did not. Made by `compare`.
    """

    a: Evaluation
    b: Evaluation
    only_a: int = 0
    only_b: int = 0

    def __len__(self) -> int:
        return len(self.a)

    @cached_property
    def accuracy(self) -> Difference:
        """By how much B's accuracy is above A's."""
        return of_shares(change_of(self.a, self.b), self._clusters)

    @cached_property
    def macro_recall(self) -> Difference:
        """By how much B's macro recall is above A's."""
        return of_means(change_of(self.a, self.b), self.a.truth, self._clusters)

    @property
    def leads(self) -> Literal["accuracy", "macro_recall"]:
        """The figure that decides: macro recall where one class has four times the records of another, as in reports.

        It depends on the records alone, not on the answers: looking at both and taking the better would find
        differences that are none.
        """
        return "macro_recall" if lopsided(np.bincount(self.a.truth).tolist()) else "accuracy"

    @property
    def leading(self) -> Difference:
        """The difference of the figure that decides."""
        return self.macro_recall if self.leads == "macro_recall" else self.accuracy

    @property
    def better(self) -> Literal["A", "B"] | None:
        """Which one is better, None where chance would make such a difference."""
        if not self.leading.real:
            return None
        return "B" if self.leading.value > 0 else "A"

    @property
    def verdict(self) -> str:
        """The outcome in words."""
        if self.better:
            return f"{self.better} is better"
        return "no clear difference" if self.changes else "the same answers"

    @property
    def agreement(self) -> Metric:
        """The share of records to which both gave the same answer, right or wrong, with Wilson's interval."""
        return share(self.a.predicted == self.b.predicted, self._clusters)

    @property
    def counts(self) -> dict[str, int]:
        """How many `both` have right, `only_a`, `only_b` and `neither`."""
        right_a, right_b = (side.predicted == side.truth for side in (self.a, self.b))
        cells = {
            "both": right_a & right_b,
            "only_a": right_a & ~right_b,
            "only_b": right_b & ~right_a,
            "neither": ~right_a & ~right_b,
        }
        return {name: int(rows.sum()) for name, rows in cells.items()}

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """The records answered differently, the most surprising first."""
        return changes(self.a, self.b)

    def of_kind(self, kind: Kind) -> tuple[Change, ...]:
        """The changes of one kind, the most surprising first."""
        return tuple(change for change in self.changes if change.kind == kind)

    def per_class(self) -> tuple[ClassChange, ...]:
        """Every class that was judged, in the order of the labels."""
        return by_class(self.a, self.b, self._clusters)

    @cached_property
    def _clusters(self) -> Clusters | None:
        return Clusters.of(self.a.groups or self.b.groups)

    def to_json(self) -> dict[str, Any]:
        """The numbers of `compare --json`; all values are plain JSON."""
        return {
            "verdict": self.verdict,
            "better": self.better,
            "leads": self.leads,
            "n_shared": len(self),
            "only_a": self.only_a,
            "only_b": self.only_b,
            "difference": {"accuracy": self.accuracy.to_json(), "macro_recall": self.macro_recall.to_json()},
            "agreement": self.agreement.to_json(),
            "right": self.counts,
            "rows": [change.to_json() for change in self.changes],
        }


def compare(a: Evaluation, b: Evaluation) -> Comparison:
    """`a` and `b` on the records that both judged. Raises `DataError` where they cannot be; see `alignment.aligned`."""
    both = aligned(a, b)
    shared = len(both[0])
    return Comparison(*both, len(a) - shared, len(b) - shared)

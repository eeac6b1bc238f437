"""Two models that answer with tags, or with numbers, judged on the same records: which is better, and by how much."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from finegraft.errors import DataError
from finegraft.evaluation import paired
from finegraft.evaluation.clusters import Clusters
from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.evaluation.paired import Difference
from finegraft.evaluation.tags import TagsEvaluation

E = TypeVar("E", TagsEvaluation, NumberEvaluation)


@dataclass(frozen=True, eq=False)
class Versus:
    """`a` and `b` on the records that both judged, row by row, and the `difference` of the figure that decides.

    `leads` names it: "exact_match", the share with all tags right, or "mae", how far numbers are off on average.
    """

    a: TagsEvaluation | NumberEvaluation
    b: TagsEvaluation | NumberEvaluation
    leads: str
    difference: Difference

    def __len__(self) -> int:
        return len(self.a)

    @property
    def better(self) -> str | None:
        """ "A", "B", or None where chance may have made the difference."""
        if not self.difference.real:
            return None
        return "B" if (self.difference.value > 0) == (self.leads == "exact_match") else "A"

    @property
    def verdict(self) -> str:
        """The outcome in words."""
        return f"{self.better} is better" if self.better else "no clear difference"

    def figure(self, side: TagsEvaluation | NumberEvaluation) -> dict[str, Any]:
        """The figure that decides, of one of the two, by its name."""
        return {self.leads: side.metrics()[self.leads].to_json()}

    def to_json(self) -> dict[str, Any]:
        """For `compare --json`."""
        return {
            "verdict": self.verdict,
            "better": self.better,
            "leads": self.leads,
            "n_shared": len(self),
            "difference": {self.leads: self.difference.to_json()},
        }


def of_tags(a: TagsEvaluation, b: TagsEvaluation, left_out: Collection[str] = ()) -> Versus:
    """By which records have all tags right in one only. Raises `DataError` as `shared` does, and for other tags."""
    if a.labels != b.labels:
        raise DataError("The two answer with different tags.", "Compare runs that learned the same tags.")
    a, b = shared(a, b, left_out)
    right_a, right_b = ((side.truth == side.answered).all(axis=1).astype(np.int64) for side in (a, b))
    return Versus(a, b, "exact_match", paired.of_shares(right_b - right_a, Clusters.of(a.groups)))


def of_numbers(a: NumberEvaluation, b: NumberEvaluation, left_out: Collection[str] = ()) -> Versus:
    """By how much further off each answer of one is than that of the other. Raises `DataError` as `shared` does."""
    a, b = shared(a, b, left_out)
    change = np.abs(b.residuals) - np.abs(a.residuals)
    return Versus(a, b, "mae", paired.of_distances(change, Clusters.of(a.groups)))


def shared(a: E, b: E, left_out: Collection[str] = ()) -> tuple[E, E]:
    """Both on the records that both judged, but for those `left_out`, in the order of `a`.

    Raises `DataError` where there are none, and where a record has two truths.
    """
    place = {key: row for row, key in enumerate(b.keys)}
    dropped = set(left_out)
    keys = [key for key in a.keys if key in place and key not in dropped]
    if not keys:
        raise DataError(
            f"There is nothing to compare: no photo was judged by both runs and learned from by neither. A judged "
            f"{len(a):,}, B {len(b):,}.",
            "Train both on the same data with the same --seed: then the same photos are held out.",
        )
    own = {key: row for row, key in enumerate(a.keys)}
    a = a.subset(np.array([own[key] for key in keys], dtype=np.int64))
    b = b.subset(np.array([place[key] for key in keys], dtype=np.int64))
    differ = np.flatnonzero((a.truth != b.truth).reshape(len(keys), -1).any(axis=1))
    if len(differ):
        raise DataError(
            f"{keys[int(differ[0])]!r} has another label in A than in B.",
            "Both must be judged by the same labels: train the older run again on the data as it is now.",
        )
    return a, b

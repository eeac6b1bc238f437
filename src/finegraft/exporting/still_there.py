"""The photos a run was judged on, as far as they are there and as they were: what an export is asked about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from finegraft.data.contents import digest_of, read_content
from finegraft.data.record import Record
from finegraft.errors import UnreadableFile
from finegraft.evaluation.kinds import AnyEvaluation
from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.evaluation.run import Run


@dataclass(frozen=True, eq=False)
class StillThere:
    """`evaluation` holds what the run's training answered for the files at `paths`, None where none of them is left;
    `missing` judged files are gone or changed.
    """

    evaluation: AnyEvaluation | None
    paths: tuple[Path, ...]
    missing: int

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def keys(self) -> tuple[str, ...]:
        """What the run calls them."""
        return () if self.evaluation is None else self.evaluation.keys

    @property
    def values(self) -> np.ndarray:
        """The probabilities that were answered, float64 (n, k), or the numbers, (n, 1)."""
        if self.evaluation is None:
            return np.empty((0, 1))
        return values_of(self.evaluation)

    def at_most(self, count: int) -> StillThere:
        """At most `count` of them, from all over."""
        if self.evaluation is None or len(self) <= count:
            return self
        kept = _from_all_over(len(self), count)
        return StillThere(self.evaluation.subset(kept), tuple(self.paths[row] for row in kept.tolist()), self.missing)

    def answered(self, values: np.ndarray) -> AnyEvaluation:
        """The evaluation of these `values`, shaped as `self.values`, in place of those of the training."""
        assert self.evaluation is not None
        if isinstance(self.evaluation, NumberEvaluation):
            return replace(self.evaluation, predicted=values[:, 0])
        return replace(self.evaluation, probabilities=values)


def judged(run: Run) -> StillThere:
    """Those of `run`."""
    evaluation, data = run.evaluation(), run.dataset()
    known = {record.key: record for record in data.records}
    there = [row for row, key in enumerate(evaluation.keys) if is_still(data.root, known[key])]
    paths = tuple(data.root / evaluation.keys[row] for row in there)
    kept = evaluation.subset(np.array(there, np.int64)) if there else None
    return StillThere(kept, paths, len(evaluation) - len(there))


def learned_from(run: Run, count: int) -> list[Path]:
    """At most `count` of the files that `run` learned from, from all over them, and still there."""
    data = run.dataset()
    records = list(data.part("train"))
    some = [records[row] for row in _from_all_over(len(records), count).tolist()]
    return [data.root / record.key for record in _still(data.root, some)]


def _from_all_over(n: int, count: int) -> np.ndarray:
    """At most `count` of the numbers below `n`, evenly spread: int64, ascending."""
    return np.unique(np.linspace(0, n - 1, min(n, count)).round().astype(np.int64))


def values_of(evaluation: AnyEvaluation) -> np.ndarray:
    """What was answered: probabilities float64 (n, k), or numbers (n, 1)."""
    if isinstance(evaluation, NumberEvaluation):
        return np.asarray(evaluation.predicted[:, None], np.float64)
    return np.asarray(evaluation.probabilities, np.float64)


def _still(root: Path, records: Iterable[Record]) -> list[Record]:
    return [record for record in records if is_still(root, record)]


def is_still(root: Path, record: Record) -> bool:
    """Whether the file of `record` holds what it held."""
    try:
        return digest_of(read_content(root / record.key)) == record.digest
    except UnreadableFile:
        return False

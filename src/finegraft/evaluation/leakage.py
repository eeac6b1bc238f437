"""What a given split flatters: judged records of which a copy, or one of their group, was learned from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from finegraft.data.dataset import Dataset
from finegraft.evaluation.metrics import Metric
from finegraft.evaluation.result import Evaluation


@dataclass(frozen=True)
class Leakage:
    """`leaked` of the judged records were learned from too; `without` is the accuracy on the others, None for none.

    `optimism` is by how much the accuracy on all is above that, in 0..1; negative where it is below.
    """

    leaked: int
    without: Metric | None
    optimism: float | None

    def to_json(self) -> dict[str, Any]:
        """For run.json and `train --json`."""
        without = None if self.without is None else self.without.to_json()
        return {"records": self.leaked, "accuracy_without": without, "optimism": self.optimism}


def leakage(data: Dataset, evaluation: Evaluation) -> Leakage | None:
    """How the judged records of `data` hang together with those learned or chosen from; None where they do not.

    Our own held-out part never does: groups are held out as a whole.
    """
    judged = set(evaluation.keys)
    known = {record.together for record in data.usable if record.split is not None and record.key not in judged}
    leaked = {record.key for record in data.usable if record.key in judged and record.together in known}
    if not leaked:
        return None
    kept = without(evaluation, leaked)
    if kept is None:
        return Leakage(len(leaked), None, None)
    return Leakage(len(leaked), kept.accuracy, evaluation.accuracy.value - kept.accuracy.value)


def without(evaluation: Evaluation, keys: Iterable[str]) -> Evaluation | None:
    """The evaluation of the other records only; None where there are none."""
    dropped = set(keys)
    rows = np.array([at for at, key in enumerate(evaluation.keys) if key not in dropped], dtype=np.int64)
    if not len(rows):
        return None
    return evaluation.subset(rows)

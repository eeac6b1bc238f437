"""Which records are kept aside from what learns, so that something can be chosen by them: never the judged ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from finegraft.data.dataset import Dataset
from finegraft.data.record import Record, Split
from finegraft.data.splits import hold_out
from finegraft.training.recipe import Table


@dataclass(frozen=True)
class Examples:
    """Records and their truth, the targets of the loss (n, …)."""

    records: tuple[Record, ...]
    truth: Tensor

    def rows(self, which: np.ndarray) -> Examples:
        """Those of the rows `which`, int64 (m,)."""
        chosen = torch.from_numpy(which).to(self.truth.device)
        return Examples(tuple(self.records[row] for row in which.tolist()), self.truth[chosen])


@dataclass(frozen=True, eq=False)
class Ground:
    """Records to learn from and others kept aside, with the tables of their features on the frozen backbone."""

    learn: Examples
    aside: Examples
    learned: Table
    asked: Table

    @property
    def groups(self) -> list[str]:
        """Which of those kept aside belong together."""
        return [record.together for record in self.aside.records]


def divided(data: Dataset, tables: Mapping[Split, Table], part: float, seed: int) -> Ground:
    """The validation part kept aside where another one gives the headline, else about `part` of the training part.

    `tables` are those of all parts but the judged one. Raises `DataError` where nothing can be kept aside.
    """
    records, table = data.part("train"), tables["train"]
    learn = Examples(records, table.truth)
    if data.judged_on == "test" and "validation" in data.given_splits:
        asked = tables["validation"]
        return Ground(learn, Examples(data.part("validation"), asked.truth), table, asked)
    kept = hold_out(records, part, seed)
    aside = np.array([record.key in kept for record in records])
    inner, outer = np.flatnonzero(~aside), np.flatnonzero(aside)
    return Ground(learn.rows(inner), learn.rows(outer), table.rows(inner), table.rows(outer))

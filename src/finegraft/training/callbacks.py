"""Callbacks: any object with some of these methods; the loop calls those it has, in the order given.

on_fit_start(state)    before the first epoch
on_batch_end(state)    after every optimizer step
on_epoch_end(state)    after every epoch; `state.row` holds its figures
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import nn


@dataclass(frozen=True, slots=True)
class EpochRow:
    """One epoch: losses are means over records, `valid_loss` and `error_rate` None where nothing is watched.

    `seconds` is the time of this epoch alone. `epoch` counts from 1.
    """

    epoch: int
    train_loss: float
    valid_loss: float | None
    error_rate: float | None
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """One line of `log.jsonl`."""
        return asdict(self)


@dataclass(slots=True)
class State:
    """What a callback may look at; `row` is that of the last finished epoch."""

    network: nn.Module
    epochs: int
    batches: int
    batch: int = 0
    row: EpochRow | None = None


@dataclass
class History:
    """Keeps the row of every epoch."""

    rows: list[EpochRow] = field(default_factory=list)

    def on_epoch_end(self, state: State) -> None:
        """Append the row."""
        if state.row is not None:
            self.rows.append(state.row)


def notify(callbacks: Iterable[object], event: str, state: State) -> None:
    """Call the method `event` of every callback that has one."""
    for callback in callbacks:
        if (method := getattr(callback, event, None)) is not None:
            method(state)

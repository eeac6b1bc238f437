"""Callbacks: any object with some of these methods; the loop calls those it has, in the order given.

on_fit_start(state)    before the first epoch
on_batch_end(state)    after every optimizer step
on_epoch_end(state)    after every epoch; `state.row` holds its figures
on_fit_end(state)      at the end, also of a training that was stopped

A callback that sets `state.stop` ends the training after the step or epoch it was called for; one that lowers
`state.epochs` lets it end sooner, with the schedule drawn together.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import Tensor, nn


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
    """What a callback may look at.

    `row` is that of the last finished epoch. `loss` is the mean training loss of the epoch so far, as last read: after
    every step on a processor, every 50 on a card. `rate` is the schedule's at the last step, that of a scale of 1.
    """

    network: nn.Module
    epochs: int
    batches: int
    batch: int = 0
    row: EpochRow | None = None
    stop: bool = False
    loss: float = math.nan
    rate: float = math.nan


@dataclass
class History:
    """Keeps the row of every epoch."""

    rows: list[EpochRow] = field(default_factory=list)

    def on_epoch_end(self, state: State) -> None:
        """Append the row."""
        if state.row is not None:
            self.rows.append(state.row)


@dataclass
class KeepBest:
    """Keeps the weights of the epoch with the lowest `valid_loss`, and gives them back to the network at the end.

    `epoch` is that epoch, counted from 1; None where nothing was watched, and the last weights stay.
    """

    epoch: int | None = None
    loss: float = math.inf
    _weights: dict[str, Tensor] = field(default_factory=dict, repr=False)

    def on_fit_start(self, state: State) -> None:  # noqa: ARG002
        """Forget an earlier training."""
        self.epoch, self.loss = None, math.inf
        self._weights.clear()

    def on_epoch_end(self, state: State) -> None:
        """Keep a copy of the weights where this epoch is the best so far."""
        row = state.row
        if row is not None and row.valid_loss is not None and row.valid_loss < self.loss:
            self.epoch, self.loss = row.epoch, row.valid_loss
            self._weights = {name: value.detach().clone() for name, value in state.network.state_dict().items()}

    def on_fit_end(self, state: State) -> None:
        """Put the best weights back."""
        if self._weights:
            state.network.load_state_dict(self._weights)
            self._weights.clear()


@dataclass
class Deadline:
    """Shortens a training that is slower than was planned, so that it ends in `seconds` from when this was made.

    After every epoch as many more are allowed as fit by that one's time. The schedule is squeezed into what is left:
    it still comes to its end, which for one cycle is where most is gained.
    """

    seconds: float
    _started: float = field(default_factory=time.monotonic, repr=False)

    @property
    def left(self) -> float:
        """Seconds until then."""
        return self.seconds - (time.monotonic() - self._started)

    def on_epoch_end(self, state: State) -> None:
        """Take back the epochs that would end too late."""
        if state.row is None:
            return
        fitting = max(0, int(self.left / max(state.row.seconds, 1e-9)))
        state.epochs = min(state.epochs, state.row.epoch + fitting)


def notify(callbacks: Iterable[object], event: str, state: State) -> None:
    """Call the method `event` of every callback that has one."""
    for callback in callbacks:
        if (method := getattr(callback, event, None)) is not None:
            method(state)

"""Callbacks: any object with some of these methods; the loop calls those it has, in the order given.

on_fit_start(state)    before the first epoch
on_batch_end(state)    after every optimizer step
on_epoch_end(state)    after every epoch; `state.row` holds its figures
on_fit_end(state)      at the end, also of a training that was stopped

A callback that sets `state.stop` ends the training after the step or epoch it was called for; one that lowers
`state.epochs` lets it end sooner, with the schedule drawn together. One that goes by what is watched says so by the
attribute `chooses`: a learner refuses it where that is the part which gives the headline number.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from torch import Tensor, nn

from finegraft.errors import UsageError

# What of an epoch's row a callback may go by.
Value = Literal["valid_loss", "error_rate", "train_loss"]


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
    """Keeps the weights of the epoch with the lowest `value` (a field of its row), and gives them back at the end.

    With `highest` the highest is the best, for a metric of which more is better. `epoch` is the best one, counted from
    1, and `reached` its value; where nothing was watched `epoch` is None, and the last weights stay.
    """

    value: Value = "valid_loss"
    highest: bool = False
    epoch: int | None = field(default=None, init=False)
    reached: float = field(default=math.nan, init=False)
    _weights: dict[str, Tensor] = field(default_factory=dict, init=False, repr=False)

    @property
    def chooses(self) -> bool:
        """Whether it goes by what is watched, not by the training alone."""
        return self.value != "train_loss"

    def on_fit_start(self, state: State) -> None:  # noqa: ARG002
        """Forget an earlier training."""
        self.epoch, self.reached = None, math.nan
        self._weights.clear()

    def on_epoch_end(self, state: State) -> None:
        """Keep a copy of the weights where this epoch is the best so far."""
        found = _value_of(state, self.value)
        if state.row is not None and _is_better(found, self.reached, self.highest):
            self.epoch, self.reached = state.row.epoch, found
            self._weights = {name: value.detach().clone() for name, value in state.network.state_dict().items()}

    def on_fit_end(self, state: State) -> None:
        """Put the best weights back."""
        if self._weights:
            state.network.load_state_dict(self._weights)
            self._weights.clear()


@dataclass
class EarlyStop:
    """Ends the training once `value` (a field of the epoch's row) was no better than before for `patience` epochs.

    Better is lower by more than `least`; with `highest`, higher. This is for constant rates: a schedule that comes down
    at its end, as one cycle, gains most there, and is better given fewer epochs. Raises `UsageError` for less patience
    than 1, and where `value` is not watched.
    """

    patience: int
    value: Value = "valid_loss"
    highest: bool = False
    least: float = 0.0
    _best: float = field(default=math.nan, init=False, repr=False)
    _waited: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.patience < 1:
            raise UsageError(f"The patience must be at least one epoch, got {self.patience!r}.")

    @property
    def chooses(self) -> bool:
        """Whether it goes by what is watched, not by the training alone."""
        return self.value != "train_loss"

    def on_fit_start(self, state: State) -> None:  # noqa: ARG002
        """Forget an earlier training."""
        self._best, self._waited = math.nan, 0

    def on_epoch_end(self, state: State) -> None:
        """Count the epochs without a gain, and stop after the last one there is patience for."""
        if state.row is not None and getattr(state.row, self.value) is None:
            raise UsageError(f"There is no {self.value} to stop by: nothing is watched.", "Watch held-out records.")
        found = _value_of(state, self.value)
        if _is_better(found, self._best, self.highest, self.least):
            self._best, self._waited = found, 0
        else:
            self._waited += 1
            state.stop = state.stop or self._waited >= self.patience


def _value_of(state: State, name: Value) -> float:
    """That of the last row; nan where there is none."""
    value: float | None = None if state.row is None else getattr(state.row, name)
    return math.nan if value is None else value


def _is_better(value: float, best: float, highest: bool, least: float = 0.0) -> bool:
    """Whether `value` beats `best` by more than `least`; any number beats nan, and nan beats nothing."""
    if math.isnan(best):
        return not math.isnan(value)
    gain = value - best if highest else best - value
    return gain > least


@dataclass
class Deadline:
    """Shortens a training that is slower than was planned, so that it ends in `seconds` from when this was made.

    After every epoch as many more are allowed as fit by that one's time. The schedule is squeezed into what is left:
    it still comes to its end, which for one cycle is where most is gained. `each` says of so many epochs what each was
    planned to take, where they differ: by that one's time beside its own the others are foretold.
    """

    seconds: float
    each: Callable[[int], Sequence[float]] = lambda epochs: [1.0] * epochs
    _started: float = field(default_factory=time.monotonic, repr=False)

    @property
    def left(self) -> float:
        """Seconds until then."""
        return self.seconds - (time.monotonic() - self._started)

    def on_epoch_end(self, state: State) -> None:
        """Take back the epochs that would end too late."""
        if state.row is None:
            return
        done, left = state.row.epoch, self.left
        pace = max(state.row.seconds, 1e-9) / self.each(state.epochs)[done - 1]
        while state.epochs > done and pace * sum(self.each(state.epochs)[done:]) > left:
            state.epochs -= 1


def notify(callbacks: Iterable[object], event: str, state: State) -> None:
    """Call the method `event` of every callback that has one."""
    for callback in callbacks:
        if (method := getattr(callback, event, None)) is not None:
            method(state)


def must_not_choose(callbacks: Iterable[object], part: str) -> None:
    """Raise `UsageError` for a callback that goes by `part`, whose number would then be no honest one."""
    for callback in callbacks:
        if getattr(callback, "chooses", False):
            raise UsageError(
                f"{type(callback).__name__} would choose by the {part} part, which gives the headline number.",
                "Give a validation part too, or call unfreeze() first: it keeps records aside to watch by.",
            )

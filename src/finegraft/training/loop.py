"""The training loop, to be read from top to bottom."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from finegraft.errors import TrainingError
from finegraft.training.callbacks import EpochRow, State, notify
from finegraft.training.loaders import Feed
from finegraft.training.objective import Objective
from finegraft.training.optimizers import Optimizer, set_step
from finegraft.training.schedule import Schedule, Step

# Records in one forward pass when nothing is learned: 8,192 × 3,184 numbers are 104 MB.
_JUDGED_AT_ONCE = 8192
# Steps after which the loss is read from a card. Reading waits until the card has caught up, so not after each.
_LOOKED_AFTER = 50
# The network as it stands -> (mean loss, error rate) of records it does not learn from.
Watch = Callable[[nn.Module], tuple[float, float]]


def fit(
    network: nn.Module,
    batches: Feed,
    optimizer: Optimizer,
    objective: Objective,
    schedule: Schedule,
    epochs: int,
    watch: Watch | None = None,
    callbacks: Sequence[object] = (),
) -> None:
    """Train `network` in place for `epochs` passes over `batches`.

    `watch` is asked after every epoch; what it says goes into the epoch's row and nowhere else. The schedule sees the
    progress in steps, so a step's settings depend on how many there are in all, not on wall time.

    Every epoch begins with `network.train()`: a network of which some modules, frozen batch norms say, must stay in
    evaluation mode sees to it there. Raises `TrainingError` once the loss is not finite.
    """
    state = State(network, epochs, len(batches))
    step = Stepper(network, optimizer, objective)
    notify(callbacks, "on_fit_start", state)
    try:
        epoch = 0
        while epoch < state.epochs and not state.stop:
            _epoch(epoch, batches, step, schedule, watch, callbacks, state)
            epoch += 1
    finally:
        notify(callbacks, "on_fit_end", state)
        network.eval()


@dataclass(frozen=True)
class Stepper:
    """One step of training after another."""

    network: nn.Module
    optimizer: Optimizer
    objective: Objective

    def __call__(self, inputs: Any, truth: Tensor, settings: Step) -> Tensor:
        """Learn from one mini-batch by `settings`. Its mean loss, on its device: a card is not waited for."""
        set_step(self.optimizer, settings)
        loss = self.objective(self.network(inputs), truth)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss.detach()


def _epoch(
    epoch: int,
    batches: Feed,
    step: Stepper,
    schedule: Schedule,
    watch: Watch | None,
    callbacks: Sequence[object],
    state: State,
) -> None:
    """One pass over the records, and what is said of it."""
    network, started, seen = state.network, time.perf_counter(), 0
    total: Tensor | float = 0.0
    network.train()
    for number, (inputs, truth) in enumerate(batches.epoch(epoch)):
        settings = schedule((epoch * state.batches + number) / (state.epochs * state.batches))
        loss = step(inputs, truth, settings)
        here = loss.device.type == "cpu"
        total = total + (loss.item() if here else loss.double()) * len(truth)
        seen += len(truth)
        state.batch, state.rate = number + 1, settings.rate
        if here or state.batch % _LOOKED_AFTER == 0 or state.batch == state.batches:
            state.loss = float(total) / seen
            _check(state, epoch + 1)
        notify(callbacks, "on_batch_end", state)
        if state.stop:
            break
    valid_loss, error_rate = (None, None) if watch is None else watch(network)
    seconds = time.perf_counter() - started
    state.row = EpochRow(epoch + 1, float(total) / seen, valid_loss, error_rate, seconds)
    notify(callbacks, "on_epoch_end", state)


def _check(state: State, epoch: int) -> None:
    """Raise `TrainingError` where the mean loss of the epoch so far is not finite; no later step mends that."""
    if math.isfinite(state.loss):
        return
    raise TrainingError(
        f"The loss is no longer finite at epoch {epoch}, step {state.batch}, rate {state.rate:.2g}.",
        "Try a lower --lr; learner.find_lr() suggests one.",
    )


@torch.no_grad()
def scores_of(network: nn.Module, inputs: Tensor) -> Tensor:
    """The network's scores (n, k) in evaluation mode; its mode is left as it was."""
    was_training = network.training
    network.eval()
    try:
        return torch.cat([cast(Tensor, network(part)) for part in torch.split(inputs, _JUDGED_AT_ONCE)])
    finally:
        network.train(was_training)

"""The training loop, to be read from top to bottom."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from finegraft.training.callbacks import EpochRow, State, notify
from finegraft.training.loaders import Feed
from finegraft.training.objective import Objective
from finegraft.training.optimizers import Optimizer, set_step
from finegraft.training.schedule import Schedule

# Records in one forward pass when nothing is learned: 8,192 × 3,184 numbers are 104 MB.
_JUDGED_AT_ONCE = 8192
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
    """
    state = State(network, epochs, len(batches))
    notify(callbacks, "on_fit_start", state)
    try:
        epoch = 0
        while epoch < state.epochs and not state.stop:
            _epoch(epoch, batches, optimizer, objective, schedule, watch, callbacks, state)
            epoch += 1
    finally:
        notify(callbacks, "on_fit_end", state)
        network.eval()


def _epoch(
    epoch: int,
    batches: Feed,
    optimizer: Optimizer,
    objective: Objective,
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
        set_step(optimizer, schedule((epoch * state.batches + number) / (state.epochs * state.batches)))
        loss = objective(network(inputs), truth)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total = total + loss.detach().double() * len(truth)  # stays where it is: a card must not be waited for
        seen += len(truth)
        state.batch = number + 1
        notify(callbacks, "on_batch_end", state)
        if state.stop:
            break
    valid_loss, error_rate = (None, None) if watch is None else watch(network)
    seconds = time.perf_counter() - started
    state.row = EpochRow(epoch + 1, float(total) / seen, valid_loss, error_rate, seconds)
    notify(callbacks, "on_epoch_end", state)


@torch.no_grad()
def scores_of(network: nn.Module, inputs: Tensor) -> Tensor:
    """The network's scores (n, k) in evaluation mode; its mode is left as it was."""
    was_training = network.training
    network.eval()
    try:
        return torch.cat([cast(Tensor, network(part)) for part in torch.split(inputs, _JUDGED_AT_ONCE)])
    finally:
        network.train(was_training)


def judge(network: nn.Module, inputs: Tensor, truth: Tensor, objective: Objective) -> tuple[float, float]:
    """(mean loss, error rate) on records not trained on."""
    scores = scores_of(network, inputs)
    return objective(scores, truth).item(), (scores.argmax(1) != truth).float().mean().item()

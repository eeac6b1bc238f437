"""What callbacks do to a training."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import pytest
import torch
from torch import nn

from finegraft.errors import UsageError
from finegraft.training import loop
from finegraft.training.callbacks import Deadline, EarlyStop, EpochRow, History, KeepBest, State, Value
from finegraft.training.loaders import Batches
from finegraft.training.objective import of_categories
from finegraft.training.optimizers import sgd
from finegraft.training.schedule import Step, constant
from tests.training.making import table


def fit(network: nn.Module, losses: list[float | None], *callbacks: object) -> History:
    """Train for as many epochs as `losses` were told after them."""
    learned, history, told = table(30), History(), iter(losses)
    batches = Batches(learned.features, learned.truth, 10, seed=0)

    def watch(_: nn.Module) -> tuple[float, float]:
        loss = next(told)
        return (float("nan") if loss is None else loss), 0.0

    watched = None if losses[0] is None else watch
    rate = constant(0.1)
    loop.fit(
        network,
        batches,
        sgd(network),
        of_categories(),
        rate,
        len(losses),
        watch=watched,
        callbacks=[history, *callbacks],
    )
    return history


@dataclass
class Snapshots:
    weights: list[torch.Tensor] = field(default_factory=list)

    def on_epoch_end(self, state: State) -> None:
        self.weights.append(next(state.network.parameters()).detach().clone())


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 4), nn.BatchNorm1d(4), nn.Linear(4, 3))


def test_the_best_epoch_is_kept_with_its_running_averages() -> None:
    net, kept, seen = network(), KeepBest(), Snapshots()
    fit(net, [0.5, 0.3, 0.4], kept, seen)
    assert (kept.epoch, kept.reached) == (2, 0.3)
    assert torch.equal(next(net.parameters()), seen.weights[1])
    assert not torch.equal(seen.weights[1], seen.weights[2])
    assert net[1].num_batches_tracked == 6  # type: ignore[index] # two epochs of three batches


def test_of_equal_epochs_the_first_is_kept() -> None:
    kept = KeepBest()
    fit(network(), [0.3, 0.3], kept)
    assert kept.epoch == 1


def test_where_nothing_is_watched_the_last_weights_stay() -> None:
    net, kept, seen = network(), KeepBest(), Snapshots()
    fit(net, [None, None], kept, seen)
    assert kept.epoch is None
    assert torch.equal(next(net.parameters()), seen.weights[-1])


def test_a_loss_that_is_no_number_is_never_the_best() -> None:
    kept = KeepBest()
    fit(network(), [float("nan"), 0.9], kept)
    assert kept.epoch == 2


def test_a_second_training_starts_afresh() -> None:
    net, kept = network(), KeepBest()
    fit(net, [0.1], kept)
    fit(net, [0.8, 0.7], kept)
    assert (kept.epoch, kept.reached) == (2, 0.7)


def test_a_training_that_is_stopped_half_way_ends_with_its_best_weights() -> None:
    class Interrupted(Snapshots):
        def on_batch_end(self, state: State) -> None:
            if len(self.weights) == 1 and state.batch == 2:
                raise KeyboardInterrupt

    net, kept, seen = network(), KeepBest(), Interrupted()
    with pytest.raises(KeyboardInterrupt):
        fit(net, [0.5, 0.4], kept, seen)
    assert torch.equal(next(net.parameters()), seen.weights[0])
    assert not net.training


def test_a_callback_may_end_the_training_after_an_epoch() -> None:
    class Enough:
        def on_epoch_end(self, state: State) -> None:
            state.stop = state.row is not None and state.row.epoch == 2

    assert [row.epoch for row in fit(network(), [3.0, 2.0, 1.0], Enough()).rows] == [1, 2]


def test_a_callback_may_end_the_training_within_an_epoch() -> None:
    class Enough:
        def on_batch_end(self, state: State) -> None:
            state.stop = state.batch == 2

    rows = fit(network(), [3.0, 2.0], Enough()).rows
    assert [row.epoch for row in rows] == [1]
    assert rows[0].valid_loss == 3.0


def after_an_epoch(deadline: Deadline, seconds: float, epoch: int = 1, epochs: int = 5) -> int:
    """How many epochs a training of `epochs` has after epoch number `epoch` took so many `seconds`."""
    state = State(network(), epochs=epochs, batches=1)
    state.row = EpochRow(epoch, 0.0, None, None, seconds)
    deadline.on_epoch_end(state)
    return state.epochs


def test_a_deadline_takes_back_epochs_that_would_end_too_late() -> None:
    assert after_an_epoch(Deadline(130.0), seconds=60.0) == 1 + 2
    assert after_an_epoch(Deadline(59.0), seconds=60.0) == 1
    assert after_an_epoch(Deadline(1000.0), seconds=60.0) == 5
    assert after_an_epoch(Deadline(1000.0), seconds=0.0) == 5


def test_epochs_that_differ_are_foretold_by_the_plan() -> None:
    """Later ones take three times the first. At the pace of the plan all of them fit, at half of it two."""
    each = {5: [20, 40, 60, 60, 60], 4: [20, 40, 60, 60], 3: [20, 60, 60], 2: [20, 60], 1: [60]}
    assert after_an_epoch(Deadline(225.0, each.__getitem__), seconds=20.0) == 5
    assert after_an_epoch(Deadline(219.0, each.__getitem__), seconds=20.0) == 4
    assert after_an_epoch(Deadline(225.0, each.__getitem__), seconds=40.0) == 2
    assert after_an_epoch(Deadline(10.0, each.__getitem__), seconds=20.0) == 1


def test_a_deadline_counts_from_when_it_was_made() -> None:
    deadline = Deadline(0.5)
    assert after_an_epoch(deadline, seconds=0.1) > 1
    time.sleep(0.55)
    assert after_an_epoch(deadline, seconds=0.1) == 1


def test_a_shortened_training_comes_to_the_end_of_its_schedule() -> None:
    class Shorten:
        def on_epoch_end(self, state: State) -> None:
            state.epochs = min(state.epochs, 2)

    asked: list[float] = []

    def schedule(progress: float) -> Step:
        asked.append(progress)
        return Step(0.1, 0.9)

    learned = table(30)
    net = network()
    loop.fit(
        net,
        Batches(learned.features, learned.truth, 10, seed=0),
        sgd(net),
        of_categories(),
        schedule,
        4,
        callbacks=[Shorten()],
    )
    assert asked == pytest.approx([0, 1 / 12, 2 / 12, 3 / 6, 4 / 6, 5 / 6])


def told(callback: KeepBest | EarlyStop, rows: list[tuple[float, float | None, float | None]]) -> State:
    """The state of a training whose epochs had these losses and errors, as far as `callback` let it go."""
    state = State(network(), epochs=len(rows), batches=1)
    callback.on_fit_start(state)
    for number, (train_loss, valid_loss, error_rate) in enumerate(rows, start=1):
        state.row = EpochRow(number, train_loss, valid_loss, error_rate, 1.0)
        callback.on_epoch_end(state)
        if state.stop:
            break
    return state


@pytest.mark.parametrize(
    ("value", "highest", "epoch"),
    [("valid_loss", False, 2), ("error_rate", False, 1), ("error_rate", True, 3), ("train_loss", False, 3)],
)
def test_the_best_epoch_is_that_of_the_value_named(value: Value, highest: bool, epoch: int) -> None:
    kept = KeepBest(value, highest)
    told(kept, [(0.9, 0.5, 0.1), (0.8, 0.3, 0.2), (0.7, 0.4, 0.3)])
    assert kept.epoch == epoch


def epochs_until(stop: EarlyStop, losses: list[float]) -> int:
    row = told(stop, [(1.0, loss, loss) for loss in losses]).row
    assert row is not None
    return row.epoch


def test_a_training_ends_when_patience_does() -> None:
    assert epochs_until(EarlyStop(2), [5, 4, 4.5, 4, 1]) == 4
    assert epochs_until(EarlyStop(2), [5, 4, 4.5, 3, 3, 2.9]) == 6
    assert epochs_until(EarlyStop(1), [5, 6, 1]) == 2


def test_a_gain_too_small_to_count_is_none() -> None:
    assert epochs_until(EarlyStop(2, least=0.1), [5, 4.95, 4.91, 1]) == 3
    assert epochs_until(EarlyStop(2, least=0.1), [5, 4.89, 4.8, 4.78, 1]) == 5  # 4.8 is not 0.1 below 4.89


def test_more_may_be_better() -> None:
    assert epochs_until(EarlyStop(1, "error_rate", highest=True), [0.5, 0.6, 0.55, 0.9]) == 3


def test_a_loss_that_is_no_number_takes_patience() -> None:
    assert epochs_until(EarlyStop(2), [math.nan, math.nan, 1]) == 2
    assert epochs_until(EarlyStop(1), [5, math.nan, 1]) == 2


def test_patience_begins_anew_with_each_training() -> None:
    stop = EarlyStop(2)
    assert epochs_until(stop, [1, 2, 2]) == 3
    assert epochs_until(stop, [5, 4, 3]) == 3


def test_a_training_that_was_stopped_early_has_its_best_weights() -> None:
    net, kept, seen = network(), KeepBest(), Snapshots()
    history = fit(net, [0.5, 0.3, 0.4, 0.4, 0.1], EarlyStop(2), kept, seen)
    assert [row.valid_loss for row in history.rows] == [0.5, 0.3, 0.4, 0.4]
    assert torch.equal(next(net.parameters()), seen.weights[1])


def test_what_is_not_watched_cannot_stop_a_training() -> None:
    with pytest.raises(UsageError, match=r"^There is no valid_loss to stop by: nothing is watched. Watch held-out rec"):
        fit(network(), [None, None], EarlyStop(1))
    assert len(fit(network(), [None, None], EarlyStop(1, "train_loss")).rows) == 2


def test_no_patience_at_all_is_refused() -> None:
    with pytest.raises(UsageError, match="The patience must be at least one epoch, got 0"):
        EarlyStop(0)

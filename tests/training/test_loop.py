from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from torch import nn

from finegraft.errors import TrainingError
from finegraft.training import loop
from finegraft.training.callbacks import EpochRow, History, KeepBest, State, notify
from finegraft.training.loaders import Batches
from finegraft.training.objective import of_categories
from finegraft.training.optimizers import sgd
from finegraft.training.recipe import Recipe
from finegraft.training.schedule import Step, constant, one_cycle
from tests.training.making import table


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3))


def batches() -> Batches:
    learned = table(50)
    return Batches(learned.features, learned.truth, 16, seed=2)


def fit(net: nn.Module, epochs: int = 3, **options: Any) -> None:
    loop.fit(net, batches(), sgd(net), of_categories(), one_cycle(0.1), epochs, **options)


def test_it_is_the_loop_one_would_write_by_hand_bit_for_bit() -> None:
    ours, theirs = network(), network()
    fit(ours)
    optimizer, number = sgd(theirs), 0
    theirs.train()
    for epoch in range(3):
        for inputs, truth in batches().epoch(epoch):
            step = one_cycle(0.1)(number / 12)
            for group in optimizer.param_groups:
                group["lr"], group["momentum"] = step.rate, step.momentum
            optimizer.zero_grad()
            nn.functional.cross_entropy(theirs(inputs), truth).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            number += 1
    for name, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value), name


class Listener:
    def __init__(self, name: str, heard: list[tuple[str, str, int]]) -> None:
        self.name, self.heard = name, heard

    def on_fit_start(self, state: State) -> None:
        self.heard.append((self.name, "start", state.batch))

    def on_batch_end(self, state: State) -> None:
        self.heard.append((self.name, "batch", state.batch))

    def on_epoch_end(self, state: State) -> None:
        assert state.row is not None
        self.heard.append((self.name, "epoch", state.row.epoch))


def test_callbacks_hear_everything_in_their_order() -> None:
    heard: list[tuple[str, str, int]] = []
    fit(network(), epochs=2, callbacks=[Listener("first", heard), object(), Listener("second", heard)])
    epoch = [("batch", 1), ("batch", 2), ("batch", 3), ("batch", 4)]
    wanted = [("start", 0), *epoch, ("epoch", 1), *epoch, ("epoch", 2)]
    assert heard == [(name, *event) for event in wanted for name in ("first", "second")]


def test_a_callback_without_the_method_is_passed_over() -> None:
    notify([object()], "on_epoch_end", State(network(), 1, 1))


def test_history_keeps_a_row_for_each_epoch() -> None:
    history, watched = History(), table(21, seed=5)
    net = network()
    fit(net, callbacks=[history], watch=lambda net: Recipe(3, of_categories(), 16, 2).judge(net, watched))
    assert [row.epoch for row in history.rows] == [1, 2, 3]
    assert history.rows[2].train_loss < history.rows[0].train_loss
    assert set(history.rows[0].to_json()) == {"epoch", "train_loss", "valid_loss", "error_rate", "seconds"}
    # What the last row says of the watched records is what the finished network says, told by scikit-learn.
    with torch.no_grad():
        probabilities = net(watched.features).double().softmax(1).numpy()
    truth = watched.truth.numpy()
    assert history.rows[2].valid_loss == pytest.approx(log_loss(truth, probabilities), abs=1e-5)
    assert history.rows[2].error_rate == pytest.approx((probabilities.argmax(1) != truth).mean())


def test_nothing_watched_gives_no_figures_of_it() -> None:
    history = History()
    fit(network(), epochs=1, callbacks=[history])
    assert (history.rows[0].valid_loss, history.rows[0].error_rate) == (None, None)
    history.on_epoch_end(State(network(), 1, 1))
    assert len(history.rows) == 1, "there is no row before the first epoch"


def test_watching_changes_no_weight() -> None:
    alone, seen, watched = network(), network(), table(21, seed=5)
    fit(alone)
    fit(seen, watch=lambda net: Recipe(3, of_categories(), 16, 2).judge(net, watched))
    for name, value in alone.state_dict().items():
        assert torch.equal(seen.state_dict()[name], value), name


@pytest.mark.parametrize("training", [True, False])
def test_scoring_leaves_the_network_as_it_was(training: bool) -> None:
    net = network().train(training)
    before = copy.deepcopy(net.state_dict())
    inputs = table(20).features
    scores = loop.scores_of(net, inputs)
    assert net.training is training
    for name, value in before.items():
        assert torch.equal(net.state_dict()[name], value), name
    with torch.no_grad():
        assert torch.equal(scores, copy.deepcopy(net).eval()(inputs))


def test_many_records_are_scored_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    net, inputs = network(), table(50).features
    whole = loop.scores_of(net, inputs)
    monkeypatch.setattr(loop, "_JUDGED_AT_ONCE", 7)
    np.testing.assert_allclose(loop.scores_of(net, inputs).numpy(), whole.numpy(), atol=1e-6)


def test_a_row_is_plain_json() -> None:
    row = EpochRow(1, 0.5, None, None, 2.0)
    assert row.to_json() == {"epoch": 1, "train_loss": 0.5, "valid_loss": None, "error_rate": None, "seconds": 2.0}


def test_the_state_tells_loss_and_rate_of_every_step() -> None:
    told: list[tuple[float, float]] = []

    class Reader:
        def on_fit_start(self, state: State) -> None:
            assert math.isnan(state.loss)

        def on_batch_end(self, state: State) -> None:
            told.append((state.loss, state.rate))

    history = History()
    fit(network(), epochs=2, callbacks=[history, Reader()])
    assert [rate for _, rate in told] == [one_cycle(0.1)(number / 8).rate for number in range(8)]
    assert [told[3][0], told[7][0]] == [row.train_loss for row in history.rows]


class Script:
    """Losses that go bad at step number `bad` of all."""

    def __init__(self, bad: int, value: float) -> None:
        self.bad, self.value, self.number = bad, value, -1

    def __call__(self, scores: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        self.number += 1
        loss = of_categories()(scores, truth)
        return loss * (self.value if self.number == self.bad else 1.0)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_ends_the_training_and_gives_back_the_best_weights(value: float) -> None:
    net, kept, weights = network(), KeepBest(), []

    class Snapshot:
        def on_epoch_end(self, state: State) -> None:
            weights.append(copy.deepcopy(state.network.state_dict()))

    with pytest.raises(TrainingError) as caught:
        loop.fit(
            net,
            batches(),
            sgd(net),
            Script(6, value),
            lambda _: Step(0.02, 0.9),
            3,
            watch=lambda _: (1.0, 0.5),
            callbacks=[kept, Snapshot()],
        )
    assert str(caught.value) == (
        "The loss is no longer finite at epoch 2, step 3, rate 0.02. Try a lower --lr; learner.find_lr() suggests one."
    )
    for name, value_ in weights[0].items():
        assert torch.equal(net.state_dict()[name], value_), name
    assert not net.training


def test_a_network_that_is_asked_to_train_decides_what_stays_in_evaluation() -> None:
    class Half(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.frozen, self.top = nn.BatchNorm1d(8), nn.Linear(8, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            scores: torch.Tensor = self.top(self.frozen(x))
            return scores

        def train(self, mode: bool = True) -> Half:
            super().train(mode)
            self.frozen.eval()
            return self

    net = Half()
    before = copy.deepcopy(net.frozen.state_dict())
    loop.fit(net, batches(), sgd(net), of_categories(), constant(0.1), 1, watch=lambda net: (float(net.training), 0.0))
    assert torch.equal(net.frozen.running_mean, before["running_mean"])

"""A trunk and a head that learn together, on a toy trunk: a linear layer or two over rows of numbers."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from finegraft.data.record import Record
from finegraft.errors import UsageError
from finegraft.models import heads
from finegraft.training import tasks
from finegraft.training.grafted import Grafted
from finegraft.training.loaders import Batches
from finegraft.training.objective import of_categories
from finegraft.training.schedule import one_cycle
from finegraft.training.tuning import Examples, Tuning
from tests.training.making import table

LEARNED, ASIDE = 60, 30


class Toy:
    """A trunk of two stages over the features of `table`; every record's row is its number."""

    views = 2
    pretrained = True

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.rows = table(LEARNED + ASIDE)
        stages = (nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8)), nn.Sequential(nn.Tanh(), nn.Linear(8, 6)))
        self.network: nn.Module = nn.Sequential(*stages)
        self.asked = 0

    def groups(self) -> list[tuple[str, list[nn.Parameter]]]:
        children = self.network.named_children()
        return [(name, list(child.parameters())) for name, child in children]

    def feed(
        self,
        records: Sequence[Record],
        truth: Tensor,
        batch_size: int,
        seed: int,
        epochs: int | None = None,  # noqa: ARG002
    ) -> Batches:
        self.asked += 1
        return Batches(self._inputs(records), truth, batch_size, seed)

    def efforts(self, epochs: int) -> list[float]:
        return [1.0] * epochs

    def features(self, records: Sequence[Record]) -> Tensor:
        self.network.eval()
        with torch.no_grad():
            found: Tensor = self.network(self._inputs(records))
        return found

    def settled(self) -> Any:
        raise NotImplementedError

    def _inputs(self, records: Sequence[Record]) -> Tensor:
        return self.rows.features[[int(record.key) for record in records]]


def examples(trunk: Toy, start: int, end: int) -> Examples:
    records = tuple(Record(str(number), str(number), "a") for number in range(start, end))
    return Examples(records, trunk.rows.truth[start:end])


def tuning(**options: Any) -> Tuning:
    trunk = Toy()
    learn, aside = examples(trunk, 0, LEARNED), examples(trunk, LEARNED, LEARNED + ASIDE)
    head = heads.make("linear", trunk.features(learn.records), 3)
    return Tuning(trunk, head, of_categories(), tasks.CATEGORY, learn, aside, batch_size=10, **options)


def state_of(tuned: Tuning) -> dict[str, Tensor]:
    return copy.deepcopy(tuned.network.state_dict())


def changed(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    return {name for name in before if not torch.equal(before[name], after[name])}


def test_what_is_above_learns_and_what_is_frozen_does_not() -> None:
    tuned = tuning()
    before = state_of(tuned)
    tuned.freeze_to(1)
    tuned.fit(one_cycle(0.01), 2, [1.0, 1.0])
    assert changed(before, state_of(tuned)) == {"trunk.1.1.weight", "trunk.1.1.bias", "head.1.weight", "head.1.bias"}
    tuned.freeze_to(0)
    tuned.fit(one_cycle(0.01), 2, [1.0, 1.0, 1.0])
    assert {"trunk.0.0.weight", "trunk.0.1.weight"} <= changed(before, state_of(tuned))


def test_the_averages_of_the_trunks_batch_norms_stay_while_their_gain_learns() -> None:
    tuned = tuning()
    before = state_of(tuned)
    tuned.fit(one_cycle(0.01), 2, [1.0, 1.0, 1.0])
    moved = changed(before, state_of(tuned))
    assert {"trunk.0.1.weight", "trunk.0.1.bias"} <= moved
    assert not {name for name in moved if "running" in name or "tracked" in name}


def test_it_learns_and_the_best_epoch_is_kept() -> None:
    tuned = tuning()
    told: list[float] = []

    class Listening:
        def on_epoch_end(self, state: Any) -> None:
            told.append(state.row.valid_loss)

    tuned.fit(one_cycle(0.02), 6, [1.0, 1.0, 1.0], [Listening()])
    assert tuned.best.reached == min(told) < told[0]
    loss = tasks.CATEGORY.loss(tuned.scores(tuned.aside.records).numpy(), tuned.aside.truth.numpy())
    assert loss == pytest.approx(min(told), abs=1e-6)


def test_scales_are_rates_of_their_own() -> None:
    tuned = tuning()
    before = state_of(tuned)
    tuned.fit(one_cycle(0.01), 1, [1e-6, 1e-6, 1.0])
    after = state_of(tuned)
    assert (after["trunk.0.0.weight"] - before["trunk.0.0.weight"]).abs().max() < 1e-6
    assert (after["head.1.weight"] - before["head.1.weight"]).abs().max() > 1e-3


def test_equal_seeds_give_equal_weights_bit_for_bit() -> None:
    found = []
    for _ in range(2):
        tuned = tuning(seed=5)
        tuned.fit(one_cycle(0.02), 2, [0.1, 0.3, 1.0])
        found.append(state_of(tuned))
    assert not changed(*found)


def test_finding_the_rate_changes_nothing_bit_for_bit_at_any_stage() -> None:
    tuned = tuning()
    for _ in range(2):
        before, torchs = state_of(tuned), torch.get_rng_state()
        curve = tuned.find_lr(slice(1e-5, 1e-3))
        assert not changed(before, state_of(tuned))
        assert torch.equal(torch.get_rng_state(), torchs)
        assert curve.suggestion > 0
        tuned.fit(one_cycle(0.01), 1, [1.0, 1.0, 1.0])
        tuned.freeze_to(-1)
        tuned.find_lr()
        tuned.freeze_to(0)


def test_the_sweep_moves_lower_layers_in_proportion() -> None:
    """With the trunk's rate a millionth of the head's, the curve is that of a frozen trunk."""
    tuned = tuning()
    slow = tuned.find_lr(slice(1e-9, 1e-3))
    tuned.freeze_to(-1)
    frozen = tuned.find_lr()
    assert slow.losses[:60] == pytest.approx(frozen.losses[:60], rel=1e-3)


def test_a_group_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="There are 3 groups of layers, so none can be number 3"):
        tuning().freeze_to(3)


def test_the_heads_batch_norm_learns_its_averages() -> None:
    net = Grafted(nn.Sequential(nn.BatchNorm1d(4)), nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)))
    assert net.train() is net
    assert not net.trunk[0].training  # type: ignore[index]
    assert net.head[1].training
    assert not net.eval().head[1].training


def test_random_weights_are_normalised_by_averages_that_are_learned() -> None:
    net = Grafted(nn.Sequential(nn.BatchNorm1d(4)), nn.Sequential(nn.Linear(4, 3)), averages=True).train()
    assert net.trunk[0].training  # type: ignore[index]
    assert not net.eval().trunk[0].training  # type: ignore[index]


def test_what_a_training_costs_is_measured_and_changes_nothing() -> None:
    tuned = tuning()
    before = state_of(tuned)
    cost = tuned.cost(further=100)
    assert not changed(before, state_of(tuned))
    assert all(parameter.grad is None for parameter in tuned.network.parameters())
    assert min(cost.view, cost.learn, cost.rest) > 0

from __future__ import annotations

import copy
import itertools
import json
import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from finegraft.errors import UsageError
from finegraft.models import heads
from finegraft.training import loop
from finegraft.training.loaders import Batches
from finegraft.training.lr_finder import END, START, STEPS, find_lr
from finegraft.training.lr_rules import CALM_STEPS, FALLBACK, RULES, half
from finegraft.training.objective import of_categories
from finegraft.training.optimizers import Optimizer, by_name, sgd
from finegraft.training.schedule import one_cycle
from tests.training.making import table

RATES = np.geomspace(START, END, STEPS).tolist()


def batches(n: int = 60) -> Batches:
    learned = table(n)
    return Batches(learned.features, learned.truth, 16, seed=0)


def network(kind: heads.HeadKind = "mlp") -> nn.Sequential:
    torch.manual_seed(0)
    return heads.make(kind, table().features, 3)


@pytest.mark.parametrize("kind", ["linear", "mlp"])
@pytest.mark.parametrize("training", [True, False])
def test_network_and_generator_stay_as_they_were(kind: heads.HeadKind, training: bool) -> None:
    net = network(kind).train(training)
    before, state = copy.deepcopy(net.state_dict()), torch.get_rng_state()
    find_lr(net, batches(), of_categories())
    assert torch.equal(torch.get_rng_state(), state)
    assert net.training is training
    assert all(parameter.grad is None for parameter in net.parameters())
    for name, value in before.items():
        assert torch.equal(net.state_dict()[name], value), name


def test_a_rate_is_found_after_a_training_and_changes_none_that_follows() -> None:
    """fastai's finder fails here, and reads the losses of the training before."""
    found = []
    for swept in (False, True):
        net = network()
        loop.fit(net, batches(), sgd(net), of_categories(), one_cycle(0.1), 3)
        if swept:
            curve = find_lr(net, batches(), of_categories())
            assert len(curve.lrs) > CALM_STEPS
            assert curve.losses[CALM_STEPS] < 1.0, "the sweep begins where the training ended"
        torch.manual_seed(1)
        loop.fit(net, batches(), sgd(net), of_categories(), one_cycle(0.1), 3)
        found.append(net.state_dict())
    assert all(torch.equal(value, found[1][name]) for name, value in found[0].items())


def whole() -> nn.Sequential:
    """A small network of two layers with norms, of which batches of vectors are learned."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3))


@pytest.mark.parametrize("n", [2, 20, 50, 200, 3000])
@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("rule", RULES)
def test_any_number_of_records_at_any_stage_gets_a_rate(n: int, frozen: bool, rule: str) -> None:
    net = whole()
    net[:2].requires_grad_(not frozen)

    def optimizer(of: nn.Module) -> Optimizer:
        layers = list(of.children())
        groups = [(list(layer.parameters()), scale) for layer, scale in zip(layers, (0.01, 0.1, 1, 1), strict=True)]
        return by_name("adamw", groups)

    curve = find_lr(net, batches(n), of_categories(), optimizer, rule)
    assert (curve.rule, curve.suggestion > 0, bool(curve.reason)) == (rule, True, True)


def test_scales_are_kept_in_the_sweep() -> None:
    """With the lower layers' rate a millionth of the top's, the curve is that of frozen lower layers."""
    nets = [whole(), whole()]
    nets[1][:3].requires_grad_(False)
    curves = []
    for net, scale in zip(nets, (1e-6, 1.0), strict=True):
        groups = [(list(net[:3].parameters()), scale), (list(net[3:].parameters()), 1.0)]
        curves.append(find_lr(net, batches(), of_categories(), lambda _, groups=groups: by_name("adamw", groups)))
    assert curves[0].losses[:70] == pytest.approx(curves[1].losses[:70], rel=1e-3)


def test_an_unknown_rule_is_told_before_the_sweep() -> None:
    def objective(scores: Tensor, truth: Tensor) -> Tensor:
        raise AssertionError

    with pytest.raises(UsageError, match="no rule of the rate finder called 'stepp'"):
        find_lr(network(), batches(), objective, rule="stepp")


def test_the_same_sweep_every_time() -> None:
    first = find_lr(network(), batches(), of_categories())
    torch.rand(3)  # whatever the caller's generator did in between
    assert find_lr(network(), batches(), of_categories()) == first


def test_the_curve_runs_over_the_rates_and_suggests_one_of_them() -> None:
    curve = find_lr(network(), batches(), of_categories())
    assert len(curve.lrs) == len(curve.losses) > CALM_STEPS
    assert curve.lrs == pytest.approx(RATES[: len(curve.lrs)])
    assert curve.suggestion in curve.lrs
    assert 1e-4 < curve.suggestion < 1
    assert curve.rule == "half"
    assert json.loads(json.dumps(curve.to_json())) == {
        "suggestion": curve.suggestion,
        "rule": "half",
        "reason": curve.reason,
        "lrs": list(curve.lrs),
        "losses": list(curve.losses),
    }


def test_twenty_records_are_gone_through_repeatedly() -> None:
    curve = find_lr(network(), batches(20), of_categories())
    assert len(curve.lrs) > CALM_STEPS
    assert curve.suggestion in curve.lrs


def test_two_records_are_enough_for_a_sweep() -> None:
    assert find_lr(network(), batches(2), of_categories()).suggestion > 0


def scripted(losses: list[float]) -> tuple[float, ...]:
    """The curve's losses where the raw loss follows a script."""
    feed = itertools.chain(losses, itertools.repeat(losses[-1]))

    def objective(scores: Tensor, truth: Tensor) -> Tensor:
        return scores.sum() * 0 + next(feed)

    return find_lr(network("linear"), batches(), objective).losses


def test_losses_are_smoothed_as_adam_smooths() -> None:
    raw = np.random.default_rng(0).uniform(1, 2, STEPS).tolist()
    weights = 0.98 ** np.arange(STEPS)[::-1]
    wanted = [np.average(raw[: i + 1], weights=weights[-i - 1 :]) for i in range(STEPS)]
    assert scripted(raw) == pytest.approx(wanted)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_the_sweep_ends_before_a_loss_that_is_no_number(bad: float) -> None:
    assert len(scripted([1.0] * 30 + [bad])) == 30


def test_the_sweep_ends_when_the_loss_blows_up() -> None:
    assert 30 <= len(scripted([1.0] * 30 + [1000.0])) < 33


def test_a_network_that_gives_no_numbers_gets_the_default() -> None:
    assert scripted([math.nan]) == ()
    assert half([], []) == (FALLBACK, "the loss never fell while the rate rose, so 0.001 is only a common default")

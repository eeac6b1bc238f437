from __future__ import annotations

import copy
import itertools
import json
import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from finegraft.models import heads
from finegraft.training.loaders import Batches
from finegraft.training.lr_finder import CALM_STEPS, END, FALLBACK, START, STEPS, find_lr, half
from finegraft.training.objective import of_categories
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


def curve(fall: float = 1.0, middle: int = 60) -> np.ndarray:
    """2, then a smooth fall by `fall` with its half at step `middle`, then a rise."""
    steps = np.arange(STEPS)
    return np.asarray(2 - fall / (1 + np.exp(-(steps - middle) / 3.0)) + np.where(steps > 85, (steps - 85) * 0.3, 0))


@pytest.mark.parametrize("middle", [40, 55, 65])
def test_half_finds_the_middle_of_the_fall(middle: int) -> None:
    rate, reason = half(RATES, curve(middle=middle).tolist())
    assert abs(RATES.index(rate) - middle) <= 1
    assert reason == "here the loss has come down half of its way from 2.00 to 1.00"


def test_noise_at_the_start_moves_nothing() -> None:
    noisy = curve()
    noisy[: CALM_STEPS - 2] += np.random.default_rng(0).normal(0, 0.9, CALM_STEPS - 2)
    assert half(RATES, noisy.tolist()) == half(RATES, curve().tolist())


def test_a_dip_that_comes_back_is_not_the_half() -> None:
    dipped = curve()
    dipped[30] = 1.4
    assert half(RATES, dipped.tolist()) == half(RATES, curve().tolist())


@pytest.mark.parametrize("losses", [[1.0] * STEPS, list(np.linspace(1, 3, STEPS)), [1.0], [3.0, 2.0], [2.0] * 10])
def test_what_never_falls_gets_the_default(losses: list[float]) -> None:
    rate, reason = half(RATES[: len(losses)], losses)
    assert rate == FALLBACK
    assert reason == "the loss never fell while the rate rose, so 0.001 is only a common default"

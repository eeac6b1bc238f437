from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from finegraft.errors import UsageError
from finegraft.training import loop, schedule
from finegraft.training.loaders import Batches
from finegraft.training.objective import of_categories
from finegraft.training.optimizers import by_name
from finegraft.training.schedule import constant, cosine, cosine_decay, exponential, joined, linear, one_cycle
from tests.training.making import table


@pytest.mark.parametrize(("progress", "wanted"), [(0, 1.0), (0.25, 3 - math.sqrt(2)), (0.5, 3.0), (1, 5.0)])
def test_half_a_cosine_in_closed_form(progress: float, wanted: float) -> None:
    assert cosine(1.0, 5.0, progress) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("progress", "rate", "momentum"),
    [(0, 0.04, 0.95), (0.125, 0.52, 0.9), (0.25, 1.0, 0.85), (0.625, (1 + 1e-5) / 2, 0.9), (1, 1e-5, 0.95)],
)
def test_one_cycle_at_its_turning_points(progress: float, rate: float, momentum: float) -> None:
    step = one_cycle(1.0)(progress)
    assert step.rate == pytest.approx(rate)
    assert step.momentum == pytest.approx(momentum)


def torchs(optimizer: torch.optim.Optimizer, peak: float, steps: int) -> torch.optim.lr_scheduler.OneCycleLR:
    """Torch counts total_steps - 1 intervals and turns at pct * total - 1; ours counts progress. So it is told of one
    more step, which is not taken, and of the share at which it turns where ours does."""
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=peak,
        total_steps=steps + 1,
        pct_start=(0.25 * steps + 1) / (steps + 1),
        div_factor=25,
        final_div_factor=1e5 / 25,
        base_momentum=0.85,
        max_momentum=0.95,
    )


def test_one_cycle_is_torchs() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0, momentum=0.9)
    theirs = torchs(optimizer, 0.3, 400)
    for number in range(401):
        ours = one_cycle(0.3)(number / 400)
        assert ours.rate == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-6)
        assert ours.momentum == pytest.approx(optimizer.param_groups[0]["momentum"], rel=1e-6)
        optimizer.step()
        if number < 400:
            theirs.step()


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 5), nn.ReLU(), nn.Linear(5, 3))


def of_torch(name: str, net: nn.Module) -> torch.optim.Optimizer:
    if name == "sgd":
        return torch.optim.SGD(net.parameters(), lr=1.0, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(net.parameters(), lr=1.0, betas=(0.9, 0.99), weight_decay=0.0)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_a_training_with_one_cycle_is_torchs(name: str) -> None:
    """Twelve steps of the loop, and twelve of torch's optimizer and scheduler as its documentation has them."""
    learned, ours, theirs = table(24), network(), network()
    batches = Batches(learned.features, learned.truth, 6, seed=0)
    made = by_name(name, [(list(ours.parameters()), 1.0)], 0.0)
    loop.fit(ours, batches, made, of_categories(), one_cycle(0.1), 3)
    optimizer = of_torch(name, theirs)
    scheduler = torchs(optimizer, 0.1, 12)
    for epoch in range(3):
        for inputs, truth in batches.epoch(epoch):
            optimizer.zero_grad()
            nn.functional.cross_entropy(theirs(inputs), truth).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            scheduler.step()
    for key, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[key], value, rtol=1e-6, atol=1e-6)


def test_a_cycle_may_be_given_another_shape() -> None:
    cycle = one_cycle(1.0, warm_up=0.4, divisor=5.0, final_divisor=100.0)
    assert [cycle(part).rate for part in (0, 0.4, 1)] == pytest.approx([0.2, 1.0, 0.01])


def test_joined_schedules_run_each_from_its_own_start_to_its_own_end() -> None:
    whole = joined([(0.25, linear(0.0, 1.0)), (0.25, constant(5.0)), (0.5, linear(2.0, 4.0))])
    assert [whole(part / 8).rate for part in range(9)] == [0.0, 0.5, 5.0, 5.0, 2.0, 2.5, 3.0, 3.5, 4.0]


@pytest.mark.parametrize("shares", [[], [0.5], [0.5, 0.6], [1.5, -0.5], [0.0, 1.0]])
def test_shares_that_are_no_whole_are_refused(shares: list[float]) -> None:
    with pytest.raises(UsageError, match=r"must be above 0 and add up to 1, got \["):
        joined([(share, constant(1.0)) for share in shares])


@pytest.mark.parametrize(
    ("name", "rates"),  # at the start, a tenth, half, three quarters, seven eighths, the end
    [
        ("constant", [1, 1, 1, 1, 1, 1]),
        ("cosine", [1, 0.975528, 0.5, 0.146447, 0.0380602, 0]),
        ("flat-cosine", [1, 1, 1, 1, 0.5, 0]),
        ("linear", [1, 0.9, 0.5, 0.25, 0.125, 0]),
        ("warm-cosine", [0.04, 1, 0.586824, 0.178606, 0.046846, 0]),
        ("one-cycle", [0.04, 0.371681, 0.75, 0.25, 0.0669873, 0]),
    ],
)
def test_rates_of_each_by_name(name: str, rates: list[float]) -> None:
    found = [schedule.by_name(name)(2.0)(part).rate / 2 for part in (0, 0.1, 0.5, 0.75, 0.875, 1)]
    assert found == pytest.approx(rates, abs=2e-5)


def test_the_cosine_is_torchs() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=50, eta_min=0.3 / 1e5)
    for number in range(50):
        assert cosine_decay(0.3)(number / 50).rate == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-6)
        optimizer.step()
        theirs.step()


def test_names_are_taken_in_any_spelling_and_unknown_ones_answered_with_the_nearest() -> None:
    assert schedule.by_name("One_Cycle") is one_cycle
    with pytest.raises(UsageError, match=r"^There is no schedule called 'cosin'. Did you mean 'cosine'\? Known: one-c"):
        schedule.by_name("cosin")
    with pytest.raises(UsageError, match=r"^There is no schedule called 'zzz'. Known: one-cycle, constant"):
        schedule.by_name("zzz")


def test_constant_never_moves() -> None:
    assert {constant(0.2)(part / 10) for part in range(11)} == {constant(0.2)(0)}
    assert (constant(0.2)(0.5).rate, constant(0.2)(0.5).momentum) == (0.2, 0.95)


def test_exponential_rises_by_equal_factors() -> None:
    rates = [exponential(1e-7, 10)(part / 8).rate for part in range(9)]
    assert rates == pytest.approx([10.0 ** (part - 7) for part in range(9)])

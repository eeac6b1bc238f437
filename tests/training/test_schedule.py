from __future__ import annotations

import math

import pytest
import torch

from finegraft.training.schedule import constant, cosine, exponential, one_cycle


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


def test_one_cycle_is_torchs() -> None:
    """Torch counts total_steps - 1 intervals and turns at pct * total - 1; ours counts progress, so both are asked
    at the progress torch is at."""
    total, peak = 401, 0.3
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0, momentum=0.9)
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=peak,
        total_steps=total,
        pct_start=0.25 + 0.75 / total,  # so that pct * total - 1 is a quarter of the 400 intervals
        div_factor=25,
        final_div_factor=1e5 / 25,
        base_momentum=0.85,
        max_momentum=0.95,
    )
    for number in range(total):
        ours = one_cycle(peak)(number / (total - 1))
        assert ours.rate == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-6)
        assert ours.momentum == pytest.approx(optimizer.param_groups[0]["momentum"], rel=1e-6)
        optimizer.step()
        if number < total - 1:
            theirs.step()


def test_constant_never_moves() -> None:
    assert {constant(0.2)(part / 10) for part in range(11)} == {constant(0.2)(0)}
    assert (constant(0.2)(0.5).rate, constant(0.2)(0.5).momentum) == (0.2, 0.95)


def test_exponential_rises_by_equal_factors() -> None:
    rates = [exponential(1e-7, 10)(part / 8).rate for part in range(9)]
    assert rates == pytest.approx([10.0 ** (part - 7) for part in range(9)])

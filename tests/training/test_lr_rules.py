"""Rules that read a sweep."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finegraft.errors import UsageError
from finegraft.training.lr_finder import END, START, STEPS
from finegraft.training.lr_rules import CALM_STEPS, FALLBACK, RULES, by_name, half

RATES = np.geomspace(START, END, STEPS).tolist()
NOTHING = "the loss never fell while the rate rose, so 0.001 is only a common default"


def curve(
    fall: float = 1.0, middle: int = 60, noise: float = 0.0, steps: int = STEPS, seed: int | None = None
) -> np.ndarray:
    """2, then a smooth fall by `fall` with its half at step `middle`, then a rise."""
    at = np.arange(steps)
    smooth = 2 - fall / (1 + np.exp(-(at - middle) / 3.0)) + np.where(at > 85, (at - 85) * 0.3, 0)
    return np.asarray(smooth + np.random.default_rng(seed).normal(0, noise, steps))


# (fall, middle, noise, steps) to the step that fastai 2.8.12's own functions suggest for it; of `minimum`, ten times
# its suggestion. The seed is the middle.
FASTAI = {
    (1.0, 60, 0.0, 100): {"valley": 46, "slide": 33, "minimum": 85, "steep": 59},
    (1.5, 45, 0.01, 100): {"valley": 61, "slide": 70, "minimum": 84, "steep": 43},
    (0.5, 70, 0.05, 95): {"valley": 69, "slide": 60, "minimum": 83, "steep": 59},
    (1.0, 55, 0.002, 80): {"valley": 53, "slide": 48, "minimum": 74, "steep": 55},
}


@pytest.mark.parametrize("rule", ["valley", "slide", "minimum", "steep"])
@pytest.mark.parametrize("made", FASTAI)
def test_fastais_rules_suggest_what_fastai_suggests(rule: str, made: tuple[float, int, float, int]) -> None:
    fall, middle, noise, steps = made
    losses = curve(fall, middle, noise, steps, seed=middle).tolist()
    suggestion, reason = by_name(rule)(RATES[:steps], losses)
    wanted = RATES[FASTAI[made][rule]] / (10 if rule == "minimum" else 1)
    assert suggestion == pytest.approx(wanted)
    assert reason != NOTHING


def test_every_rule_gives_its_own_reason() -> None:
    reasons = {name: rule(RATES, curve().tolist())[1] for name, rule in RULES.items()}
    assert reasons == {
        "half": "here the loss has come down half of its way from 2.00 to 1.00",
        "valley": "here lies the middle of the longest descent, of 76 steps, down to 1.00",
        "slide": "below this rate the loss changes evenly, above it falls faster and then rises",
        "minimum": "a tenth of 0.74, where the loss is lowest with 1.00",
        "steep": "here the loss falls fastest, by 0.44 for e times the rate",
    }


@pytest.mark.parametrize("middle", [40, 55, 65])
def test_half_finds_the_middle_of_the_fall(middle: int) -> None:
    rate, _ = half(RATES, curve(middle=middle).tolist())
    assert abs(RATES.index(rate) - middle) <= 1


def test_noise_at_the_start_moves_nothing() -> None:
    noisy = curve()
    noisy[: CALM_STEPS - 2] += np.random.default_rng(0).normal(0, 0.9, CALM_STEPS - 2)
    assert half(RATES, noisy.tolist()) == half(RATES, curve().tolist())


def test_a_dip_that_comes_back_is_not_the_half() -> None:
    dipped = curve()
    dipped[30] = 1.4
    assert half(RATES, dipped.tolist()) == half(RATES, curve().tolist())


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "losses",
    [[], [1.0], [3.0, 2.0], [1.0] * STEPS, list(np.linspace(1, 3, STEPS)), [2.0] * 10, [math.nan] * STEPS],
    ids=["empty", "one", "two", "flat", "rising", "short", "nan"],
)
def test_what_never_falls_gets_the_default_and_says_so(rule: str, losses: list[float]) -> None:
    assert RULES[rule](RATES[: len(losses)], losses) == (FALLBACK, NOTHING)


@pytest.mark.parametrize("rule", RULES)
def test_losses_that_are_no_numbers_are_passed_over(rule: str) -> None:
    losses = curve().tolist()
    losses[12:40:9] = [math.nan, math.inf, -math.inf, math.nan]
    gone = [i for i, loss in enumerate(losses) if not math.isfinite(loss)]
    assert len(gone) == 4
    suggestion, _ = RULES[rule](RATES, losses)
    assert abs(math.log10(suggestion / RULES[rule](RATES, curve().tolist())[0])) < 0.5


@pytest.mark.parametrize("rule", RULES)
@given(losses=st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=STEPS))
def test_any_curve_whatever_gets_a_rate(rule: str, losses: list[float]) -> None:
    rates = RATES[: len(losses)]
    suggestion, reason = RULES[rule](rates, losses)
    assert reason
    assert suggestion == FALLBACK or suggestion in [*rates, *(rate / 10 for rate in rates)]


def test_an_unknown_rule_is_refused_with_the_nearest() -> None:
    with pytest.raises(
        UsageError, match=r"no rule of the rate finder called 'vally'. Did you mean 'valley'\? Known: ha"
    ):
        by_name("vally")

"""Schedules: how the learning rate and the momentum move over a training, as pure functions of progress.

`joined` puts them one after another; all others are made of a few such pieces.
"""

from __future__ import annotations

import difflib
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from finegraft.errors import UsageError

# fastai's defaults; see Smith, 2018, "A disciplined approach to neural network hyper-parameters", arXiv 1803.09820.
WARM_UP = 0.25
DIVISOR = 25.0
FINAL_DIVISOR = 1e5
MOMENTUM_HIGH = 0.95
MOMENTUM_LOW = 0.85


@dataclass(frozen=True, slots=True)
class Step:
    """What an optimizer is set to for one step: `rate` > 0, `momentum` in 0..1."""

    rate: float
    momentum: float


# Progress in 0..1 (0 before the first step, towards 1 at the last) to the settings of that step.
Schedule = Callable[[float], Step]


def cosine(start: float, end: float, progress: float) -> float:
    """Half a cosine from `start` at progress 0 to `end` at progress 1.

    >>> cosine(1.0, 3.0, 0.5)
    2.0
    """
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2


def joined(parts: Sequence[tuple[float, Schedule]]) -> Schedule:
    """One schedule after another, each for its share of the training and from its own 0 to its own 1.

    Raises `UsageError` unless all shares are above 0 and add up to 1.

    >>> joined([(0.5, constant(0.1)), (0.5, constant(0.2))])(0.75).rate
    0.2
    """
    shares = [share for share, _ in parts]
    if not shares or min(shares) <= 0 or not math.isclose(sum(shares), 1.0):
        raise UsageError(f"The shares of joined schedules must be above 0 and add up to 1, got {shares}.")
    starts = [0.0, *itertools.accumulate(shares)][:-1]

    def at(progress: float) -> Step:
        number = sum(progress >= start for start in starts[1:])
        share, schedule = parts[number]
        return schedule((progress - starts[number]) / share)

    return at


def swing(first: Step, last: Step) -> Schedule:
    """Half cosines of rate and momentum from `first` to `last`."""
    return lambda progress: Step(
        cosine(first.rate, last.rate, progress), cosine(first.momentum, last.momentum, progress)
    )


def one_cycle(
    peak: float, *, warm_up: float = WARM_UP, divisor: float = DIVISOR, final_divisor: float = FINAL_DIVISOR
) -> Schedule:
    """Up from peak/25 to `peak` over the first quarter, then down to peak/100000; momentum mirrors it.

    Two half cosines, as in fastai. A high rate in the middle regularises, the long fall settles. `warm_up` in 0..1 is
    the share of the rise; `divisor` and `final_divisor` say what part of the peak it begins and ends with.
    """
    low, high = Step(peak / divisor, MOMENTUM_HIGH), Step(peak, MOMENTUM_LOW)
    end = Step(peak / final_divisor, MOMENTUM_HIGH)
    return joined([(warm_up, swing(low, high)), (1 - warm_up, swing(high, end))])


def constant(rate: float) -> Schedule:
    """The same rate from the first step to the last, with the higher momentum."""
    return lambda _progress: Step(rate, MOMENTUM_HIGH)


def linear(start: float, end: float) -> Schedule:
    """From `start` to `end` by equal steps."""
    return lambda progress: Step(start + (end - start) * progress, MOMENTUM_HIGH)


def exponential(start: float, end: float) -> Schedule:
    """From `start` to `end` by equal factors: the sweep of the learning-rate finder."""
    return lambda progress: Step(start * (end / start) ** progress, MOMENTUM_HIGH)


def cosine_decay(peak: float) -> Schedule:
    """Half a cosine from `peak` down to peak/100000 (Loshchilov and Hutter, 2017, "SGDR", arXiv 1608.03983)."""
    return swing(Step(peak, MOMENTUM_HIGH), Step(peak / FINAL_DIVISOR, MOMENTUM_HIGH))


def linear_decay(peak: float) -> Schedule:
    """From `peak` down to peak/100000 by equal steps."""
    return linear(peak, peak / FINAL_DIVISOR)


def flat_cosine(peak: float) -> Schedule:
    """`peak` for three quarters of the training, then half a cosine down: fastai's `fit_flat_cos`."""
    return joined([(0.75, constant(peak)), (0.25, cosine_decay(peak))])


def warm_cosine(peak: float) -> Schedule:
    """Up to `peak` over the first tenth by equal steps, then half a cosine down: the usual for transformers."""
    return joined([(0.1, linear(peak / DIVISOR, peak)), (0.9, cosine_decay(peak))])


# What a user may name: from the peak of the rate to its schedule.
SCHEDULES: dict[str, Callable[[float], Schedule]] = {
    "one-cycle": one_cycle,
    "constant": constant,
    "cosine": cosine_decay,
    "flat-cosine": flat_cosine,
    "linear": linear_decay,
    "warm-cosine": warm_cosine,
}


def by_name(name: str) -> Callable[[float], Schedule]:
    """The maker of the schedule `name`. Raises `UsageError` with the nearest name for an unknown one."""
    word = name.casefold().replace("_", "-")
    if word in SCHEDULES:
        return SCHEDULES[word]
    near = difflib.get_close_matches(word, SCHEDULES, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise UsageError(f"There is no schedule called {name!r}.", f"{hint}Known: {', '.join(SCHEDULES)}.")

"""Schedules: how the learning rate and the momentum move over a training, as pure functions of progress."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

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


def one_cycle(peak: float) -> Schedule:
    """Warm up from peak/25 to `peak` over the first quarter, then fall to peak/100000; momentum mirrors it.

    Two half cosines, as in fastai. A high rate in the middle regularises, the long fall settles.
    """

    def at(progress: float) -> Step:
        if progress < WARM_UP:
            part = progress / WARM_UP
            return Step(cosine(peak / DIVISOR, peak, part), cosine(MOMENTUM_HIGH, MOMENTUM_LOW, part))
        part = (progress - WARM_UP) / (1 - WARM_UP)
        return Step(cosine(peak, peak / FINAL_DIVISOR, part), cosine(MOMENTUM_LOW, MOMENTUM_HIGH, part))

    return at


def constant(rate: float) -> Schedule:
    """The same rate from the first step to the last, with the higher momentum."""
    return lambda _progress: Step(rate, MOMENTUM_HIGH)


def exponential(start: float, end: float) -> Schedule:
    """From `start` to `end` by equal factors: the sweep of the learning-rate finder."""
    return lambda progress: Step(start * (end / start) ** progress, MOMENTUM_HIGH)

"""Rates of their own for groups of layers: the lower ones have learned edges and textures, and need little change.

Howard and Ruder, 2018, "Universal Language Model Fine-tuning for Text Classification" (ULMFiT), arXiv 1801.06146,
"discriminative fine-tuning"; the meaning of a slice is fastai's.
"""

from __future__ import annotations

import math

from finegraft.errors import UsageError

Rates = float | slice
# What the groups below the last one get of its rate, where only that one is given.
_LOWER = 0.1


def peak_and_scales(rates: Rates, groups: int, decay: float | None = None) -> tuple[float, list[float]]:
    """The highest rate, and what part of it each of `groups` groups gets, from the lowest layers to the head.

    A number is the rate of all groups; with `decay` in 0..1, of the head, and every group below has so many times the
    rate of the one above it (Clark et al., 2020, "ELECTRA", arXiv 2003.10555). `slice(a, b)` goes from a, for the
    lowest layers, to b, for the head, by equal factors; `slice(b)` is b for the head and a tenth of it for all others.

    Raises `UsageError` for rates that are not above 0, a slice with a step or that falls, or another `decay`.

    >>> peak_and_scales(slice(1e-3), 3)
    (0.001, [0.1, 0.1, 1.0])
    """
    if isinstance(rates, slice):
        if decay is not None:
            raise UsageError("Rates come as a slice or with a decay, not with both.", "Leave out one of them.")
        return _of_slice(rates, groups)
    peak = _checked(rates)
    if decay is None:
        return peak, [1.0] * groups
    if not 0 < decay <= 1:
        raise UsageError(f"The decay from layer to layer must be above 0 and at most 1, got {decay!r}.")
    return peak, [decay ** (groups - 1 - number) for number in range(groups)]


def _of_slice(rates: slice, groups: int) -> tuple[float, list[float]]:
    if rates.step is not None or rates.stop is None:
        raise UsageError(f"A slice of rates has two ends, or one, got {rates!r}.", "Write slice(1e-5, 1e-3).")
    highest = _checked(rates.stop)
    if rates.start is None:
        return highest, [_LOWER] * (groups - 1) + [1.0]
    lowest = _checked(rates.start)
    if lowest > highest:
        raise UsageError(
            f"Lower layers get the lower rate, got {rates!r}.", f"Write slice({highest:g}, {lowest:g}) instead."
        )
    if groups == 1:
        return highest, [1.0]
    step = (lowest / highest) ** (1 / (groups - 1))
    return highest, [step ** (groups - 1 - number) for number in range(groups)]


def _checked(rate: object) -> float:
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < math.inf:
        raise UsageError(f"A learning rate must be above 0, got {rate!r}.")
    return float(rate)

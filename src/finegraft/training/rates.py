"""Rates of their own for groups of layers: the lower ones have learned edges and textures, and need little change.

Howard and Ruder, 2018, "Universal Language Model Fine-tuning for Text Classification" (ULMFiT), arXiv 1801.06146,
"discriminative fine-tuning"; the meaning of a slice is fastai's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from finegraft.errors import UsageError


@dataclass(frozen=True)
class Decayed:
    """`rate` for the head, and for every group below `by` times that of the one above it: layer-wise decay.

    Clark et al., 2020, "ELECTRA", arXiv 2003.10555. Raises `UsageError` unless `by` is above 0 and at most 1.
    """

    rate: float
    by: float

    def __post_init__(self) -> None:
        if not 0 < self.by <= 1:
            raise UsageError(f"The decay from layer to layer must be above 0 and at most 1, got {self.by!r}.")


Rates = float | slice | Decayed
# What the groups below the last one get of its rate, where only that one is given.
_LOWER = 0.1
_FEW = 2_000
# The peak where all weights are random (`python -m benchmarks.choices_scratch`).
_FROM_SCRATCH = 1e-3


def peak_and_scales(rates: Rates, groups: int) -> tuple[float, list[float]]:
    """The highest rate, and what part of it each of `groups` groups gets, from the lowest layers to the head.

    A number is the rate of all groups. `slice(a, b)` goes from a, for the lowest layers, to b, for the head, by equal
    factors; `slice(b)` is b for the head and a tenth of it for all others. `Decayed(b, by)` falls by the factor `by`
    from group to group.

    Raises `UsageError` for rates that are not above 0, and a slice with a step or that falls.

    >>> peak_and_scales(slice(1e-3), 3)
    (0.001, [0.1, 0.1, 1.0])
    """
    if isinstance(rates, slice):
        return _of_slice(rates, groups)
    if isinstance(rates, Decayed):
        return _checked(rates.rate), [rates.by ** (groups - 1 - number) for number in range(groups)]
    return _checked(rates), [1.0] * groups


def default_rate(n: int, pretrained: bool = True) -> float:
    """The peak of AdamW's rate, for all groups alike, where n records are learned from.

    On clothing (2,700 to learn from), a fifth held out, 4 epochs above the cut of lite0, wrong were with 3e-4 8.8 %,
    6e-4 8.9 %, 1e-3 10.7 %, with ten times as much for the head 9.4 %; by the head alone 12.0 %. On bears and pets
    (300 to 400) the held-out loss is lowest with 1e-4, of 3e-5, 1e-4 and 3e-4 (`python -m benchmarks.choices_tuning`).
    """
    if not pretrained:
        return _FROM_SCRATCH
    return 1e-4 if n < _FEW else 3e-4


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

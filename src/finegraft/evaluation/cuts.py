"""How a trait is cut into parts: each of its texts, quarters of its numbers; and what the parts are called."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

PARTS = 4  # of a number: quarters are fine enough for a trend, and each still has enough records
FEW = 6  # numbers of so few different values are names, such as stars or yes and no: each is a part
_DIGITS = 6  # of a number that evaluation.jsonl keeps: cut the same before and after it was saved
_STEPS = 50  # a bound is rounded to a step as wide as a fiftieth of where most numbers lie, or finer


@dataclass(frozen=True, eq=False)
class Part:
    """The records, bool (n,), for which `words` hold, as "brightness below 0.31"."""

    words: str
    inside: np.ndarray


def parts_of(trait: str, values: np.ndarray, fewest: int) -> list[Part]:
    """The parts of n records by the `values` (n,) of a trait: numbers with nan, or texts with "", where unknown.

    Of texts every one is a part, of numbers up to four ranges that hold about as many records each, `fewest` at the
    least; what is unknown is in none. A part may be all there is.
    """
    if values.dtype == object:
        texts = values.astype(str)
        return [Part(f"{trait} is {text}", texts == text) for text in np.unique(texts).tolist() if text]
    numbers = np.array([float(f"{value:.{_DIGITS}g}") for value in values.tolist()])
    known = np.isfinite(numbers)
    different = np.unique(numbers[known])
    if len(different) <= FEW:
        return [Part(f"{trait} is {value:,g}", numbers == value) for value in different.tolist()]
    bounds, decimals = _bounds(numbers[known], min(PARTS, int(known.sum()) // fewest))
    place = np.where(known, np.searchsorted(bounds, np.where(known, numbers, 0), side="right"), -1)
    said = [f"{bound:,.{max(decimals, 0)}f}" for bound in bounds.tolist()]
    return [Part(_range(trait, said, at), place == at) for at in range(len(said) + 1)]


def _bounds(numbers: np.ndarray, parts: int) -> tuple[np.ndarray, int]:
    """Where to cut, float64 rising, at most `parts` - 1 of them, and the decimals they are rounded to."""
    low, high = np.quantile(numbers, (0.1, 0.9))
    decimals = 0 if high <= low else math.ceil(-math.log10((high - low) / _STEPS))
    cuts = np.quantile(numbers, np.arange(1, parts) / parts) if parts > 1 else np.empty(0)
    rounded = np.unique(np.round(cuts, decimals))
    return rounded[(rounded > numbers.min()) & (rounded <= numbers.max())], decimals


def _range(trait: str, bounds: list[str], at: int) -> str:
    if not bounds:
        return f"{trait} known"
    if at == 0:
        return f"{trait} below {bounds[0]}"
    if at == len(bounds):
        return f"{trait} {bounds[-1]} or more"
    return f"{trait} {bounds[at - 1]} to {bounds[at]}"

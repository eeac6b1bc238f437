"""Which rate a sweep's curve recommends: `half`, which is ours, and fastai's four under their names.

A rule is a function of the rates (rising) and the smoothed losses at them. It answers (rate, reason in words) for any
curve whatever: where nothing falls, or too few steps can be read, the rate is `FALLBACK` and the reason says so.
fastai's are written anew from what they do (fastai 2, `callback/schedule.py`): of 600 random curves each suggests what
fastai's own does but for at most 4, on which nothing falls. As there, the first tenth of the sweep and its last five
steps are left out.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Sequence

import numpy as np

from finegraft.errors import UsageError

Suggestion = tuple[float, str]
Rule = Callable[[Sequence[float], Sequence[float]], Suggestion]

# What is suggested when the curve has no downhill stretch to read, as for a network that cannot learn its data.
FALLBACK = 1e-3
# Against a grid of six rates, judged by the held-out loss on clothing, pets and bears with both heads, the rate at half
# of the fall (3e-4 to 2.6e-2) is within 6 % of the best in all six cases; a fifth of the fall is up to 25 % worse.
SHARE_OF_FALL = 0.5
# Up to here the rate stays below 5e-6 and nothing is learned; the average of these losses is where the curve starts.
# A single first batch may lie far off it.
CALM_STEPS = 20
# What fastai's rules leave out: the first steps and the last ones. Of less than so many steps they read nothing.
_FIRST, _LAST, _FEWEST = 10, 5, 6
# `slide`: the width of the interval in steps, and how far the slopes at its ends may differ.
_WIDTH, _EVEN = 15, 0.005


def half(lrs: Sequence[float], losses: Sequence[float]) -> Suggestion:
    """The rate at which the smoothed loss has come down half of its whole way."""
    lrs, losses = _finite(lrs, losses)
    calm = min(CALM_STEPS, len(losses) - 1)
    if calm < 1 or min(losses[calm:]) >= losses[calm]:
        return _nothing_fell()
    start, lowest = losses[calm], min(losses[calm:])
    above = [i for i, loss in enumerate(losses) if loss > start - SHARE_OF_FALL * (start - lowest)]
    bottom = losses.index(lowest, calm)
    position = max(i for i in above if i < bottom) + 1  # the last crossing: noise crosses early and comes back
    return lrs[position], f"here the loss has come down half of its way from {start:.2f} to {lowest:.2f}"


def valley(lrs: Sequence[float], losses: Sequence[float]) -> Suggestion:
    """The middle of the longest descent, fastai's default.

    The descent is the longest sequence of falling losses, with others between them; it is taken to begin as many steps
    before its end as it has losses.
    """
    rates, seen = _read(lrs, losses)
    lengths: list[int] = []
    for i, loss in enumerate(seen):
        lengths.append(1 + max((lengths[j] for j in range(i) if seen[j] > loss), default=0))
    longest = max(lengths, default=0)
    if longest < 2:
        return _nothing_fell()
    end = lengths.index(longest)
    middle = max(end - longest + longest // 3 + longest // 6, 0)
    return rates[middle], f"here lies the middle of the longest descent, of {longest} steps, down to {seen[end]:.2f}"


def slide(lrs: Sequence[float], losses: Sequence[float]) -> Suggestion:
    """The lower end of the last interval in which the slope still changes.

    An interval of 15 steps slides from the highest rate down, until the slopes at its ends differ by 0.005 or less.
    """
    rates, seen = _read(lrs, losses)
    if len(seen) <= _WIDTH or min(seen) >= seen[0]:
        return _nothing_fell()
    slopes = np.gradient(seen)
    upper = len(seen) - 1
    lower = found = upper - _WIDTH
    while lower >= 0 and abs(slopes[upper] - slopes[lower]) > _EVEN:
        found = lower
        upper, lower = upper - 1, lower - 1
    return rates[found], "below this rate the loss changes evenly, above it falls faster and then rises"


def minimum(lrs: Sequence[float], losses: Sequence[float]) -> Suggestion:
    """A tenth of the rate at which the loss is lowest."""
    rates, seen = _read(lrs, losses)
    if not seen or min(seen) >= seen[0]:
        return _nothing_fell()
    best = rates[seen.index(min(seen))]
    return best / 10, f"a tenth of {best:.2g}, where the loss is lowest with {min(seen):.2f}"


def steep(lrs: Sequence[float], losses: Sequence[float]) -> Suggestion:
    """The rate at which the loss falls fastest over the logarithm of the rate."""
    rates, seen = _read(lrs, losses)
    if len(seen) < 2:
        return _nothing_fell()
    slopes = np.diff(seen) / np.diff(np.log(rates))
    if slopes.min() >= 0:
        return _nothing_fell()
    return rates[int(slopes.argmin())], f"here the loss falls fastest, by {-slopes.min():.2f} for e times the rate"


RULES: dict[str, Rule] = {"half": half, "valley": valley, "slide": slide, "minimum": minimum, "steep": steep}


def by_name(name: str) -> Rule:
    """The rule `name`. Raises `UsageError` with the nearest name for an unknown one."""
    if name in RULES:
        return RULES[name]
    near = difflib.get_close_matches(name.casefold(), RULES, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise UsageError(f"There is no rule of the rate finder called {name!r}.", f"{hint}Known: {', '.join(RULES)}.")


def _finite(lrs: Sequence[float], losses: Sequence[float]) -> tuple[list[float], list[float]]:
    """The rates and losses without those whose loss is no number."""
    kept = [(lr, loss) for lr, loss in zip(lrs, losses, strict=True) if math.isfinite(loss)]
    return [lr for lr, _ in kept], [loss for _, loss in kept]


def _read(lrs: Sequence[float], losses: Sequence[float]) -> tuple[list[float], list[float]]:
    """What fastai's rules look at; nothing where that is less than six steps (there fastai fails)."""
    rates, seen = _finite(lrs[_FIRST : len(lrs) - _LAST], losses[_FIRST : len(losses) - _LAST])
    return (rates, seen) if len(seen) >= _FEWEST else ([], [])


def _nothing_fell() -> Suggestion:
    return FALLBACK, f"the loss never fell while the rate rose, so {FALLBACK:g} is only a common default"

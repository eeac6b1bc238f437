"""The learning-rate finder: a short sweep through all rates, and the one the curve recommends.

Smith, 2017, "Cyclical Learning Rates for Training Neural Networks", arXiv 1506.01186. The sweep is fastai's; the rules
that read its curve are in `finegraft.training.lr_rules`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from finegraft.display import html_of
from finegraft.training import lr_rules
from finegraft.training.loaders import Feed
from finegraft.training.loop import Stepper
from finegraft.training.objective import Objective
from finegraft.training.optimizers import Optimizer, sgd
from finegraft.training.schedule import exponential
from finegraft.training.untouched import untouched

START, END, STEPS = 1e-7, 10.0, 100
# The sweep ends once the smoothed loss exceeds this many times its best.
BLOWN_UP = 4.0
SMOOTHING = 0.98
RULE = "half"


@dataclass(frozen=True)
class LRCurve:
    """The sweep: `losses[i]` is the smoothed training loss at rate `lrs[i]`; `suggestion` follows `rule`.

    `reason` says in one sentence what on the curve led to the suggestion.
    """

    lrs: tuple[float, ...]
    losses: tuple[float, ...]
    suggestion: float
    rule: str
    reason: str

    def _repr_html_(self) -> str:
        return html_of(self)

    def to_json(self) -> dict[str, Any]:
        """The JSON of `finegraft lr`."""
        return {
            "suggestion": self.suggestion,
            "rule": self.rule,
            "reason": self.reason,
            "lrs": list(self.lrs),
            "losses": list(self.losses),
        }


def find_lr(
    network: nn.Module,
    batches: Feed,
    objective: Objective,
    optimizer: Callable[[nn.Module], Optimizer] = sgd,
    rule: str = RULE,
) -> LRCurve:
    """Sweep the rate from 1e-7 to 10 in 100 steps, and suggest one by `rule`, a name in `lr_rules.RULES`.

    `optimizer` makes that of the sweep. Where its groups have a `scale`, the rate is that of a scale of 1. The network
    and all generators of random numbers are left as they were, bit for bit. Small sets are gone through repeatedly. No
    curve is an error: where none can be read the suggestion is a common default, and its reason says so. Raises
    `UsageError` for an unknown rule.
    """
    suggest = lr_rules.by_name(rule)
    with untouched(network, batches.seed):  # dropout draws from this seed: the same sweep every time
        lrs, losses = _sweep(Stepper(network, optimizer(network), objective), batches)
    suggestion, reason = suggest(lrs, losses)
    return LRCurve(tuple(lrs), tuple(losses), suggestion, rule, reason)


def _sweep(step: Stepper, batches: Feed) -> tuple[list[float], list[float]]:
    schedule = exponential(START, END)
    lrs: list[float] = []
    losses: list[float] = []
    step.network.train()
    average, best, epoch, feed = 0.0, math.inf, 0, batches.epoch(0)
    for number in range(STEPS):
        if (batch := next(feed, None)) is None:
            epoch += 1
            feed = batches.epoch(epoch)
            batch = next(feed)
        settings = schedule(number / (STEPS - 1))
        # An exponential average, corrected for starting at zero (as Adam corrects its moments).
        average = SMOOTHING * average + (1 - SMOOTHING) * step(batch[0], batch[1], settings).item()
        smoothed = average / (1 - SMOOTHING ** (number + 1))
        if not math.isfinite(smoothed) or smoothed > BLOWN_UP * best:
            break
        best = min(best, smoothed)
        lrs.append(settings.rate)
        losses.append(smoothed)
    return lrs, losses

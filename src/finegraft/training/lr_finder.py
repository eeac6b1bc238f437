"""The learning-rate finder: a short sweep through all rates, and the one the curve recommends.

Smith, 2017, "Cyclical Learning Rates for Training Neural Networks", arXiv 1506.01186. The sweep is fastai's; the rule
is ours, since fastai's default reads the middle of the longest descent, and a head on frozen features descends from
the first step on: the sweep's arbitrary start would move the suggestion.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from finegraft.display import html_of
from finegraft.training.loaders import Feed
from finegraft.training.objective import Objective
from finegraft.training.optimizers import Optimizer, set_step, sgd
from finegraft.training.schedule import exponential

START, END, STEPS = 1e-7, 10.0, 100
# The sweep ends once the smoothed loss exceeds this many times its best.
BLOWN_UP = 4.0
SMOOTHING = 0.98
# Against a grid of six rates, judged by the held-out loss on clothing, pets and bears with both heads, the rate at half
# of the fall (3e-4 to 2.6e-2) is within 6 % of the best in all six cases; a fifth of the fall is up to 25 % worse.
SHARE_OF_FALL = 0.5
# Up to here the rate stays below 5e-6 and nothing is learned; the average of these losses is where the curve starts.
# A single first batch may lie far off it.
CALM_STEPS = 20
# What is suggested when the curve has no downhill stretch to read, as for a network that cannot learn its data.
FALLBACK = 1e-3


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
) -> LRCurve:
    """Sweep the rate from 1e-7 to 10 in 100 steps on a copy of `network`, and suggest one by the rule "half".

    `optimizer` makes that of the copy. Where its groups have a `scale`, the rate is that of a scale of 1.
    The network and torch's generator are left as they were, bit for bit. Small sets are gone through repeatedly.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(batches.seed)  # dropout draws from here: the same sweep every time
        copied = copy.deepcopy(network)
        lrs, losses = _sweep(copied, batches, objective, optimizer(copied))
    suggestion, reason = half(lrs, losses)
    return LRCurve(tuple(lrs), tuple(losses), suggestion, "half", reason)


def _sweep(
    network: nn.Module, batches: Feed, objective: Objective, optimizer: Optimizer
) -> tuple[list[float], list[float]]:
    schedule = exponential(START, END)
    lrs: list[float] = []
    losses: list[float] = []
    network.train()
    average, best, epoch, feed = 0.0, math.inf, 0, batches.epoch(0)
    for number in range(STEPS):
        if (batch := next(feed, None)) is None:
            epoch += 1
            feed = batches.epoch(epoch)
            batch = next(feed)
        step = schedule(number / (STEPS - 1))
        set_step(optimizer, step)
        loss = objective(network(batch[0]), batch[1])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        # An exponential average, corrected for starting at zero (as Adam corrects its moments).
        average = SMOOTHING * average + (1 - SMOOTHING) * loss.item()
        smoothed = average / (1 - SMOOTHING ** (number + 1))
        if not math.isfinite(smoothed) or smoothed > BLOWN_UP * best:
            break
        best = min(best, smoothed)
        lrs.append(step.rate)
        losses.append(smoothed)
    return lrs, losses


def half(lrs: Sequence[float], losses: Sequence[float]) -> tuple[float, str]:
    """The rate at which the smoothed loss has come down half of its whole way, and the reason in words.

    Where nothing falls, the answer is 1e-3 and the reason says so.
    """
    calm = min(CALM_STEPS, len(losses) - 1)
    if calm < 1 or min(losses[calm:]) >= losses[calm]:
        return FALLBACK, f"the loss never fell while the rate rose, so {FALLBACK:g} is only a common default"
    start, lowest = losses[calm], min(losses[calm:])
    above = [i for i, loss in enumerate(losses) if loss > start - SHARE_OF_FALL * (start - lowest)]
    bottom = losses.index(lowest, calm)
    position = max(i for i in above if i < bottom) + 1  # the last crossing: noise crosses early and comes back
    reason = f"here the loss has come down half of its way from {start:.2f} to {lowest:.2f}"
    return lrs[position], reason

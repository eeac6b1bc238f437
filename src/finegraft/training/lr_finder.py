"""The learning-rate finder: a short sweep through all rates, and the one the curve recommends.

Smith, 2017, "Cyclical Learning Rates for Training Neural Networks", arXiv 1506.01186; rules after fastai.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from finegraft.training.loaders import Batches
from finegraft.training.objective import Objective
from finegraft.training.optimizers import adamw, set_step
from finegraft.training.schedule import exponential

START, END, STEPS = 1e-7, 10.0, 100
# The sweep ends once the smoothed loss exceeds this many times its best.
BLOWN_UP = 4.0
SMOOTHING = 0.98
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

    def to_json(self) -> dict[str, Any]:
        """The JSON of `finegraft lr`."""
        return {
            "suggestion": self.suggestion,
            "rule": self.rule,
            "reason": self.reason,
            "lrs": list(self.lrs),
            "losses": list(self.losses),
        }


def find_lr(network: nn.Module, batches: Batches, objective: Objective) -> LRCurve:
    """Sweep the rate from 1e-7 to 10 in 100 steps on a copy of `network`, and suggest one by the valley rule.

    The network and torch's generator are left as they were, bit for bit. Small sets are gone through repeatedly.
    """
    generator_state = torch.get_rng_state()
    try:
        lrs, losses = _sweep(copy.deepcopy(network), batches, objective)
    finally:
        torch.set_rng_state(generator_state)
    suggestion, reason = valley(lrs, losses)
    return LRCurve(tuple(lrs), tuple(losses), suggestion, "valley", reason)


def _sweep(network: nn.Module, batches: Batches, objective: Objective) -> tuple[list[float], list[float]]:
    optimizer, schedule = adamw(network), exponential(START, END)
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


def valley(lrs: list[float], losses: list[float]) -> tuple[float, str]:
    """The rate about two thirds down the longest downhill run of the curve, and the reason in words.

    fastai's default rule: the longest strictly falling subsequence of losses, the point in the middle of its
    middle third. Where nothing falls, the answer is 1e-3 and the reason says so.
    """
    run = longest_fall(losses)
    if len(run) < 3:
        return FALLBACK, f"the loss never fell while the rate rose, so {FALLBACK:g} is only a common default"
    third = len(run) // 3
    chosen = lrs[run[third + third // 2]]
    first, last = lrs[run[0]], lrs[run[-1]]
    reason = f"the loss falls longest from {first:.1e} to {last:.1e}; {chosen:.1e} lies in the middle third of that"
    return chosen, reason


def longest_fall(losses: list[float]) -> list[int]:
    """Positions of a longest strictly decreasing subsequence, in order (patience sorting, n log n)."""
    import bisect

    tails: list[float] = []  # tails[k]: the negated loss ending the best subsequence of length k + 1
    ends: list[int] = []
    before: list[int] = []
    for i, loss in enumerate(losses):
        place = bisect.bisect_left(tails, -loss)
        tails[place : place + 1] = [-loss]
        ends[place : place + 1] = [i]
        before.append(ends[place - 1] if place else -1)
    run: list[int] = []
    at = ends[-1] if ends else -1
    while at >= 0:
        run.append(at)
        at = before[at]
    return run[::-1]

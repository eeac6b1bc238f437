"""Training a whole network: the layers of the trunk and the head together, with records kept aside to watch it by."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor, nn

from finegraft.data.record import Record
from finegraft.errors import UsageError
from finegraft.models.groups import Group, frozen_below, undecayed
from finegraft.training import loop, optimizers
from finegraft.training.callbacks import KeepBest
from finegraft.training.compiling import compiled, pays
from finegraft.training.grafted import Grafted
from finegraft.training.ground import Examples
from finegraft.training.loaders import Feed
from finegraft.training.lr_finder import RULE, LRCurve, find_lr
from finegraft.training.mixing import How, Mixed, of_mixed
from finegraft.training.objective import Objective
from finegraft.training.optimizers import Optimizer
from finegraft.training.plan import Cost
from finegraft.training.rates import Rates, default_rate, peak_and_scales
from finegraft.training.schedule import Schedule
from finegraft.training.tasks import Task
from finegraft.training.trunks import Trunk

BATCH_SIZE = 32
# Records that a training's cost is measured on: a second or two of them.
_TIMED = 96


@dataclass(frozen=True)
class Manner:
    """How a network learns: how records are mixed in pairs meanwhile, None for not at all, and by which `optimizer`, a
    name in `optimizers.NAMES`. Raises `UsageError` for another one.
    """

    mix: How | None = None
    optimizer: str = "adamw"

    def __post_init__(self) -> None:
        optimizers.check(self.optimizer)
        if self.mix is not None and self.mix not in get_args(How):
            raise UsageError(f"Records are mixed by {' or '.join(get_args(How))}, got {self.mix!r}.")


class Tuning:
    """A trunk and a head that learn from `learn`. How good they are is asked on `aside`, which they never learn from.

    `objective` is what is minimised; what is watched is the loss by which `task` compares heads: as if calibrated,
    since a network may become ever surer of what it knows and no worse. The head goes on from where it stands. `below`
    is how many groups of the backbone's layers lie below the trunk. All of its own learn until `freeze_to` says
    otherwise.
    """

    def __init__(
        self,
        trunk: Trunk,
        head: nn.Sequential,
        objective: Objective,
        task: Task,
        learn: Examples,
        aside: Examples,
        *,
        batch_size: int = BATCH_SIZE,
        seed: int = 0,
        below: int = 0,
        manner: Manner | None = None,
    ) -> None:
        self.trunk = trunk
        self.network = Grafted(trunk.network, head, averages=not trunk.pretrained)
        self.groups: list[Group] = [*trunk.groups(), ("head", list(head.parameters()))]
        self.below = below
        self._total = below + len(self.groups)
        self.learn = learn
        self.aside = aside
        self.best = KeepBest()
        self.fits = 0  # stretches of training
        self._objective: Objective = of_mixed(objective)
        self._manner = manner or Manner()
        self._task = task
        self._batch_size = batch_size
        self._seed = seed
        self.freeze_to(0)

    def holds(self, n: int) -> bool:
        """Whether the groups of the whole backbone from number `n` on are in this trunk; the head is the last, -1."""
        return n % self._total >= self.below if -self._total <= n < self._total else True

    def freeze_to(self, n: int) -> None:
        """Let only the groups from number `n` on learn, counted in the whole backbone with the head as the last, -1.

        Raises `UsageError` where there is no such group.
        """
        if not -self._total <= n < self._total:
            raise UsageError(f"There are {self._total} groups of layers, so none can be number {n}.")
        self.learning = frozen_below(self.groups, max(n % self._total - self.below, 0))

    def default_rate(self) -> float:
        """The peak of the rate where none is asked for: a known one of Adam and its kin, the finder's of others.

        What a network nearly knows has a flat curve, which the finder reads badly; and no rate is known for the others.
        """
        if self._manner.optimizer not in optimizers.OF_ADAM:
            return self.find_lr().suggestion
        return default_rate(len(self.learn.records), self.trunk.pretrained)

    def find_lr(self, rates: Rates = 1.0, rule: str = RULE) -> LRCurve:
        """Sweep the rate, in the proportions of `rates` from group to group. Nothing changes."""
        _, scales = peak_and_scales(rates, len(self.learning))
        return find_lr(self.network, self._feed(), self._objective, lambda _: self._optimizer(scales), rule)

    def cost(self, further: int) -> Cost:
        """What a training costs here, measured on a few records; `further` ones are asked about at its end.

        Nothing changes: a copy takes the steps.
        """
        few = self.learn.rows(np.arange(min(_TIMED, len(self.learn.records))))
        network = copy.deepcopy(self.network).train()

        def view() -> list[tuple[Any, Tensor]]:
            return list(self.trunk.feed(few.records, few.truth, self._batch_size, self._seed).epoch(0))

        def learn() -> None:
            for inputs, truth in batches:
                self._objective(network(inputs), truth).backward()  # type: ignore[no-untyped-call]

        def ask() -> None:
            self.trunk.features(few.records)

        def seconds(done: Callable[[], object]) -> float:
            if on_card := self.learn.truth.device.type == "cuda":
                torch.cuda.synchronize()
            started = time.perf_counter()
            done()
            if on_card:
                torch.cuda.synchronize()
            return time.perf_counter() - started

        batches: list[tuple[Any, Tensor]] = []
        first = seconds(lambda: batches.extend(view()))
        learn()
        self.trunk.features(few.records[:1])  # what is done once, compiling and allocating, is done by now
        per_record = [seconds(done) / len(few.records) for done in (view, learn, ask)]
        # Where photos are kept on a card, the first view has read them; a processor has made a graph meanwhile.
        read = max(0.0, first / len(few.records) - per_record[0]) if self.learn.truth.device.type == "cuda" else 0.0
        n, asked = len(self.learn.records), len(self.aside.records) + further
        return Cost(
            per_record[0] * n,
            per_record[1] * n,
            per_record[2] * asked + read * n,
            self.trunk.views,
            self.trunk.efforts,
        )

    def fit(self, schedule: Schedule, epochs: int, scales: Sequence[float], callbacks: Sequence[object] = ()) -> None:
        """Train by `schedule`; each group that learns gets its part, in `scales`, of the rate.

        The weights of the epoch with the lowest loss on `aside` are kept.
        """
        self.fits += 1
        feed = self._feed(epochs)
        device = self.learn.truth.device
        same = len(set(self.trunk.efforts(epochs))) == 1  # every size of photos would be compiled for itself
        faster = same and pays(device.type, epochs * len(feed))
        drawn_from = [device] if device.type == "cuda" else []
        # Dropout draws from there: repeatable, the caller's generators kept.
        with compiled(self.network, faster), torch.random.fork_rng(devices=drawn_from):
            torch.manual_seed(self._seed)
            loop.fit(
                self.network,
                feed,
                self._optimizer(scales),
                self._objective,
                schedule,
                epochs,
                lambda _: self._watched(),
                [self.best, *callbacks, feed],  # a feed whose photos grow must hear of epochs taken back
            )

    def scores(self, records: Sequence[Record]) -> Tensor:
        """Scores (n, k) of `records` unchanged, by the network as it stands."""
        return loop.scores_of(self.network.head, self.trunk.features(records))

    def _watched(self) -> tuple[float, float]:
        scores, truth = self.scores(self.aside.records).cpu(), self.aside.truth.cpu()
        return self._task.loss(scores.numpy(), truth.numpy()), self._task.error(scores, truth)

    def _feed(self, epochs: int | None = None) -> Feed:
        feed = self.trunk.feed(self.learn.records, self.learn.truth, self._batch_size, self._seed, epochs)
        return feed if self._manner.mix is None else Mixed(feed, self._manner.mix)

    def _optimizer(self, scales: Sequence[float]) -> Optimizer:
        """That of the groups that learn, each with its part of the rate."""
        groups = [(parameters, scale) for (_, parameters), scale in zip(self.learning, scales, strict=True)]
        return optimizers.by_name(self._manner.optimizer, groups, undecayed=undecayed(self.network))

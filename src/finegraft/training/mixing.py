"""Records mixed in pairs while they are learned from: mixup and cutmix.

Zhang et al., 2018, "mixup: Beyond Empirical Risk Minimization", arXiv 1710.09412; Yun et al., 2019, "CutMix", arXiv
1905.04899. The loss of a pair is that of both truths, weighed as they were mixed, so it works for classes, tags and
numbers alike. What is mixed are the inputs of the part that learns: photos, or the maps below which nothing learns
(Verma et al., 2019, "Manifold Mixup", arXiv 1806.05236).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from finegraft.training.callbacks import State, notify
from finegraft.training.loaders import Feed
from finegraft.training.objective import Objective

How = Literal["mixup", "cutmix"]
# Both parameters of the beta distribution that weights are drawn from: the papers' own for photos.
ALPHA = {"mixup": 0.2, "cutmix": 1.0}


@dataclass(frozen=True)
class MixedTruth:
    """The truth of a batch of pairs: `own` (n, …) counts `weight` in 0..1, that of the `other` (n, …) the rest."""

    own: Tensor
    other: Tensor
    weight: float

    def __len__(self) -> int:
        return len(self.own)


def of_mixed(objective: Objective) -> Any:
    """`objective` for scores and a `MixedTruth`, or a plain truth."""

    def of(scores: Tensor, truth: Tensor | MixedTruth) -> Tensor:
        if not isinstance(truth, MixedTruth):
            return objective(scores, truth)
        return truth.weight * objective(scores, truth.own) + (1 - truth.weight) * objective(scores, truth.other)

    return of


@dataclass(frozen=True)
class Mixed:
    """The batches of `feed`, every record mixed with another one of its batch; a `Feed`.

    What is drawn depends on the feed's seed, the epoch and the batch alone.
    """

    feed: Feed
    how: How

    @property
    def seed(self) -> int:
        """That of the feed."""
        return self.feed.seed

    @property
    def records(self) -> int:
        """Records of an epoch."""
        return self.feed.records

    def on_epoch_end(self, state: State) -> None:
        """Whoever feeds it may want to hear of that."""
        notify([self.feed], "on_epoch_end", state)

    def __len__(self) -> int:
        """Batches of an epoch."""
        return len(self.feed)

    def epoch(self, number: int) -> Iterator[tuple[Any, Any]]:
        """The mixed mini-batches of one epoch."""
        for place, (inputs, truth) in enumerate(self.feed.epoch(number)):
            draw = np.random.default_rng([self.seed, number, place])
            order = torch.from_numpy(draw.permutation(len(truth)))
            weight = float(draw.beta(ALPHA[self.how], ALPHA[self.how]))
            if self.how == "cutmix":
                mixed, weight = cut_in(inputs, order, weight, draw)
            else:
                mixed = blended(inputs, order, weight)
            yield mixed, MixedTruth(truth, truth[order.to(truth.device)], weight)


def blended(inputs: Any, order: Tensor, weight: float) -> Any:
    """Every input times `weight`, and the one that `order` (n,) puts in its place times the rest, as float32.

    `inputs` are a tensor (n, …), or a tuple of such.
    """
    if isinstance(inputs, tuple):
        return tuple(blended(part, order, weight) for part in inputs)
    values = inputs.float()
    return weight * values + (1 - weight) * values[order.to(values.device)]


def cut_in(inputs: Any, order: Tensor, weight: float, draw: np.random.Generator) -> tuple[Any, float]:
    """Every input with a rectangle of another one, of 1 - `weight` of the area or what of it lies inside.

    `inputs` are photos (n, h, w, 3), or (maps (n, c, h, w), averages (n, b)), which are blended by area. Returns them
    with the weight that is left to their own.
    """
    if isinstance(inputs, tuple):
        maps, averages = inputs
        cut, left = cut_in(maps.permute(0, 2, 3, 1), order, weight, draw)
        return (cut.permute(0, 3, 1, 2), blended(averages, order, left)), left
    height, width = inputs.shape[1:3]
    side = np.sqrt(1 - weight)
    middle_y, middle_x = draw.uniform(0, height), draw.uniform(0, width)
    top, bottom = (int(np.clip(round(middle_y + s * side * height / 2), 0, height)) for s in (-1, 1))
    left_, right = (int(np.clip(round(middle_x + s * side * width / 2), 0, width)) for s in (-1, 1))
    cut = inputs.clone()
    cut[:, top:bottom, left_:right] = inputs[order.to(inputs.device)][:, top:bottom, left_:right]
    return cut, 1 - (bottom - top) * (right - left_) / (height * width)

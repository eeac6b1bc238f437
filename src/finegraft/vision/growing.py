"""Progressive resizing: training begins with small photos, which cost a fraction, and ends with those of full size.

Howard et al., 2018 (fast.ai's entry to DAWNBench); Tan and Le, 2021, "EfficientNetV2", arXiv 2104.00298, section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from finegraft.errors import UsageError
from finegraft.models.backbones import Backbone
from finegraft.models.network import has_fixed_size
from finegraft.training.callbacks import State
from finegraft.training.loaders import Feed

# Networks halve a photo up to five times, so sides between the ends are multiples of 32 pixels.
STEP = 32
# The part of the epochs, at the end, that see photos as large as those that are judged.
_AT_LAST = 0.25


def sides(smallest: int, largest: int, epochs: int) -> list[int]:
    """Pixels of a side in each epoch: from `smallest` by equal steps to `largest`, which the last quarter sees.

    >>> sides(128, 288, 4), sides(128, 288, 1)
    ([128, 192, 224, 288], [288])
    """
    rising = epochs - max(1, round(epochs * _AT_LAST))
    between = [smallest + (largest - smallest) * epoch / rising for epoch in range(1, rising)]
    climbed = [min(max(smallest, round(side / STEP) * STEP), largest) for side in between]
    return [smallest, *climbed][:rising] + [largest] * (epochs - rising)


def check(smallest: int | None, largest: int, backbone: Backbone) -> None:
    """Raise `UsageError` unless `backbone` may begin with photos of `smallest` pixels; None asks nothing."""
    if smallest is None:
        return
    if not backbone.can_learn:
        raise UsageError(backbone.cannot_learn, "Use lite0, lite2 or timm:NAME to fine-tune.")
    if has_fixed_size(backbone):
        raise UsageError(f"{backbone.name} takes photos of one size only.", "Leave out the size to begin with.")
    if not STEP <= smallest < largest:
        raise UsageError(
            f"Photos to begin with have {STEP} to {largest - 1} pixels where the last have {largest}, got {smallest}."
        )


@dataclass
class Growing:
    """A `Feed` of others, one for each size, which `by_side` makes: from `smallest` to `largest` over `epochs`.

    As a callback it hears of epochs that are taken back, and lets photos grow faster.
    """

    by_side: Callable[[int], Feed]
    smallest: int
    largest: int
    epochs: int
    _now: tuple[int, Feed] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        first = self._sides[0]
        self._now = first, self.by_side(first)

    @property
    def _sides(self) -> list[int]:
        return sides(self.smallest, self.largest, self.epochs)

    def on_epoch_end(self, state: State) -> None:
        """The last epochs see photos of full size, however many there are."""
        self.epochs = state.epochs

    @property
    def seed(self) -> int:
        """As of the others."""
        return self._now[1].seed

    @property
    def records(self) -> int:
        """Records of an epoch."""
        return self._now[1].records

    def __len__(self) -> int:
        """Batches of an epoch."""
        return len(self._now[1])

    def epoch(self, number: int) -> Iterator[tuple[Any, Tensor]]:
        """The mini-batches of one epoch."""
        side = self._sides[number]
        if side != self._now[0]:  # what the smaller one kept is given back
            self._now = side, self.by_side(side)
        return self._now[1].epoch(number)

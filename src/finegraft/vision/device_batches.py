"""Mini-batches of photos that lie on a card, decoded once, and are changed there: nothing on the host is waited for.

A card learns from thousands of photos a second, many times what the processors beside it decode. So every photo is
decoded once, a little larger than it is learned from, and kept as bytes on the card; a view of it, drawn from the same
numbers as in `finegraft.vision.changing`, is one bilinear sampling of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from finegraft.data.record import Record
from finegraft.training.loaders import batches_in_order, batches_of
from finegraft.vision.changing import Changing
from finegraft.vision.device_views import changed, drawn

# How much larger photos are kept than they are learned from: parts of a third of the area are then seen at 0.75 of
# their size at least.
LARGER = 1.3
_READ_AT_ONCE = 512
# Of a card's free memory; the network, its gradients and a batch need the rest.
SHARE = 0.4


@dataclass(frozen=True)
class DeviceBatches:
    """Photos float32 (b, size, size, 3) in 0..255 and their truth, from `photos` uint8 (n, s, s, 3) on the device.

    Epoch e shows view 1 + e of every record; the order is that of `finegraft.training.loaders.Batches`.
    """

    items: Sequence[Record]
    photos: Tensor
    truth: Tensor
    size: int
    seed: int
    changing: Changing

    @property
    def records(self) -> int:
        """Records of an epoch."""
        return len(self.items)

    def __len__(self) -> int:
        """Batches of an epoch."""
        return batches_of(len(self.items), self.size)

    def epoch(self, number: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The mini-batches of one epoch."""
        for rows in batches_in_order(len(self.items), self.size, self.seed, number):
            how, seed = self.changing.augmentation, self.changing.seed
            side = self.changing.size
            views = [drawn(how, seed, number + 1, self.items[row].digest, side) for row in rows.tolist()]
            there = rows.to(self.photos.device, non_blocking=True)
            yield changed(self.photos[there], views, side), self.truth[there]


def room_for(records: int, side: int, free: int) -> bool:
    """Whether so many photos of `side` pixels may be kept where `free` bytes are free."""
    return records * side * side * 3 <= SHARE * free


def gathered(
    records: Sequence[Record], side: int, read: Callable[[Sequence[Record], int], list[np.ndarray]], device: str
) -> Tensor:
    """The photos of `records` as `read` gives them at `side` pixels, uint8 (n, side, side, 3) on `device`.

    They go there some at a time: the host holds no second copy of all.
    """
    kept = torch.empty((len(records), side, side, 3), dtype=torch.uint8, device=device)
    for start in range(0, len(records), _READ_AT_ONCE):
        some = records[start : start + _READ_AT_ONCE]
        kept[start : start + len(some)] = stacked(read(some, side), device)
    return kept


def stacked(photos: Sequence[np.ndarray], device: str) -> Tensor:
    """uint8 photos, each (s, s, 3), as one tensor on `device`."""
    return torch.from_numpy(np.stack(photos)).to(device)

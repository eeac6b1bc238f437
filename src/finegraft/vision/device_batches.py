"""Mini-batches of photos that lie on a card, decoded once, and are changed there: nothing on the host is waited for.

A card learns from thousands of photos a second, many times what the processors beside it decode. So every photo is
decoded once, a little larger than it is learned from, and kept as bytes on the card; a view of it, drawn from the same
numbers as in `finegraft.vision.changing`, is one bilinear sampling of a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from finegraft.data.record import Record
from finegraft.training.loaders import batches_in_order, batches_of
from finegraft.vision.changing import Changing, generator, random_part
from finegraft.vision.sets import Augmentation

# How much larger photos are kept than they are learned from: parts of a third of the area are then seen at 0.75 of
# their size at least.
LARGER = 1.3
# Of a card's free memory; the network, its gradients and a batch need the rest.
SHARE = 0.4


@dataclass(frozen=True)
class View:
    """How one photo is changed: `part` (left, top, right, bottom) in 0..1, whether it is mirrored, brightness and
    contrast as factors.
    """

    part: tuple[float, float, float, float]
    mirrored: bool
    brightness: float
    contrast: float


def can_draw(how: Augmentation) -> bool:
    """Whether photos are changed here in that way: parts, mirror images and light, no more."""
    return not (how.turn or how.tilt or how.colour or how.hue or how.erase or how.operations)


def drawn(how: Augmentation, seed: int, view: int, digest: str) -> View:
    """View number `view` of a square photo, by what `finegraft.vision.changing` draws."""
    draw = generator(seed, view, digest)
    part = (0.0, 0.0, 1.0, 1.0) if how.area is None else random_part(draw, 1, 1, how.area)
    mirrored = how.mirror and bool(draw.random() < 0.5)
    brightness, contrast = draw.uniform(1 - how.light, 1 + how.light, 2) if how.light else (1.0, 1.0)
    return View(part, mirrored, float(brightness), float(contrast))


def changed(photos: Tensor, views: Sequence[View], size: int) -> Tensor:
    """uint8 photos (n, s, s, 3) as `views` show them, float32 (n, size, size, 3) in 0..255, on their device."""
    rows = [(*view.part, -1.0 if view.mirrored else 1.0, view.brightness, view.contrast) for view in views]
    # One copy, not waited for: whatever made the host wait would leave the card idle.
    left, top, right, bottom, flip, brightness, contrast = (
        torch.tensor(rows, dtype=torch.float32).to(photos.device, non_blocking=True).unbind(1)
    )
    zero = torch.zeros_like(flip)
    across = torch.stack([(right - left) * flip, zero, left + right - 1], dim=1)
    down = torch.stack([zero, bottom - top, top + bottom - 1], dim=1)
    theta = torch.stack([across, down], dim=1)
    grid = nn.functional.affine_grid(theta, [len(views), 3, size, size], align_corners=False)
    planes = photos.permute(0, 3, 1, 2).float()
    seen = nn.functional.grid_sample(planes, grid, padding_mode="border", align_corners=False)
    middle = seen.mean((1, 2, 3), keepdim=True)
    seen = (seen - middle) * contrast.view(-1, 1, 1, 1) + middle * brightness.view(-1, 1, 1, 1)
    return seen.clamp(0, 255).permute(0, 2, 3, 1)


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
            views = [drawn(how, seed, number + 1, self.items[row].digest) for row in rows.tolist()]
            there = rows.to(self.photos.device, non_blocking=True)
            yield changed(self.photos[there], views, self.changing.size), self.truth[there]


def room_for(records: int, side: int, free: int) -> bool:
    """Whether so many photos of `side` pixels may be kept where `free` bytes are free."""
    return records * side * side * 3 <= SHARE * free


def stacked(photos: Sequence[np.ndarray], device: str) -> Tensor:
    """uint8 photos, each (s, s, 3), as one tensor on `device`."""
    return torch.from_numpy(np.stack(photos)).to(device)

"""Changed photos on a device: the arithmetic of `finegraft.vision.changing`, from the same numbers, on tensors.

Operations drawn from a policy (TrivialAugment, RandAugment) are Pillow's alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from finegraft.vision import turning
from finegraft.vision.changing import ERASED, generator, random_part
from finegraft.vision.preprocess import Box
from finegraft.vision.sets import Augmentation

# ITU-R 601: the grey of a colour, as Pillow weighs it.
_GREY = (0.299, 0.587, 0.114)
_WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class View:
    """How one square photo is changed.

    `corners`: x and y, in 0..1, of where top left, bottom left, bottom right and top right come from. Saturation,
    brightness and contrast are factors, `hue` a turn of the colour wheel; `covered` (left, top, right, bottom) in 0..1
    is a rectangle of the mean colour, None for none.
    """

    corners: tuple[float, ...]
    saturation: float = 1.0
    hue: float = 0.0
    brightness: float = 1.0
    contrast: float = 1.0
    covered: Box | None = None


def can_draw(how: Augmentation) -> bool:
    """Whether photos are changed here in that way."""
    return not how.operations


def corners_of(part: Box) -> tuple[float, ...]:
    """Those of `part`, neither turned nor tilted."""
    left, top, right, bottom = part
    return left, top, left, bottom, right, bottom, right, top


def mirrored(corners: tuple[float, ...]) -> tuple[float, ...]:
    """Those of the mirror image."""
    return corners[6:] + corners[4:6] + corners[2:4] + corners[:2]


def drawn(how: Augmentation, seed: int, view: int, digest: str, size: int) -> View:
    """View number `view` of a square photo, shown at `size` pixels, by what `finegraft.vision.changing` draws."""
    draw = generator(seed, view, digest)
    part = _WHOLE if how.area is None else random_part(draw, 1, 1, how.area)
    corners = corners_of(part)
    if how.area is not None and (how.turn or how.tilt):
        angle, tilts = draw.uniform(-how.turn, how.turn), draw.uniform(0, how.tilt, (4, 2))
        corners = tuple(turning.corners_of(part, angle, tilts, (1.0, 1.0)).ravel().tolist())
    if how.mirror and draw.random() < 0.5:
        corners = mirrored(corners)
    saturation = draw.uniform(1 - how.colour, 1 + how.colour) if how.colour else 1.0
    hue = draw.uniform(-how.hue, how.hue) if how.hue else 0.0
    brightness, contrast = draw.uniform(1 - how.light, 1 + how.light, 2) if how.light else (1.0, 1.0)
    covered = None
    if how.erase and draw.random() < how.erase:
        left, top, right, bottom = (round(side) / size for side in random_part(draw, size, size, ERASED))
        covered = left, top, right, bottom
    return View(corners, saturation, hue, brightness, contrast, covered)


def changed(photos: Tensor, views: Sequence[View], size: int) -> Tensor:
    """uint8 photos (n, s, s, 3) as `views` show them, float32 (n, size, size, 3) in 0..255, on their device."""
    rows = [
        (*view.corners, view.saturation, view.hue, view.brightness, view.contrast, *(view.covered or (2, 2, 2, 2)))
        for view in views
    ]
    # One copy, not waited for: whatever made the host wait would leave the card idle.
    given = torch.tensor(rows, dtype=torch.float32).to(photos.device, non_blocking=True)
    grid = _grid(given[:, :8], size)
    seen = nn.functional.grid_sample(
        photos.permute(0, 3, 1, 2).float(), grid, padding_mode="border", align_corners=False
    )
    saturation, hue, brightness, contrast = given[:, 8:12, None, None, None].unbind(1)
    if any(view.saturation != 1.0 for view in views):
        grey = (seen * torch.tensor(_GREY).to(seen).view(1, 3, 1, 1)).sum(1, keepdim=True)
        seen = (grey + (seen - grey) * saturation).clamp(0, 255)
    if any(view.hue for view in views):
        seen = in_other_hues(seen, hue)
    middle = seen.mean((1, 2, 3), keepdim=True)
    seen = ((seen - middle) * contrast + middle * brightness).clamp(0, 255)
    if any(view.covered for view in views):
        seen = torch.where(_inside(given[:, 12:], size), seen.mean((2, 3), keepdim=True), seen)
    return seen.permute(0, 2, 3, 1)


def in_other_hues(photos: Tensor, turn: Tensor) -> Tensor:
    """float photos (n, 3, h, w) with their colours turned by `turn` (n, 1, 1, 1) of the colour wheel."""
    red, green, blue = photos.unbind(1)
    value = photos.amax(1)
    chroma = value - photos.amin(1)
    by = chroma.clamp(min=1e-6)
    sixths = torch.where(
        value == red, (green - blue) / by, torch.where(value == green, 2 + (blue - red) / by, 4 + (red - green) / by)
    )
    sixths = sixths + 6 * turn[:, 0]
    planes = []
    for start in (5.0, 3.0, 1.0):  # Smith, 1978, "Color gamut transform pairs"; the form without cases
        at = torch.remainder(start + sixths, 6)
        planes.append(value - chroma * torch.minimum(at, 4 - at).clamp(0, 1))
    return torch.stack(planes, 1)


def _grid(corners: Tensor, size: int) -> Tensor:
    """Where each pixel that is shown comes from: (n, size, size, 2) in -1..1, by the perspective that takes the unit
    square to `corners` (n, 8). Heckbert, 1989, "Fundamentals of Texture Mapping and Image Warping", section 2.2.3.
    """
    x0, y0, x3, y3, x2, y2, x1, y1 = corners[:, :, None, None].unbind(1)
    dx1, dx2, dx3 = x1 - x2, x3 - x2, x0 - x1 + x2 - x3
    dy1, dy2, dy3 = y1 - y2, y3 - y2, y0 - y1 + y2 - y3
    area = dx1 * dy2 - dx2 * dy1
    g, h = (dx3 * dy2 - dx2 * dy3) / area, (dx1 * dy3 - dx3 * dy1) / area
    a, b, d, e = x1 - x0 + g * x1, x3 - x0 + h * x3, y1 - y0 + g * y1, y3 - y0 + h * y3
    middles = (torch.arange(size, device=corners.device) + 0.5) / size
    x, y = middles[None, None, :], middles[None, :, None]
    below = g * x + h * y + 1
    return 2 * torch.stack([(a * x + b * y + x0) / below, (d * x + e * y + y0) / below], dim=-1) - 1


def _inside(boxes: Tensor, size: int) -> Tensor:
    """Which pixels lie in `boxes` (n, 4), in 0..1: bool (n, 1, size, size)."""
    left, top, right, bottom = boxes[:, :, None, None].unbind(1)
    middles = (torch.arange(size, device=boxes.device) + 0.5) / size
    x, y = middles[None, None, :], middles[None, :, None]
    return ((x > left) & (x < right) & (y > top) & (y < bottom))[:, None]

"""The operations of TrivialAugment and RandAugment on a Pillow picture, each with how strong it may be.

Müller and Hutter, 2021, arXiv 2103.10158, table 1 (the wide ranges); Cubuk et al., 2019, arXiv 1909.13719, section 3.
Strengths run from 0, which changes nothing, to 1, the largest of the range; signs are drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

_GREY = (128, 128, 128)
Picture = Image.Image
Operation = Callable[[Picture, float], Picture]


@dataclass(frozen=True)
class Policy:
    """Operations, and how many levels of strength there are: one is drawn, or `fixed`, from 0..`levels`."""

    operations: tuple[Operation, ...]
    levels: int
    fixed: int | None = None


def applied(picture: Picture, policy: Policy, count: int, draw: np.random.Generator) -> Picture:
    """`picture` after `count` operations drawn from `policy`."""
    for _ in range(count):
        operation = policy.operations[int(draw.integers(len(policy.operations)))]
        level = int(draw.integers(policy.levels + 1)) if policy.fixed is None else policy.fixed
        sign = 1.0 if draw.random() < 0.5 else -1.0
        picture = operation(picture, sign * level / policy.levels)
    return picture


def _same(picture: Picture, strength: float) -> Picture:  # noqa: ARG001 - as the others have it
    return picture


def _affine(picture: Picture, a: float, b: float, c: float, d: float, e: float, f: float) -> Picture:
    """The pixel at (x, y) comes from (ax + by + c, dx + ey + f), with the middle as the origin."""
    x, y = picture.width / 2, picture.height / 2
    c, f = c + x - a * x - b * y, f + y - d * x - e * y
    how = {"resample": Image.Resampling.BILINEAR, "fillcolor": _GREY}
    return picture.transform(picture.size, Image.Transform.AFFINE, (a, b, c, d, e, f), **how)  # type: ignore[arg-type]


def shear_x(most: float) -> Operation:
    """Slanted sideways by up to `most`."""
    return lambda picture, strength: _affine(picture, 1, strength * most, 0, 0, 1, 0)


def shear_y(most: float) -> Operation:
    """Slanted up and down by up to `most`."""
    return lambda picture, strength: _affine(picture, 1, 0, 0, strength * most, 1, 0)


def move_x(most: float) -> Operation:
    """Moved sideways by up to `most` of its width."""
    return lambda picture, strength: _affine(picture, 1, 0, strength * most * picture.width, 0, 1, 0)


def move_y(most: float) -> Operation:
    """Moved up or down by up to `most` of its height."""
    return lambda picture, strength: _affine(picture, 1, 0, 0, 0, 1, strength * most * picture.height)


def turn(most: float) -> Operation:
    """Turned by up to `most` degrees."""
    return lambda picture, strength: picture.rotate(strength * most, Image.Resampling.BILINEAR, fillcolor=_GREY)


def enhanced(kind: Callable[[Picture], ImageEnhance._Enhance], most: float) -> Operation:
    """Brightness, colour, contrast or sharpness times 1 - `most` to 1 + `most`."""
    return lambda picture, strength: kind(picture).enhance(1 + strength * most)


def posterised(fewest: int) -> Operation:
    """Left with 8 to `fewest` bits a channel."""
    return lambda picture, strength: ImageOps.posterize(picture, 8 - round(abs(strength) * (8 - fewest)))


def solarised(picture: Picture, strength: float) -> Picture:
    """Pixels above a threshold, 256 to 0, turned to their negative."""
    return ImageOps.solarize(picture, round(256 * (1 - abs(strength))))


def contrasted(picture: Picture, strength: float) -> Picture:  # noqa: ARG001
    """Stretched to the whole range of values."""
    return ImageOps.autocontrast(picture)


def equalised(picture: Picture, strength: float) -> Picture:  # noqa: ARG001
    """With as many pixels of every value."""
    return ImageOps.equalize(picture)


def _operations(shear: float, move: float, angle: float, enhance: float, bits: int) -> tuple[Operation, ...]:
    kinds = (ImageEnhance.Brightness, ImageEnhance.Color, ImageEnhance.Contrast, ImageEnhance.Sharpness)
    geometry = (shear_x(shear), shear_y(shear), move_x(move), move_y(move), turn(angle))
    return (
        _same,
        *geometry,
        *(enhanced(kind, enhance) for kind in kinds),
        posterised(bits),
        solarised,
        contrasted,
        equalised,
    )


POLICIES = {
    "trivial": Policy(_operations(0.99, 32 / 224, 135.0, 0.99, 2), levels=30),
    "rand": Policy(_operations(0.3, 150 / 331, 30.0, 0.9, 4), levels=30, fixed=9),
}

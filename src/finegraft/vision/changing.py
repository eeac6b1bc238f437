"""Photos changed a little, as they are learned from: another part, mirrored, in another light.

What is changed depends on (seed, view, content) alone, so it is the same in any order and with any number of workers.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from finegraft.vision import decoding
from finegraft.vision.preprocess import FILTERS, Box, Interpolation, shrink_for

# Szegedy et al., 2015, arXiv 1409.4842, section 6, but for the smallest part: with theirs, 8 %, what a photo shows is
# often outside.
_AREA = (0.35, 1.0)
_RATIO = (3 / 4, 4 / 3)
LIGHT = 0.2  # brightness and contrast times 0.8 to 1.2
_TRIES = 10


@dataclass(frozen=True)
class Changing:
    """How photos are changed: `size` pixels a side, `seed` for what is drawn."""

    size: int
    interpolation: Interpolation
    seed: int
    name: str = "light"

    def load(self, content: bytes, digest: str, view: int) -> np.ndarray:
        """View number `view` of the photo in `content`, whose digest is `digest`: uint8 (size, size, 3), upright.

        Raises `UnreadableFile` with a code and a reason.
        """
        draw = generator(self.seed, view, digest)
        photo = decoding.open_photo(content)
        whole = photo.size  # decoding at a fraction changes it
        part = random_part(draw, *whole)
        decoded = decoding.decode(photo, shrink_for(part, (self.size, self.size)))
        box = _scaled(part, whole, decoded.extent)
        picture = decoded.picture.resize((self.size, self.size), FILTERS[self.interpolation], box=box, reducing_gap=2.0)
        picture = decoding.turned(picture, decoded.orientation)
        if draw.random() < 0.5:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return _in_another_light(np.asarray(picture), draw)


def generator(seed: int, view: int, digest: str) -> np.random.Generator:
    """Random numbers for one view of one photo."""
    key = hashlib.blake2b(f"{seed}/{view}/{digest}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(key)))


def random_part(draw: np.random.Generator, width: int, height: int) -> Box:
    """A rectangle of a third to all of the area, 3:4 to 4:3; where ten of them do not fit, the middle square."""
    for _ in range(_TRIES):
        area = draw.uniform(*_AREA) * width * height
        ratio = math.exp(draw.uniform(math.log(_RATIO[0]), math.log(_RATIO[1])))
        w, h = math.sqrt(area * ratio), math.sqrt(area / ratio)
        if w <= width and h <= height:
            left, top = draw.uniform(0, width - w), draw.uniform(0, height - h)
            return left, top, left + w, top + h
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def _scaled(part: Box, before: tuple[int, int], after: tuple[float, float]) -> Box:
    """`part` of a photo of size `before` where it was decoded to the size `after`."""
    across, down = after[0] / before[0], after[1] / before[1]
    left, top, right, bottom = part
    return left * across, top * down, min(right * across, after[0]), min(bottom * down, after[1])


def _in_another_light(photo: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    brightness, contrast = draw.uniform(1 - LIGHT, 1 + LIGHT, 2).astype(np.float32)
    values = photo.astype(np.float32)
    middle = values.mean()
    changed: np.ndarray = ((values - middle) * contrast + middle * brightness).clip(0, 255).astype(np.uint8)
    return changed

"""Photos changed a little, as they are learned from: another part, mirrored, in another light, and more where wanted.

What is changed depends on (seed, view, content) alone, so it is the same in any order and with any number of workers.
Pillow does it all: it is what photos are decoded with, and works outside Python's lock.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageEnhance

from finegraft.vision import decoding, turning
from finegraft.vision.operations import POLICIES, applied
from finegraft.vision.preprocess import FILTERS, Box, Preprocess, shrink_for
from finegraft.vision.sets import DEFAULT, SETS, Augmentation

_RATIO = (3 / 4, 4 / 3)
_TRIES = 10
ERASED = (0.02, 0.2)  # of the area that is covered (Zhong et al., 2017, with a smaller largest one)


@dataclass(frozen=True)
class Changing:
    """How photos that `preprocess` brings to a size are changed: by `augmentation`, with `seed` for what is drawn."""

    preprocess: Preprocess
    seed: int
    augmentation: Augmentation = SETS[DEFAULT]

    @property
    def size(self) -> int:
        """Pixels of a side of what comes out."""
        return self.preprocess.size

    def of_size(self, side: int) -> Changing:
        """The same for photos of `side` pixels."""
        return replace(self, preprocess=replace(self.preprocess, size=side))

    def load(self, content: bytes, digest: str, view: int) -> np.ndarray:
        """View number `view` of the photo in `content`, whose digest is `digest`: uint8 (size, size, 3), upright.

        Raises `UnreadableFile` with a code and a reason.
        """
        draw, how = generator(self.seed, view, digest), self.augmentation
        picture = self._part(content, draw)
        if how.mirror and draw.random() < 0.5:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if how.colour:
            picture = ImageEnhance.Color(picture).enhance(draw.uniform(1 - how.colour, 1 + how.colour))
        if how.hue:
            picture = in_other_hues(picture, draw.uniform(-how.hue, how.hue))
        if how.operations:
            picture = applied(picture, POLICIES[how.operations], how.count, draw)
        pixels = np.array(picture)
        if how.light:
            pixels = _in_another_light(pixels, how.light, draw)
        if how.erase and draw.random() < how.erase:
            pixels = _partly_covered(pixels, draw)
        return pixels

    def _part(self, content: bytes, draw: np.random.Generator) -> Image.Image:
        """The part that is shown, upright."""
        how, size = self.augmentation, self.size
        if how.area is None:
            return Image.fromarray(self.preprocess.load(content))
        photo = decoding.open_photo(content)
        whole = photo.size  # decoding at a fraction changes it
        part = random_part(draw, *whole, how.area)
        decoded = decoding.decode(photo, shrink_for(part, (size, size)))
        box = _scaled(part, whole, decoded.extent)
        if how.turn or how.tilt:
            angle, tilts = draw.uniform(-how.turn, how.turn), draw.uniform(0, how.tilt, (4, 2))
            picture = turning.taken(decoded.picture, turning.corners_of(box, angle, tilts, decoded.extent), size)
        else:
            how_to = FILTERS[self.preprocess.interpolation]
            picture = decoded.picture.resize((size, size), how_to, box=box, reducing_gap=2.0)
        return decoding.turned(picture, decoded.orientation)


def generator(seed: int, view: int, digest: str) -> np.random.Generator:
    """Random numbers for one view of one photo."""
    key = hashlib.blake2b(f"{seed}/{view}/{digest}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(key)))


def random_part(draw: np.random.Generator, width: int, height: int, share: tuple[float, float]) -> Box:
    """A rectangle of `share` of the area, 3:4 to 4:3; where ten of them do not fit, the middle square."""
    for _ in range(_TRIES):
        area = draw.uniform(*share) * width * height
        ratio = math.exp(draw.uniform(math.log(_RATIO[0]), math.log(_RATIO[1])))
        w, h = math.sqrt(area * ratio), math.sqrt(area / ratio)
        if w <= width and h <= height:
            left, top = draw.uniform(0, width - w), draw.uniform(0, height - h)
            return left, top, left + w, top + h
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def in_other_hues(picture: Image.Image, turn: float) -> Image.Image:
    """`picture`, RGB, with all colours turned by `turn` of the colour wheel; what is grey stays so."""
    hue, saturation, value = picture.convert("HSV").split()
    shift = round(256 * turn)
    turned = hue.point([(level + shift) % 256 for level in range(256)])
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")


def _scaled(part: Box, before: tuple[int, int], after: tuple[float, float]) -> Box:
    """`part` of a photo of size `before` where it was decoded to the size `after`."""
    across, down = after[0] / before[0], after[1] / before[1]
    left, top, right, bottom = part
    return left * across, top * down, min(right * across, after[0]), min(bottom * down, after[1])


def _in_another_light(photo: np.ndarray, most: float, draw: np.random.Generator) -> np.ndarray:
    brightness, contrast = draw.uniform(1 - most, 1 + most, 2).astype(np.float32)
    values = photo.astype(np.float32)
    middle = values.mean()
    changed: np.ndarray = ((values - middle) * contrast + middle * brightness).clip(0, 255).astype(np.uint8)
    return changed


def _partly_covered(photo: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """`photo` with a rectangle of its mean colour."""
    side = photo.shape[0]
    left, top, right, bottom = random_part(draw, side, side, ERASED)
    covered = photo.copy()
    covered[round(top) : round(bottom), round(left) : round(right)] = photo.mean((0, 1)).astype(np.uint8)
    return covered

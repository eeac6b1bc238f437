"""What a photo looks like, in 130 bytes: enough to find its copies and its flaws among a hundred thousand others."""

from __future__ import annotations

import numpy as np
from PIL import Image

from finegraft.vision import decoding
from finegraft.vision.hashing import HASHES, SIDE, hashes
from finegraft.vision.preprocess import shrink_for
from finegraft.vision.sharpness import blur

# Pixels of the shorter side at which blur is judged: about what a model sees. Finer blur makes no difference to it.
JUDGED_AT = 256

LOOK = np.dtype(
    [
        ("hashes", "<u8", HASHES),  # see finegraft.vision.hashing
        ("colours", "u1", (4, 4, 3)),  # the photo as 4 × 4 pixels
        ("width", "<u4"),  # upright
        ("height", "<u4"),
        ("dark", "u1"),  # 5 % of the pixels are as dark as this, 0..255
        ("light", "u1"),  # 5 % of the pixels are as light as this
        ("blur", "<f4", 2),  # from row to row and from column to column, see finegraft.vision.sharpness
        ("frames", "u1"),  # 1, or 2 where there are more
    ]
)
"""One record of a structured array; the looks of n photos are an array (n,) of it."""


def decoded_for_a_look(photo: Image.Image) -> decoding.Decoded:
    """A photo from `decoding.open_photo` decoded to its end, a JPEG no larger than a look needs.

    Raises `UnreadableFile`.
    """
    shorter = min(photo.size)
    return decoding.decode(photo, shrink_for((0, 0, shorter, shorter), (JUDGED_AT, JUDGED_AT)))


def look_of(decoded: decoding.Decoded, size: tuple[int, int], frames: int = 1) -> np.ndarray:
    """The look of a decoded photo of `size` (width and height as stored): an array () of `LOOK`."""
    small = _small(decoded)
    grey = np.asarray(small.convert("L"))
    look = np.zeros((), LOOK)
    look["hashes"] = hashes(grey)
    look["colours"] = np.asarray(small).reshape(4, SIDE // 4, 4, SIDE // 4, 3).mean(axis=(1, 3)).round()
    upright = size if decoded.orientation < 5 else size[::-1]
    look["width"], look["height"] = upright
    below = np.bincount(grey.ravel(), minlength=256).cumsum()
    look["dark"], look["light"] = np.searchsorted(below, (0.05 * grey.size, 0.95 * grey.size))
    rows, columns = blur(_grey_at(decoded, JUDGED_AT))
    look["blur"] = (rows, columns) if decoded.orientation < 5 else (columns, rows)
    look["frames"] = frames
    return look


def small_grey(decoded: decoding.Decoded) -> np.ndarray:
    """The whole photo upright in grey as uint8 (64, 64), its shape given up: what copies are compared by."""
    return np.asarray(_small(decoded).convert("L"))


def _small(decoded: decoding.Decoded) -> Image.Image:
    whole = (0.0, 0.0, *decoded.extent)
    small = decoded.picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=whole, reducing_gap=2.0)
    return decoding.turned(small, decoded.orientation)


def _grey_at(decoded: decoding.Decoded, side: int) -> np.ndarray:
    """The photo in grey, not turned, its shorter side `side` pixels long, or as long as it is where that is less."""
    width, height = decoded.extent
    scale = min(side / min(width, height), 1.0)
    target = (max(round(width * scale), 1), max(round(height * scale), 1))
    grey = decoded.picture.convert("L")
    if target == grey.size:
        return np.asarray(grey)
    return np.asarray(grey.resize(target, Image.Resampling.BOX, box=(0.0, 0.0, width, height)))

"""A part of a photo that is turned and tilted: the four corners it is taken from, and taking it."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from finegraft.vision.preprocess import Box

Corners = np.ndarray  # float64 (4, 2): x and y of top left, bottom left, bottom right, top right


def corners_of(part: Box, angle: float, tilts: np.ndarray, extent: tuple[float, float]) -> Corners:
    """The corners of `part` turned by `angle` degrees about its middle, each drawn in by `tilts` (4, 2) of the side.

    They stay in the photo of `extent`: what would lie outside is drawn towards the middle, all corners alike, so
    nothing is shown that is not in the photo.
    """
    left, top, right, bottom = part
    middle = np.array([left + right, top + bottom]) / 2
    half = np.array([right - left, bottom - top]) / 2
    signs = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]], dtype=np.float64)
    offsets = signs * half * (1 - 2 * tilts)
    turned = math.radians(angle)
    rotation = np.array([[math.cos(turned), -math.sin(turned)], [math.sin(turned), math.cos(turned)]])
    offsets = offsets @ rotation.T
    room = np.where(offsets > 0, np.array(extent) - middle, middle) / np.maximum(np.abs(offsets), 1e-9)
    return np.asarray(middle + offsets * min(1.0, float(room.min())))


def taken(picture: Image.Image, corners: Corners, size: int) -> Image.Image:
    """What lies between `corners` of `picture` as a square of `size` pixels, without aliasing."""
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1)
    scale = size / float(sides.max())
    if scale < 1:  # first to the scale it is shown at, by averages: sampling alone would skip pixels
        smaller = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        corners = corners * (np.array(smaller) / np.array(picture.size))
        picture = picture.resize(smaller, Image.Resampling.BICUBIC, reducing_gap=2.0)
    data = tuple(corners.ravel().tolist())
    return picture.transform((size, size), Image.Transform.QUAD, data, Image.Resampling.BICUBIC)

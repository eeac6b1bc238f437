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
    picture, corners = _around(picture, corners)
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1)
    scale = size / float(sides.max())
    if scale < 1:  # first to the scale it is shown at, by averages: sampling alone would skip pixels
        smaller = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        corners = corners * (np.array(smaller) / np.array(picture.size))
        picture = picture.resize(smaller, Image.Resampling.BICUBIC, reducing_gap=2.0)
    data = tuple(homography(corners, size).tolist())
    return picture.transform((size, size), Image.Transform.PERSPECTIVE, data, Image.Resampling.BICUBIC)


def homography(corners: Corners, size: int) -> np.ndarray:
    """Pillow's eight numbers a to h, float64: a pixel (x, y) of the square of `size` comes from the point
    ((ax + by + c) / (gx + hy + 1), (dx + ey + f) / (gx + hy + 1)), so that its corners come from `corners`.
    """
    square = np.array([[0, 0], [0, size], [size, size], [size, 0]], dtype=np.float64)
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(square, corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -x * u, -y * u], [0, 0, 0, x, y, 1, -x * v, -y * v]]
    return np.linalg.solve(np.array(rows), corners.ravel())


def _around(picture: Image.Image, corners: Corners) -> tuple[Image.Image, Corners]:
    """The part of `picture` that holds `corners`, with a pixel more to each side, and where they lie in it."""
    low = np.maximum(np.floor(corners.min(axis=0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, picture.size)
    return picture.crop((*low.tolist(), *high.tolist())), corners - low

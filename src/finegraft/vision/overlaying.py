"""A heat map as a picture to lay over the photo it tells of."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from finegraft.vision import decoding
from finegraft.vision.preprocess import Preprocess

_LONGEST = 320  # pixels: it is smooth, and drawn larger
_COOL, _HOT = np.array([184.0, 12.0, 60.0]), np.array([255.0, 214.0, 74.0])
_OPAQUE = 215.0  # of 255, where it is hottest: the photo still shows through


def overlay(content: bytes, preprocess: Preprocess, heat: np.ndarray) -> bytes:
    """`heat` float (h, w), 0 to 1, of the photo in `content` as a PNG of the whole photo's shape.

    It is transparent where nothing was seen or nothing spoke for the answer. Raises `UnreadableFile` as
    `Preprocess.load` does.
    """
    photo = decoding.open_photo(content)
    width, height = decoding.upright_size(photo)
    scale = min(_LONGEST / max(width, height), 1)
    width, height = (max(1, round(side * scale)) for side in (width, height))
    box, target = preprocess.geometry(width, height)
    square = Image.fromarray(np.asarray(heat, np.float32)).resize((preprocess.size, preprocess.size), _SMOOTH)
    if preprocess.resize == "pad":  # the photo's part of the square
        left, top = ((preprocess.size - side) // 2 for side in target)
        square = square.crop((left, top, left + target[0], top + target[1]))
    left, top, right, bottom = (round(edge) for edge in box)
    part = square.resize((max(1, right - left), max(1, bottom - top)), _SMOOTH)
    whole = np.zeros((height, width), np.float32)
    whole[top : top + part.height, left : left + part.width] = np.asarray(part)[: height - top, : width - left]
    return _png(whole.clip(0, 1))


_SMOOTH = Image.Resampling.BICUBIC


def _png(heat: np.ndarray) -> bytes:
    colour = _COOL + heat[..., None] * (_HOT - _COOL)
    pixels = np.concatenate([colour, _OPAQUE * heat[..., None]], axis=2)
    buffer = io.BytesIO()
    Image.fromarray(pixels.round().astype(np.uint8), "RGBA").save(buffer, "PNG")
    return buffer.getvalue()

"""Pictures of every awkward kind, made here and the same everywhere: what an export is asked beside the user's own.

Cameras turn photos by a note in EXIF, scanners save 16 bits, web sites palettes and animations; whoever decodes one of
them in another way answers differently.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image

# EXIF orientation -> how a sensor's picture lies, given the upright one (the inverse of what a viewer does).
TO_SENSOR = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
ORIENTATION = 274
_HUGE = (6000, 4000)


def golden_set() -> dict[str, bytes]:
    """Name -> the bytes of a picture file."""
    return {name: make() for name, make in _KINDS.items()}


def scene(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Soft clouds of colour with a few hard-edged shapes, no two alike and not the same when turned or mirrored."""
    rng = np.random.default_rng(seed)
    clouds = Image.fromarray(rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
    for _ in range(4):
        left, top = (int(rng.integers(0, side * 3 // 4)) for side in size)
        width, height = (int(rng.integers(side // 12, side // 3)) for side in size)
        colour = tuple(int(value) for value in rng.integers(0, 256, 3))
        clouds.paste(colour, (left, top, min(left + width, size[0]), min(top + height, size[1])))
    return clouds


def _saved(picture: Image.Image, kind: str, **settings: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **settings)
    return buffer.getvalue()


def _turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    picture = scene(orientation)
    if orientation in TO_SENSOR:
        picture = picture.transpose(TO_SENSOR[orientation])
    return _saved(picture, "JPEG", quality=92, exif=exif)


def _see_through() -> bytes:
    picture = scene(11)
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    return _saved(picture, "PNG")


def _sixteen_bits() -> bytes:
    grey = np.asarray(scene(12).convert("L"), np.uint16) * 257
    return _saved(Image.fromarray(grey), "PNG")


def _animated() -> bytes:
    frames = [scene(seed).convert("P") for seed in (13, 14, 15)]
    return _saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100)


def _huge() -> bytes:
    """Twenty-four million pixels in a small file."""
    return _saved(scene(16, (600, 400)).resize(_HUGE, Image.Resampling.NEAREST), "JPEG", quality=80)


_KINDS: dict[str, Callable[[], bytes]] = {
    **{f"exif-{orientation}.jpg": lambda orientation=orientation: _turned(orientation) for orientation in range(1, 9)},  # type: ignore[misc]
    "rgba.png": _see_through,
    "cmyk.jpg": lambda: _saved(scene(17).convert("CMYK"), "JPEG", quality=92),
    "sixteen-bits.png": _sixteen_bits,
    "palette.png": lambda: _saved(scene(18).convert("P"), "PNG"),
    "grey.jpg": lambda: _saved(scene(19).convert("L"), "JPEG", quality=92),
    "animated.gif": _animated,
    "webp.webp": lambda: _saved(scene(20), "WEBP", quality=90),
    "bmp.bmp": lambda: _saved(scene(21), "BMP"),
    "tiff.tif": lambda: _saved(scene(22), "TIFF"),
    "progressive.jpg": lambda: _saved(scene(23), "JPEG", quality=85, progressive=True, subsampling=2),
    "column.png": lambda: _saved(scene(24, (13, 640)).resize((1, 640)), "PNG"),
    "row.png": lambda: _saved(scene(25, (640, 13)).resize((640, 1)), "PNG"),
    "tiny.png": lambda: _saved(scene(26, (24, 24)).resize((3, 2)), "PNG"),
    "huge.jpg": _huge,
}

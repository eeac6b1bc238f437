"""Small photos and folders of photos, made on the spot: the same for the same arguments."""

from __future__ import annotations

import colorsys
import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SUFFIXES = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "GIF": ".gif",
    "BMP": ".bmp",
    "TIFF": ".tif",
    "AVIF": ".avif",
}


def picture(seed: int, size: tuple[int, int] = (96, 72), look: str = "any") -> Image.Image:
    """An RGB picture, width × height: coloured stripes with noise.

    `look` fixes two hues, angle and width of the stripes, so pictures of one look are of one kind and a model can
    learn to tell looks apart; `seed` fixes phase, brightness and noise, so no two are the same file.
    """
    hue, other, turn, narrow = (byte / 255 for byte in hashlib.blake2b(look.encode(), digest_size=4).digest())
    rng = np.random.default_rng([seed, *look.encode()])
    width, height = size
    y, x = np.mgrid[0:height, 0:width] / max(size)
    along = x * np.cos(turn * np.pi) + y * np.sin(turn * np.pi)
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * (along * (3 + 9 * narrow) + rng.random()))
    light = np.array(colorsys.hsv_to_rgb(hue, 0.8, rng.uniform(0.75, 0.95)))
    dark = np.array(colorsys.hsv_to_rgb(other, 0.9, rng.uniform(0.35, 0.5)))
    pixels = wave[..., None] * light + (1 - wave[..., None]) * dark
    pixels += rng.normal(0, 0.06, pixels.shape)
    return Image.fromarray((pixels.clip(0, 1) * 255).round().astype(np.uint8))


def scene(seed: int, size: tuple[int, int] = (200, 150)) -> Image.Image:
    """An RGB picture, width × height, with detail of every size as photos have it: no two seeds are alike.

    Its amplitudes fall as one over the frequency (Field, 1987).
    """
    rng = np.random.default_rng(seed)
    width, height = size
    frequency = np.hypot(np.fft.fftfreq(height)[:, None] * height, np.fft.rfftfreq(width)[None] * width)
    frequency[0, 0] = np.inf
    shape = (3, *frequency.shape)
    waves = (rng.normal(size=shape) + 1j * rng.normal(size=shape)) / frequency
    mixed = np.tensordot([[1, 0.3, 0.3], [0.3, 1, 0.3], [0.3, 0.3, 1]], waves, axes=1)  # colours hang together
    pixels = np.moveaxis(np.fft.irfft2(mixed, s=(height, width)), 0, -1)
    pixels = (pixels - pixels.mean()) / pixels.std() * 50 + rng.uniform(90, 160, 3)
    return Image.fromarray(pixels.clip(0, 255).round().astype(np.uint8))


def encoded(image: Image.Image, kind: str = "JPEG", *, orientation: int | None = None, **options: Any) -> bytes:
    """The file bytes of `image`; `orientation` writes that EXIF tag, `options` go to Pillow's writer."""
    if orientation is not None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options["exif"] = exif
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def photo(
    seed: int,
    size: tuple[int, int] = (96, 72),
    *,
    look: str = "any",
    mode: str = "RGB",
    kind: str = "JPEG",
    orientation: int | None = None,
) -> bytes:
    """The bytes of one photo file, width × height. See `picture` for `seed` and `look`."""
    return encoded(picture(seed, size, look).convert(mode), kind, orientation=orientation)


def folder_of_photos(
    path: Path,
    classes: Mapping[str, int] | None = None,
    *,
    size: tuple[int, int] = (96, 72),
    kind: str = "JPEG",
    seed: int = 0,
) -> Path:
    """Class folders below `path` with so many photos each; returns `path`.

    Photos of one class share a look that its name fixes, so the classes can be learned. A class named
    "train/rose" makes a given split: its look is that of "rose", its photos are other ones.
    """
    for name, count in (classes or {"a": 10, "b": 10}).items():
        folder = path / name
        folder.mkdir(parents=True, exist_ok=True)
        start = int.from_bytes(hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=4).digest())
        for i in range(count):
            # A fifth of a scene, which no two share: stripes alone may be near copies of each other.
            image = Image.blend(picture(start + i, size, Path(name).name), scene(start + i, size), 0.2)
            (folder / f"{i:04d}{SUFFIXES[kind]}").write_bytes(encoded(image, kind))
    return path

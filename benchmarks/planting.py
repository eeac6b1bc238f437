"""Photos to measure with: near copies planted in a real set, and any number of made ones."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

# Of every five planted copies one is made in each of these ways.
WAYS: dict[str, Callable[[Image.Image], tuple[Image.Image, int]]] = {
    "resized": lambda image: (image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS), 90),
    "recompressed": lambda image: (image, 40),
    "cropped": lambda image: (cropped(image), 90),
    "mirrored": lambda image: (ImageOps.mirror(image), 90),
    "all at once": lambda image: (ImageOps.mirror(cropped(image).resize((image.width // 2, image.height // 2))), 40),
}


def cropped(image: Image.Image) -> Image.Image:
    """`image` without 5 % of each of its sides."""
    across, down = round(image.width * 0.05), round(image.height * 0.05)
    return image.crop((across, down, image.width - across, image.height - down))


def pooled(source: Path, target: Path) -> list[Path]:
    """Links in `target`/class to the photos of `source`/split/class; the links, sorted."""
    links = []
    for photo in sorted(source.glob("*/*/*.jpg")):
        link = target / photo.parent.name / photo.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(photo)
        links.append(link)
    return sorted(links)


def plant(photos: list[Path], count: int, seed: int = 0) -> dict[Path, tuple[Path, str]]:
    """Near copies beside `count` of the photos: copy -> (original, way)."""
    chosen = random.Random(seed).sample(photos, count)
    planted = {}
    for number, original in enumerate(chosen):
        way = list(WAYS)[number % len(WAYS)]
        image, quality = WAYS[way](ImageOps.exif_transpose(Image.open(original)).convert("RGB"))
        copy = original.with_name(f"{original.stem}-copy.jpg")
        image.save(copy, "JPEG", quality=quality)
        planted[copy] = (original, way)
    return planted


def made(folder: Path, count: int, start: int = 0) -> None:
    """`count` different small photos in `folder`, of ten classes, a hundred of each in a folder."""
    jobs = [(folder, begin, min(1000, start + count - begin)) for begin in range(start, start + count, 1000)]
    with ProcessPoolExecutor() as pool:
        list(pool.map(_thousand, jobs))


def _thousand(job: tuple[Path, int, int]) -> None:
    folder, begin, count = job
    for number in range(begin, begin + count):
        place = folder / f"{begin // 1000:04d}" / f"class {number % 10}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:07d}.jpg").write_bytes(_photo(number))


def _photo(number: int) -> bytes:
    """A photo of 96 × 72 pixels with detail of every size: noise whose amplitude falls as one over the frequency."""
    rng = np.random.default_rng(number)
    frequency = np.hypot(np.fft.fftfreq(72)[:, None] * 72, np.fft.rfftfreq(96)[None] * 96).astype(np.float32)
    frequency[0, 0] = np.inf
    shape = (3, *frequency.shape)
    waves = (rng.standard_normal(shape, np.float32) + 1j * rng.standard_normal(shape, np.float32)) / frequency
    pixels = np.moveaxis(np.fft.irfft2(waves, s=(72, 96)), 0, -1)
    pixels = pixels / pixels.std() * 45 + rng.uniform(90, 160, 3)
    buffer = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()

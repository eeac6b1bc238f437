"""Photos as people really have them: turned by EXIF, grey, CMYK, palettes, 16 bits, see-through, other formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from finegraft.exporting.golden import ORIENTATION, TO_SENSOR


def _turned(orientation: int) -> Callable[[Image.Image, Path], None]:
    def save(photo: Image.Image, path: Path) -> None:
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        photo.transpose(TO_SENSOR[orientation]).save(path.with_suffix(".jpg"), quality=92, exif=exif)

    return save


def _as(mode: str, suffix: str) -> Callable[[Image.Image, Path], None]:
    return lambda photo, path: photo.convert(mode).save(path.with_suffix(suffix))


def _see_through(photo: Image.Image, path: Path) -> None:
    photo.putalpha(Image.linear_gradient("L").resize(photo.size))
    photo.save(path.with_suffix(".png"))


def _sixteen_bits(photo: Image.Image, path: Path) -> None:
    photo.convert("L").convert("I").point(lambda value: value * 257).convert("I;16").save(path.with_suffix(".png"))


def _misnamed(photo: Image.Image, path: Path) -> None:
    photo.save(path.with_suffix(".jpg"), format="PNG")


KINDS: dict[str, Callable[[Image.Image, Path], None]] = {
    "plain": _as("RGB", ".jpg"),
    **{f"exif{orientation}": _turned(orientation) for orientation in TO_SENSOR},
    "png": _as("RGB", ".png"),
    "grey": _as("L", ".jpg"),
    "cmyk": _as("CMYK", ".jpg"),
    "palette": _as("P", ".png"),
    "gif": _as("P", ".gif"),
    "see-through": _see_through,
    "sixteen-bits": _sixteen_bits,
    "webp": _as("RGB", ".webp"),
    "bmp": _as("RGB", ".bmp"),
    "tiff": _as("RGB", ".tif"),
    "misnamed": _misnamed,
}


def save(photo: Path, folder: Path, number: int) -> None:
    """Save `photo` into `folder` as the kind that `number` falls on; the kinds take turns."""
    kind = list(KINDS)[number % len(KINDS)]
    folder.mkdir(parents=True, exist_ok=True)
    with Image.open(photo) as opened:
        KINDS[kind](opened.convert("RGB"), folder / f"{number:03}-{kind}")

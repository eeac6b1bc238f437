"""A picture of photos as a model sees them, with their labels: whoever looks at one finds most mistakes in the data."""

from __future__ import annotations

import functools
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from finegraft.data.atomic import write_atomically
from finegraft.data.record import Label
from finegraft.errors import UsageError

MOST = 16  # photos in a picture
_SIDE, _GAP, _LINE, _SIZE = 224, 16, 20, 14  # pixels: a photo's side, between photos, a line of text, its height
_PAPER, _INK = "#fbfaf6", "#1c211d"  # of tokens.css
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


def write(photos: Sequence[np.ndarray], labels: Sequence[Label | None], path: Path) -> None:
    """Write uint8 `photos` (s, s, 3) with their `labels` below, sixteen at the most, to a PNG, JPEG or WebP file.

    Raises `UsageError` for another suffix or no photos, and `StorageError` where `path` cannot be written.
    """
    check(path)
    if not photos:
        raise UsageError("There are no photos to show.")
    drawn = picture(photos[:MOST], [shown(label) for label in labels[:MOST]])
    file = io.BytesIO()
    drawn.save(file, _FORMATS[path.suffix.lower()], quality=90)
    write_atomically(path, file.getvalue())


def check(path: Path) -> None:
    """Raise `UsageError` where the suffix of `path` is none of a picture."""
    if path.suffix.lower() not in _FORMATS:
        known = ", ".join(sorted(_FORMATS))
        raise UsageError(f"A picture cannot be written as {path.suffix or 'a file without suffix'!r}.", f"Use {known}.")


def picture(photos: Sequence[np.ndarray], captions: Sequence[str]) -> Image.Image:
    """The photos in rows of four at the most, each over its caption."""
    columns = min(4, math.ceil(math.sqrt(len(photos))))
    rows = math.ceil(len(photos) / columns)
    across, down = _SIDE + _GAP, _SIDE + _LINE + _GAP
    sheet = Image.new("RGB", (columns * across + _GAP, rows * down + _GAP), _PAPER)
    draw, font = ImageDraw.Draw(sheet), _font()
    for place, (photo, caption) in enumerate(zip(photos, captions, strict=True)):
        left, top = _GAP + place % columns * across, _GAP + place // columns * down
        sheet.paste(Image.fromarray(photo).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC), (left, top))
        draw.text((left, top + _SIDE + 4), _fitting(caption, font), fill=_INK, font=font)
    return sheet


def shown(label: Label | None) -> str:
    """A label as one line: several tags with commas between, a number in short, control characters left out.

    >>> shown(("red", "round")), shown(2.5), shown("a\\nb")
    ('red, round', '2.5', 'a b')
    """
    if label is None:
        return ""
    text = f"{label:.6g}" if isinstance(label, float) else label if isinstance(label, str) else ", ".join(label)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _fitting(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """As much of `text` as fits below a photo."""
    if font.getlength(text) <= _SIDE:
        return text
    while text and font.getlength(f"{text}…") > _SIDE:
        text = text[:-1]
    return f"{text}…"


@functools.cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """One with the letters of most scripts, where it is installed; else Pillow's own, which has those of Latin."""
    try:
        return ImageFont.truetype("DejaVuSans.ttf", _SIZE)
    except OSError:
        return ImageFont.load_default(_SIZE)

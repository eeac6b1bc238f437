"""The directories of a TIFF, looked at before a decoder believes them (TIFF 6.0, section 2, and BigTIFF)."""

from __future__ import annotations

import contextlib
import ctypes
import functools
from typing import Literal, NamedTuple

from PIL import _imaging

_TEXT = frozenset({1, 2, 7})  # BYTE, ASCII, UNDEFINED: read as they are
_FRACTIONS = frozenset({5, 10})
_WIDTHS = {1: 1, 3: 2, 4: 4, 16: 8}  # bytes of the kinds that whole numbers come in
# Each number becomes an object of some thirty bytes, each fraction one of several hundred. A photo of 64 million
# pixels in tiles of 64 × 64 has 16,000; the most fractions that a tag of the standard asks for are six.
_MAX_NUMBERS = 2**17
_MAX_FRACTIONS = 2**12
MAX_TAGS = 2**12

_SUBFILE_TYPE, _WIDTH, _HEIGHT, _COMPRESSION, _STRIPS, _SAMPLES, _ROWS = 254, 256, 257, 259, 273, 277, 278
_PLANES, _TILE_WIDTH, _TILE_HEIGHT, _TILES = 284, 322, 323, 324
_COPY_OR_MASK = 1 | 4  # bits of the subfile type: a smaller copy of another page, a mask for one
_OLD_JPEG = 6  # a whole JPEG beside the strips, which may or may not be told as well


class _Tag(NamedTuple):
    kind: int
    values: int  # how many
    first: int  # the value where there is one alone, else where the values lie


class _Directory(NamedTuple):
    tags: dict[int, _Tag]
    next: int  # where the next directory lies, 0 after the last


@functools.cache
def silence() -> None:
    """Keep libtiff from printing what it finds wrong, a line for each row: the reason is said where the photo is.

    Pillow silences its warnings only. Where its errors cannot be reached (another build of Pillow), they are printed.
    """
    with contextlib.suppress(OSError, AttributeError):
        set_handler = ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler
        set_handler.argtypes, set_handler.restype = [ctypes.c_void_p], ctypes.c_void_p
        set_handler(None)


def must_be_modest(content: bytes) -> None:
    """Raises `ValueError` where the first directory of a TIFF has more in it than any photo's."""
    directory = _directory(content)
    tags = directory.tags if directory else {}  # where there is none, the decoder will say so
    if len(tags) > MAX_TAGS:
        raise ValueError(f"it has more than {MAX_TAGS:,} tags")
    for number, tag in tags.items():
        if tag.kind not in _TEXT and tag.values > (_MAX_FRACTIONS if tag.kind in _FRACTIONS else _MAX_NUMBERS):
            raise ValueError(f"its tag {number} has {tag.values:,} values")


def missing_strips(content: bytes) -> str | None:
    """What is wrong with the list of strips or tiles of a TIFF, or None.

    The decoder leaves black what no strip is named for.
    """
    directory = _directory(content)
    tags = directory.tags if directory else {}
    pieces = tags.get(_STRIPS) or tags.get(_TILES)
    if pieces is None or _value(tags, _COMPRESSION, 1) == _OLD_JPEG:
        return None
    width, height = _value(tags, _WIDTH, 0), _value(tags, _HEIGHT, 0)
    across, down = (width, _ROWS) if _STRIPS in tags else (_value(tags, _TILE_WIDTH, width), _TILE_HEIGHT)
    wanted = -(-width // max(across, 1)) * -(-height // max(_value(tags, down, height), 1))
    wanted *= _value(tags, _SAMPLES, 1) if _value(tags, _PLANES, 1) == 2 else 1
    return "some of its strips are missing" if pieces.values < wanted else None


def has_more_pages(content: bytes) -> bool:
    """Whether a second picture follows that is not a smaller copy or a mask of the first."""
    first = _directory(content)
    second = _directory(content, first.next) if first and first.next else None
    return second is not None and not _value(second.tags, _SUBFILE_TYPE, 0) & _COPY_OR_MASK


def _value(tags: dict[int, _Tag], number: int, default: int) -> int:
    tag = tags.get(number)
    return default if tag is None or tag.values != 1 else tag.first


def _directory(content: bytes, at: int | None = None) -> _Directory | None:
    """The directory at `at`, by default the first, as far as it lies in the file; None where none of it does."""
    order: Literal["little", "big"] = "little" if content[:2] == b"II" else "big"

    def number(start: int, size: int) -> int:
        return int.from_bytes(content[start : start + size], order)

    big = number(2, 2) == 43
    width, entry = (8, 20) if big else (4, 12)
    start = at if at is not None else number(8 if big else 4, width)
    first = start + (8 if big else 2)
    count = number(start, first - start)
    if first > len(content):
        return None
    end = first + count * entry
    tags: dict[int, _Tag] = {}
    for place in range(first, min(end, len(content), first + (MAX_TAGS + 1) * entry), entry):
        kind, values = number(place + 2, 2), number(place + 4, width)
        first_value = number(place + 4 + width, min(_WIDTHS.get(kind, width), width))
        tags.setdefault(number(place, 2), _Tag(kind, values, first_value))  # of two, readers take the first
    return _Directory(tags, number(end, width))  # nothing lies beyond the end: 0

"""What a JPEG holds besides its pixels, and whether the data of its pixels are all there (ITU-T T.81, annex B).

The decoder that makes the pixels fills what is missing with grey and says so to nobody: Pillow drops the warnings of
libjpeg. So the list of scans is read here, and a second build of libjpeg is asked what the first kept to itself. On
4,704 photos from phones and the web it refuses none, at 0.2 ms for one of 400 × 533 pixels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import simplejpeg

# The second byte of a marker that says what it is: not data, not filling, not a restart.
_MARKER = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd7]")
_SOI, _EOI, _SOS, _COM = 0xD8, 0xD9, 0xDA, 0xFE
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_KNOWN = _FRAMES | {0xC4, 0xCC, _SOS, 0xDB, 0xDC, 0xDD, _COM} | frozenset(range(0xE0, 0xF0))
_COEFFICIENTS = 64

# Ten scans are usual and the longest script in use has some thirty, but each goes over all pixels again: a file of
# 1 MB with ten thousand of them would keep a processor busy for minutes.
MAX_SCANS = 100
MAX_SEGMENTS = 4096  # in a row without a scan; a colour profile of 16 MB takes 255


class Split(NamedTuple):
    """A JPEG without its metadata, and its block of EXIF (empty where there is none)."""

    pixels: bytes
    exif: bytes


def split(content: bytes) -> Split:
    """Take from a JPEG what does not decide on its pixels: EXIF, thumbnails, second pictures, comments.

    Colour profile, JFIF and Adobe headers stay. What cannot be understood stays too: the decoder will say so.
    Raises `ValueError` where the header has more parts than any photo's.
    """
    kept, exif, rest = [content[:2]], b"", 2
    for part in _parts(content, 2):
        body = content[part.start + 4 : part.end]
        if part.marker == 0xE1 and body.startswith(b"Exif\0\0"):
            exif = exif or body
        rest = part.start if part.marker == _SOS else part.end
        if part.marker != _SOS and not _is_metadata(part.marker, body):
            kept.append(content[part.start : part.end])
    pixels = b"".join([*kept, content[rest:]])
    return Split(content if len(pixels) == len(content) else pixels, exif)


def missing_scans(pixels: bytes) -> str | None:
    """What is wrong with the list of scans of a JPEG from `split`, or None. Costs a look at the headers.

    A photo in one scan needs no list. In several, every coefficient of every component must come to full precision
    (T.81, annex G): the decoder takes those that never come for zeros.
    """
    marker, components = _frame(pixels)
    precision = {component: bytearray(b"\xff" * _COEFFICIENTS) for component in components}
    for number, scan in enumerate(_scans(pixels)):
        if number == MAX_SCANS:
            return f"it has more than {MAX_SCANS} scans"
        named, (first, last, bits) = scan[1 : 1 + 2 * scan[0] : 2], scan[-3:]
        if marker not in _PROGRESSIVE:
            if len(named) == len(components):
                return None
            first, last, bits = 0, _COEFFICIENTS - 1, 0
        for component in set(named) & set(precision):
            precision[component][first : last + 1] = bytes([bits & 15]) * max(last + 1 - first, 0)
    whole = all(not any(found) for found in precision.values())
    return None if whole else "some of its scans are missing"


def missing_data(pixels: bytes) -> str | None:
    """What is wrong with the data of a JPEG from `split` that the first decoder took, or None.

    Every code is read again and few pixels are made: grey, at an eighth of the size. Only the first thing the
    second decoder remarks on is known, so harmless bytes left over between two restarts may hide another.
    """
    colours = "CMYK" if len(_frame(pixels)[1]) == 4 else "GRAY"
    try:
        simplejpeg.decode_jpeg(
            pixels, colours, fastdct=True, fastupsample=True, min_height=1, min_width=1, min_factor=8
        )
    except ValueError as error:
        said = str(error)
    else:
        return None
    return None if _is_harmless(said, len(pixels)) else said.removeprefix("Corrupt JPEG data: ")


# A kind of JPEG that only the first decoder reads is its business; the others describe no data.
_HARMLESS = re.compile(
    "Unsupported (?!marker)|Invalid SOS parameters|Warning: unknown JFIF|Unknown Adobe color|Corrupt JPEG data: bad ICC"
)
_LEFT_OVER = re.compile(r"Corrupt JPEG data: (\d+) extraneous bytes")


def _is_harmless(said: str, size: int) -> bool:
    """Webcams leave a few bytes over before each restart (1 to 14 are reported), others fill the end up.

    Zeros written over the middle of a photo leave over a good part of the file.
    """
    if left := _LEFT_OVER.match(said):
        return int(left[1]) <= size // 10
    return _HARMLESS.match(said) is not None


class _Part(NamedTuple):
    marker: int
    start: int
    end: int


def _parts(content: bytes, position: int) -> Iterator[_Part]:
    """The marker segments from `position` up to the first scan's header, or to where they are no more understood."""
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(content, position)
        marker = content[found.start() + 1] if found else _EOI
        if not found or marker not in _KNOWN:
            return
        length = int.from_bytes(content[found.end() : found.end() + 2])
        position = found.end() + length
        if length < 2 or position > len(content):
            return
        yield _Part(marker, found.start(), position)
        if marker == _SOS:
            return
    raise ValueError(f"its header has more than {MAX_SEGMENTS:,} parts")


def _is_metadata(marker: int, body: bytes) -> bool:
    if marker == 0xE2:
        return not body.startswith(b"ICC_PROFILE\0")
    return marker == _COM or (0xE0 <= marker <= 0xEF and marker not in (0xE0, 0xEE))


def _frame(pixels: bytes) -> tuple[int, bytes]:
    """The marker of the frame header and the identifiers of the components; (0, b"") where there is none."""
    for part in _parts(pixels, 2):
        if part.marker in _FRAMES:
            return part.marker, pixels[part.start + 10 : part.end : 3]
    return 0, b""


def _scans(pixels: bytes) -> Iterator[bytes]:
    """The header of each scan: a count, two bytes for each component, three for the coefficients (T.81, B.2.3)."""
    position = 2
    while True:
        part = next((part for part in _parts(pixels, position) if part.marker == _SOS), None)
        if part is None:
            return
        header = pixels[part.start + 4 : part.end]
        if not header or len(header) != 4 + 2 * header[0]:
            return
        yield header
        after = _MARKER.search(pixels, part.end)
        if after is None:
            return
        position = after.start()

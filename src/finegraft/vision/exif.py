"""The one tag of EXIF that decides on pixels: how the camera was held.

Pillow reads all tags to find this one, some of them when a photo is merely opened, and what they claim about their
sizes can cost memory. A photo's metadata are a stranger's: here nothing is read but the list of the first directory.
"""

from __future__ import annotations

from typing import Literal

UPRIGHT = 1
_ORIENTATION = 0x0112
_ENTRY = 12  # bytes: tag, type, count, value (TIFF 6.0, section 2)
_WHOLE_NUMBERS = {1: 1, 3: 2, 4: 4}  # BYTE, SHORT, LONG -> bytes; Exif wants a SHORT, some cameras write the others


def orientation(exif: bytes) -> int:
    """The orientation tag in a block of EXIF, 1..8; 1 (upright) where it is missing, broken or means nothing.

    `exif` is a TIFF header and its directories (Exif 2.3, 4.5), with or without the "Exif" that goes before it in a
    JPEG. Tiff:Orientation in XMP is not asked: browsers do not either, so a person sees the photo as we do.

    >>> orientation(b"MM\\0*\\0\\0\\0\\x08\\0\\x01\\x01\\x12\\0\\x03\\0\\0\\0\\x01\\0\\x06\\0\\0")
    6
    """
    block = exif.removeprefix(b"Exif\0\0")
    if block[:4] not in (b"II*\0", b"MM\0*"):
        return UPRIGHT
    order: Literal["little", "big"] = "little" if block[:1] == b"I" else "big"
    start = int.from_bytes(block[4:8], order)
    count = int.from_bytes(block[start : start + 2], order)
    for at in range(start + 2, min(start + 2 + count * _ENTRY, len(block) - _ENTRY + 1), _ENTRY):
        if int.from_bytes(block[at : at + 2], order) == _ORIENTATION:
            return _value(block[at : at + _ENTRY], order)
    return UPRIGHT


def _value(entry: bytes, order: Literal["little", "big"]) -> int:
    width = _WHOLE_NUMBERS.get(int.from_bytes(entry[2:4], order), 0)
    if int.from_bytes(entry[4:8], order) != 1:
        return UPRIGHT
    value = int.from_bytes(entry[8 : 8 + width], order)
    return value if 1 <= value <= 8 else UPRIGHT

"""What a PNG holds besides its pixels, and whether its rows are all there (PNG specification, third edition)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from PIL.PngImagePlugin import MAX_TEXT_CHUNK

_SIGNATURE = 8
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # colour type -> samples in a pixel
_BLOCK = 2**20
MAX_CHUNKS = 2**17  # encoders write pixels in chunks of 8 kB or more, so a photo of 256 MB has 32,000
# The seven passes of an interlaced photo: first column, first row, step between columns, step between rows.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def without_metadata(content: bytes) -> bytes:
    """A PNG without its texts, and without a colour profile that is absurdly large.

    Pillow refuses a photo for any of these that unpacks to more than a megabyte. Raises `ValueError` where the file
    has more chunks than any photo's.
    """
    kept, start = [], 0
    for kind, at, end in _chunks(content):
        if kind in _TEXTS or (kind == b"iCCP" and _is_huge(content[at : end - 4])):
            kept.append(content[start : at - 8])
            start = end
    return b"".join([*kept, content[start:]]) if kept else content


def missing_rows(content: bytes) -> str | None:
    """What is wrong with the data of a PNG that its decoder took, or None.

    Where the stream of pixels ends too soon, yet ends properly, the decoder leaves the rest black. Here all is
    unpacked again and counted, a megabyte at a time.
    """
    wanted, unpacker, count = _bytes_of_pixels(content), zlib.decompressobj(), 0
    for kind, at, end in _chunks(content):
        packed = content[at : end - 4] if kind == b"IDAT" else b""
        while packed and count < wanted and not unpacker.eof:
            count += len(unpacker.decompress(packed, _BLOCK))
            packed = unpacker.unconsumed_tail
    return None if count >= wanted else "some of its rows are missing"


def is_interlaced(content: bytes) -> bool:
    """Whether the photo comes in seven passes."""
    return content[28:29] == b"\1"


def _is_huge(profile: bytes) -> bool:
    """Whether a chunk of the kind iCCP (a name, a zero, the method, the packed profile) unpacks to too much."""
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(profile[profile.find(b"\0") + 2 :], MAX_TEXT_CHUNK)
    except zlib.error:
        return False
    return bool(unpacker.unconsumed_tail)


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start of the data and end (after the check sum) of every chunk that is there as a whole."""
    at = _SIGNATURE + 8
    for _ in range(MAX_CHUNKS):
        end = at + int.from_bytes(content[at - 8 : at - 4]) + 4
        if end > len(content):
            return
        yield content[at - 4 : at], at, end
        at = end + 8
    raise ValueError(f"it has more than {MAX_CHUNKS:,} parts")


def _bytes_of_pixels(content: bytes) -> int:
    """How many bytes the pixels take when unpacked: rows padded to whole bytes, a filter byte before each."""
    width, height = int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    bits = content[24] * _CHANNELS.get(content[25], 1)
    if not is_interlaced(content):
        return height * (1 + -(-width * bits // 8))
    sizes = ((-(-(width - x) // across), -(-(height - y) // down)) for x, y, across, down in _PASSES)
    return sum(rows * (1 + -(-columns * bits // 8)) for columns, rows in sizes if rows > 0 and columns > 0)

"""Small files that ask for much: size, memory, or time."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

from tests.hostile.kind import Kind
from tests.hostile.pieces import (
    EOI,
    bmp,
    chunk,
    gif,
    image,
    jpeg,
    plain_tiff,
    png_of,
    riff,
    rows,
    webp_size,
)
from tests.making import encoded

MANY = "million pixels; at most 64 million are read"


def _jpeg_of(width: int, height: int) -> bytes:
    whole = jpeg()
    at = whole.index(b"\xff\xc0") + 5
    return whole[:at] + struct.pack(">HH", height, width) + whole[at + 4 :]


def _many_scans() -> bytes:
    """Each scan goes over all pixels again: here the shortest of a progressive photo, a thousand times."""
    whole = jpeg(progressive=True)
    starts = [at for at in range(len(whole)) if whole.startswith(b"\xff\xda", at)]
    # What follows a scan up to the next header belongs to that one's tables.
    scans = [whole[start : whole.index(b"\xff\xc4", start)] for start in starts[:-1]]
    return whole[: -len(EOI)] + min(scans, key=len) * 1000 + EOI


def _really_large_png() -> bytes:
    """Black and white, so that its 66 million pixels are quickly packed."""
    return png_of((8100, 8100, 1, 0), zlib.compress(bytes(8100 * (1 + 8100 // 8 + 1))))


def _webp_canvas() -> bytes:
    """An animation of 16,384 × 16,384 with a small first frame."""
    still = encoded(image(), "WEBP")
    canvas = struct.pack("<I", 2) + webp_size((16_384, 16_384))
    frame = bytes(6) + webp_size() + bytes([100, 0, 0, 0]) + still[12:]
    return riff((b"VP8X", canvas), (b"ANIM", bytes(6)), (b"ANMF", frame))


def _avif_of(width: int, height: int) -> bytes:
    whole = encoded(image(), "AVIF")
    at = whole.index(b"ispe") + 8
    return whole[:at] + struct.pack(">II", width, height) + whole[at + 8 :]


def _sparse(path: Path) -> bool:
    """300 MB that take no room on the disk."""
    path.write_bytes(jpeg())
    os.truncate(path, 300 * 2**20)
    return True


def _many_strips() -> bytes:
    """A list of strips that takes much more memory as numbers than as bytes."""
    return plain_tiff(20, 20, (273, 3, [8] * 140_000))


def _many_blocks() -> bytes:
    """A comment of blocks of one byte."""
    whole = gif((8, 8), (0, 0, 8, 8), b"\0\1")
    return whole[: 13 + 768] + b"!\xfe" + b"\1x" * 70_000 + b"\0" + whole[13 + 768 :]


def _slow_runs() -> bytes:
    """A thousand rows of 64,000 pixels, of which the first is told and the rest is left to the decoder."""
    return bmp((64_000, 1000), 8, b"\1\7\0\0" * 1000 + b"\0\1", compression=1, between=bytes(1024))


KINDS = (
    Kind("huge.png", lambda: png_of((60_000, 60_000, 8, 2), b""), "too-large", MANY),
    Kind("large-when-unpacked.png", _really_large_png, "too-large", MANY),
    Kind("widest.png", lambda: png_of((2**31 - 1, 1, 8, 2), b""), "too-large", MANY),
    Kind("huge.jpg", lambda: _jpeg_of(65_535, 65_535), "too-large", MANY),
    Kind("huge.gif", lambda: gif((65_535, 65_535), (0, 0, 65_535, 65_535), b"\0"), "too-large", MANY),
    Kind("frame-beyond-screen.gif", lambda: gif((10, 10), (9_000, 9_000, 9_000, 9_000), b"\0"), "too-large", MANY),
    Kind("huge.bmp", lambda: bmp((2**31 - 1, 2**31 - 1), 24, b""), "too-large", MANY),
    Kind("huge-upside-down.bmp", lambda: bmp((2**31 - 1, -(2**31) + 1), 24, b""), "too-large", MANY),
    Kind("huge.tif", lambda: plain_tiff(4_000_000_000, 4_000_000_000, data=b""), "too-large", MANY),
    Kind("huge-canvas.webp", _webp_canvas, "too-large", MANY),
    Kind("huge.avif", lambda: _avif_of(16_000, 16_000), "too-large", MANY),
    Kind("thousands-of-scans.jpg", _many_scans, "unreadable", "more than 100 scans"),
    Kind("hundred-thousand-strips.tif", _many_strips, "unreadable", "its tag 273 has 140,000 values"),
    Kind("slow-runs.bmp", _slow_runs, "unreadable", "it is made of runs, which are read up to 4 million pixels"),
    Kind("blocks-of-a-byte.gif", _many_blocks, "unreadable", "more than 65,536 blocks"),
    Kind("too-many-bytes.jpg", None, "too-large", "300 MB; at most 256 MB are read", _sparse),
    # A text of 30 MB, a profile of 30 MB: no pixel needs them, so the photo is good.
    Kind(
        "text-bomb.png",
        lambda: png_of(
            (64, 64, 8, 2),
            zlib.compress(rows(64, 64)),
            chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(30 * 2**20))),
        ),
    ),
    Kind(
        "profile-bomb.png",
        lambda: png_of(
            (64, 64, 8, 2),
            zlib.compress(rows(64, 64)),
            chunk(b"iCCP", b"Profile\0\0" + zlib.compress(bytes(30 * 2**20))),
        ),
    ),
)

"""Photos that were whole once: cut, with holes, with parts that contradict each other."""

from __future__ import annotations

import functools
import struct
import zlib
from collections.abc import Callable

from PIL import Image

from tests.hostile.kind import Kind
from tests.hostile.pieces import (
    EOI,
    PNG,
    chunk,
    first_scan,
    gif,
    image,
    jpeg,
    plain_tiff,
    png,
    png_of,
    riff,
    rows,
    segment,
    tiff,
)
from tests.making import encoded

CUT = "is cut off or damaged"


def _cut(kind: str, part: float) -> Callable[[], bytes]:
    def make() -> bytes:
        whole = encoded(image().quantize(64) if kind == "GIF" else image(), kind)
        return whole[: int(len(whole) * part)]

    return make


def _with_hole(start: float, end: float) -> bytes:
    whole = jpeg()
    first = first_scan(whole)
    low, high = (first + int((len(whole) - first) * part) for part in (start, end))
    return whole[:low] + bytes(high - low) + whole[high:]


def _ended(content: bytes, part: float) -> bytes:
    """A JPEG cut in its data, and closed like a whole one."""
    first = first_scan(content)
    return content[: first + int((len(content) - first) * part)].rstrip(b"\xff") + EOI


def _without_last_scan() -> bytes:
    whole = jpeg(progressive=True)
    # The tables of the last scan come before it; a decoder does not miss what follows them.
    return whole[: whole.rindex(b"\xff\xda")] + EOI


def _scrambled() -> bytes:
    """Codes that no Huffman table has: ones only, each byte stuffed as the standard wants."""
    whole = jpeg()
    middle = (first_scan(whole) + len(whole)) // 2
    return whole[:middle] + b"\xff\x00" * 40 + whole[middle:]


def _without_frame() -> bytes:
    whole = jpeg()
    start = whole.index(b"\xff\xc0")
    return whole[:start] + whole[start + 2 + int.from_bytes(whole[start + 2 : start + 4]) :]


def _without_restarts() -> bytes:
    """Every other restart marker lost with the data after it."""
    whole = encoded(image(), "JPEG", restart_marker_blocks=2)
    parts = [whole[: first_scan(whole)]]
    rest = whole[first_scan(whole) :]
    for number in range(8):
        before, rest = rest.split(bytes([0xFF, 0xD0 + number]), 1)
        parts.append(before + bytes([0xFF, 0xD0 + number]) if number % 2 else b"")
    return b"".join(parts) + rest


def _bad_header_check() -> bytes:
    whole = bytearray(png())
    whole[29] ^= 1
    return bytes(whole)


def _flipped() -> bytes:
    whole = bytearray(png())
    whole[len(whole) // 2] ^= 0x10
    return bytes(whole)


def _gif_without_picture() -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", 10, 10, 0, 0, 0) + b";"


def _webp_sizes_mended() -> bytes:
    """Cut, and the sizes in its headers made to fit."""
    whole = encoded(image(), "WEBP")
    data = whole[20 : len(whole) // 2]
    return riff((b"VP8 ", data))


def _avif_with_hole() -> bytes:
    whole = bytearray(encoded(image(), "AVIF"))
    start = whole.index(b"mdat") + 4
    whole[start : start + 60] = b"\xff" * 60
    return bytes(whole)


def _float_tiff() -> bytes:
    return encoded(Image.new("F", (8, 8), 0.5), "TIFF")


def _wide_tiff() -> bytes:
    return encoded(Image.new("I", (8, 8), 70_000), "TIFF")


def _zero_size(content: bytes, at: int) -> bytes:
    return content[:at] + bytes(4) + content[at + 4 :]


def _zero_png() -> bytes:
    return png_of((0, 120, 8, 2), zlib.compress(b""))


def _zero_jpeg() -> bytes:
    whole = jpeg()
    return _zero_size(whole, whole.index(b"\xff\xc0") + 5)


_jpeg_cut = functools.partial(_cut, "JPEG")

KINDS = (
    Kind("cut-to-a-tenth.jpg", _jpeg_cut(0.1), "unreadable", CUT),
    Kind("cut-to-half.jpg", _jpeg_cut(0.5), "unreadable", "image file is truncated"),
    Kind("cut-to-99-percent.jpg", _jpeg_cut(0.99), "unreadable", "image file is truncated"),
    Kind("cut-but-ended.jpg", lambda: _ended(jpeg(), 0.5), "unreadable", "premature end of data segment"),
    Kind("cut-late-but-ended.jpg", lambda: _ended(jpeg(), 0.97), "unreadable", "premature end of data segment"),
    Kind("cut-progressive.jpg", lambda: _ended(jpeg(progressive=True), 0.4), "unreadable", "scans are missing"),
    Kind("cut-in-last-scan.jpg", lambda: _ended(jpeg(progressive=True), 0.95), "unreadable", "premature end"),
    Kind("last-scan-missing.jpg", _without_last_scan, "unreadable", "some of its scans are missing"),
    Kind("hole-in-the-middle.jpg", lambda: _with_hole(0.4, 0.6), "unreadable", CUT),
    Kind("zeros-to-the-end.jpg", lambda: _with_hole(0.5, 1), "unreadable", CUT),
    Kind("scrambled-codes.jpg", _scrambled, "unreadable", CUT),
    Kind("no-frame-header.jpg", _without_frame, "unreadable", CUT),
    Kind("restarts-lost.jpg", _without_restarts, "unreadable", CUT),
    Kind("only-a-start.jpg", lambda: b"\xff\xd8\xff", "unreadable", CUT),
    Kind("start-and-end.jpg", lambda: b"\xff\xd8" + EOI, "unreadable", CUT),
    Kind("endless-segments.jpg", lambda: b"\xff\xd8" + segment(0xEF, b"") * 20_000, "unreadable", "4,096 parts"),
    Kind("no-size.jpg", _zero_jpeg, "unreadable", CUT),
    Kind("cut.png", _cut("PNG", 0.6), "unreadable", CUT),
    Kind("rows-missing.png", lambda: png_of((64, 64, 8, 2), zlib.compress(rows(64, 20))), "unreadable", "its rows"),
    Kind(
        "interlaced-rows-missing.png",
        lambda: png_of((64, 64, 8, 0), zlib.compress(bytes(144)), interlaced=True),
        "unreadable",
        "some of its rows are missing",
    ),
    Kind("header-check-wrong.png", _bad_header_check, "unreadable", CUT),
    Kind("bit-flipped.png", _flipped, "unreadable", CUT),
    Kind(
        "no-pixels.png", lambda: PNG + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)), "unreadable", CUT
    ),
    Kind("no-size.png", _zero_png, "unreadable", CUT),
    Kind("only-a-signature.png", lambda: PNG, "unreadable", CUT),
    Kind("cut.gif", _cut("GIF", 0.5), "unreadable", CUT),
    Kind("no-picture.gif", _gif_without_picture, "unreadable", CUT),
    # Clear, a code far beyond the table.
    Kind(
        "codes-beyond-the-table.gif", lambda: gif((40, 30), (0, 0, 40, 30), b"\x00\xff\xff\xff\xff"), "unreadable", CUT
    ),
    # Clear, ten pixels, the end.
    Kind("ends-too-soon.gif", lambda: gif((40, 30), (0, 0, 40, 30), b"\x00\x01\x04\x10\x04"), "unreadable", CUT),
    Kind("cut.webp", _cut("WEBP", 0.5), "unreadable", CUT),
    Kind("cut-sizes-mended.webp", _webp_sizes_mended, "unreadable", CUT),
    Kind("only-a-header.webp", lambda: riff((b"VP8 ", b"")), "unreadable", CUT),
    Kind("cut.tif", _cut("TIFF", 0.5), "unreadable", CUT),
    Kind("no-directory.tif", lambda: b"II*\0" + struct.pack("<I", 4_000_000_000), "unreadable", CUT),
    Kind("directory-in-itself.tif", lambda: b"II*\0\0\0\0\0", "unreadable", CUT),
    Kind("strips-elsewhere.tif", lambda: plain_tiff(20, 20, (273, 4, [3_000_000_000])), "unreadable", CUT),
    Kind("strips-missing.tif", lambda: plain_tiff(20, 20, (278, 4, [10])), "unreadable", "some of its strips"),
    Kind("no-size.tif", lambda: plain_tiff(0, 20), "unreadable", CUT),
    Kind("nothing-but-a-size.tif", lambda: tiff([(256, 4, [20]), (257, 4, [20])]), "unreadable", CUT),
    Kind("fractions.tif", _float_tiff, "unreadable", "no fixed black and white"),
    Kind("beyond-16-bits.tif", _wide_tiff, "unreadable", "do not fit 16 bits"),
    Kind("cut.bmp", _cut("BMP", 0.5), "unreadable", CUT),
    Kind("cut.avif", _cut("AVIF", 0.5), "unreadable", CUT),
    Kind("hole.avif", _avif_with_hole, "unreadable", CUT),
)

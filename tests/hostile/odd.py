"""Photos that are unusual, or badly written, and good all the same."""

from __future__ import annotations

import functools
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from tests.hostile.kind import Kind, Make
from tests.hostile.pieces import (
    EOI,
    SIZE,
    Entry,
    bmp,
    chunk,
    exif,
    gif,
    image,
    jpeg,
    plain_tiff,
    png,
    png_of,
    riff,
    rows,
    segment,
    webp_size,
    with_segments,
)
from tests.making import encoded, photo, picture
from tests.vision import profiles


def _as(kind: str, mode: str = "RGB", **options: Any) -> Make:
    return lambda: encoded(image().convert(mode), kind, **options)


def _of(array: Callable[[], np.ndarray], kind: str) -> Make:
    return lambda: encoded(Image.fromarray(array()), kind)


def _wide() -> np.ndarray:
    return np.linspace(0, 65535, 64 * 48).astype(np.uint16).reshape(48, 64)


def _exif(*entries: Entry | tuple[int, int, int, bytes], **options: Any) -> Make:
    return lambda: with_segments(segment(0xE1, exif(*entries, **options)))


def _short(value: int) -> bytes:
    return struct.pack("<HH", value, 0)


def _overlapping_tags() -> bytes:
    """Five thousand tags that each claim the whole block: read one by one, 300 MB."""
    tags = [(tag, 7, 60_000, struct.pack("<I", 8)) for tag in range(5000)]
    return with_segments(segment(0xE1, exif(*tags)))


def _leftover_before_restart() -> bytes:
    """As Logitech's webcams write it."""
    whole = encoded(image(), "JPEG", restart_marker_blocks=4)
    return whole.replace(b"\xff\xd2", b"\0\0\0\xff\xd2", 1)


def _ycck() -> bytes:
    whole = encoded(image().convert("CMYK"), "JPEG")
    at = whole.index(b"Adobe") + 11
    return whole[:at] + b"\2" + whole[at + 1 :]


def _jfif_nine() -> bytes:
    return jpeg().replace(b"JFIF\0\1", b"JFIF\0\x09", 1)


def _filled_markers() -> bytes:
    whole = jpeg()
    at = whole.index(b"\xff\xdb")
    return whole[:at] + b"\xff" * 7 + whole[at:]


def _palette_with_alpha() -> bytes:
    small = image().quantize(16)
    return encoded(small, "PNG", transparency=bytes(range(0, 256, 16)))


def _grey_png(bits: int) -> Make:
    return lambda: png_of((64, 48, bits, 0), zlib.compress((b"\0" + bytes(range(8 * bits))) * 48))


def _wide_rgb() -> bytes:
    return png_of((16, 16, 16, 2), zlib.compress((b"\0" + bytes(range(96))) * 16))


def _interlaced() -> bytes:
    """8 × 8, its seven passes one after the other."""
    sizes = ((1, 1), (1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 4))
    return png_of((8, 8, 8, 0), zlib.compress(b"".join((b"\0" + b"\x77" * w) * h for w, h in sizes)), interlaced=True)


def _wrong_check() -> bytes:
    packed = zlib.compress(rows(16, 16))
    return png_of((16, 16, 8, 2), b"").replace(chunk(b"IDAT", b""), chunk(b"IDAT", packed, 12345))


def _animated(kind: str) -> Make:
    return lambda: encoded(image(), kind, save_all=True, append_images=[picture(2, SIZE), picture(3, SIZE)])


def _many_frames() -> bytes:
    """Five thousand frames of a pixel."""
    one = gif((64, 48), (0, 0, 64, 48), _lzw(64 * 48))
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return one[:-1] + frame * 5_000 + b";"


def _lzw(pixels: int) -> bytes:
    """Black pixels as codes of nine bits: after each a clear code, so that the table never grows."""
    bits = "".join(f"{code:09b}"[::-1] for code in [*([256, 0] * pixels), 257])
    return bytes(int(bits[i : i + 8][::-1], 2) for i in range(0, len(bits), 8))


def _small_frame() -> bytes:
    return gif((64, 48), (10, 10, 20, 20), _lzw(400))


def _lab() -> bytes:
    return encoded(Image.new("LAB", (32, 32), (150, 150, 100)), "TIFF")


def _big_endian() -> bytes:
    return encoded(Image.fromarray(_wide().astype(">u2")), "TIFF")


def _planar() -> bytes:
    """Each colour in a strip of its own."""
    return plain_tiff(16, 16, (273, 4, [200, 456, 712]), (279, 4, [256] * 3), (284, 3, [2]), data=bytes(2000))


def _tiled() -> bytes:
    more: list[Entry] = [(322, 4, [16]), (323, 4, [16]), (324, 4, [-1]), (325, 4, [768])]
    whole = plain_tiff(16, 16, *more)
    # A reader takes strips where both are given: their tags become private ones.
    for tag in (273, 278, 279):
        whole = whole.replace(struct.pack("<HH", tag, 4), struct.pack("<HH", 60_000 + tag, 4), 1)
    return whole


def _two_pages() -> bytes:
    return encoded(image(), "TIFF", save_all=True, append_images=[picture(2, (64, 48))])


def _core_bmp() -> bytes:
    """OS/2: a header of twelve bytes."""
    pixels = bytes(range(48)) * 16
    return b"BM" + struct.pack("<IHHI", 26 + len(pixels), 0, 0, 26) + struct.pack("<IHHHH", 12, 16, 16, 1, 24) + pixels


def _rle8() -> bytes:
    palette = b"".join(bytes([i, i // 2, 255 - i, 0]) for i in range(256))
    return bmp((16, 16), 8, (b"\x10\x42" + b"\0\0") * 16 + b"\0\1", compression=1, between=palette)


def _rle4() -> bytes:
    palette = bytes([0, 0, 0, 0, 255, 128, 0, 0] * 8)
    return bmp((16, 16), 4, (b"\x10\x12" + b"\0\0") * 16 + b"\0\1", compression=2, between=palette, colours=16)


def _masked() -> bytes:
    masks = struct.pack("<III", 0xF800, 0x7E0, 0x1F)
    return bmp((16, 16), 16, bytes(range(32)) * 16, compression=3, between=masks)


def _palette_bmp(bits: int) -> Make:
    palette = b"".join(bytes([i * 7 % 256, 255 - i, i, 0]) for i in range(1 << bits))
    return lambda: bmp((16, 16), bits, bytes(range(max(2 * bits, 4))) * 16, between=palette, colours=1 << bits)


def _webp_with_junk() -> bytes:
    still = encoded(image(), "WEBP")
    extended = struct.pack("<I", 8) + webp_size()
    return riff((b"VP8X", extended), (b"VP8 ", still[20:]), (b"EXIF", b"\xff" * 30), (b"odd ", b"x" * 9))


_held = functools.partial(_exif, order="<")

KINDS = (
    Kind("progressive.jpg", lambda: jpeg(progressive=True)),
    Kind("grey.jpg", _as("JPEG", "L")),
    Kind("inks-adobe.jpg", _as("JPEG", "CMYK")),
    Kind("inks-ycck.jpg", _ycck),
    Kind("inks-profile.jpg", lambda: encoded(image().convert("CMYK"), "JPEG", icc_profile=profiles.press())),
    Kind("colours-kept.jpg", _as("JPEG", keep_rgb=True)),
    Kind("full-colour.jpg", _as("JPEG", subsampling=0)),
    Kind("restarts.jpg", _as("JPEG", restart_marker_rows=1)),
    Kind("two-pictures.jpg", lambda: encoded(image(), "MPO", save_all=True, append_images=[picture(9, SIZE)])),
    *(Kind(f"held-{tag}.jpg", lambda tag=tag: photo(30 + tag, orientation=tag)) for tag in range(1, 9)),
    Kind("held-99.jpg", _held((0x112, 3, 1, _short(99)))),
    Kind("held-0.jpg", _held((0x112, 3, 1, _short(0)))),
    Kind("held-twice.jpg", _held((0x112, 3, 2, _short(6)))),
    Kind("held-as-fraction.jpg", _held((0x112, 5, 1, struct.pack("<I", 8)))),
    Kind("held-as-text.jpg", _held((0x112, 2, 1, b"6\0\0\0"))),
    Kind("tag-of-no-type.jpg", _held((0x112, 99, 1, _short(6)))),
    Kind("tag-of-four-billion.jpg", _held((0x110, 3, 2**32 - 1, b"\xff" * 4))),
    Kind("tags-in-a-circle.jpg", _held((0x8769, 4, 1, struct.pack("<I", 8)), next_at=8)),
    Kind("tags-over-tags.jpg", _overlapping_tags),
    Kind("tags-cut.jpg", lambda: with_segments(segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\xff\x01\x12"))),
    Kind("tags-empty.jpg", lambda: with_segments(segment(0xE1, b"Exif\0\0"))),
    Kind("tags-junk.jpg", lambda: with_segments(segment(0xE1, b"Exif\0\0" + b"\xff" * 500))),
    Kind("index-junk.jpg", lambda: with_segments(segment(0xE2, b"MPF\0" + b"\xff" * 200))),
    Kind(
        "resources-junk.jpg", lambda: with_segments(segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed\xff" + b"\xff" * 90))
    ),
    Kind("comment.jpg", lambda: with_segments(segment(0xFE, b"\x1b[31m\0" * 9000))),
    Kind("profile-junk.jpg", lambda: encoded(image(), "JPEG", icc_profile=b"\xff" * 300)),
    Kind("profile-of-inks.jpg", lambda: encoded(image(), "JPEG", icc_profile=profiles.press())),
    Kind("profile-adobe.jpg", lambda: encoded(image(), "JPEG", icc_profile=profiles.display())),
    Kind("jfif-nine.jpg", _jfif_nine),
    Kind("filled-markers.jpg", _filled_markers),
    Kind("junk-before-header.jpg", lambda: jpeg()[:20] + b"junk" * 5 + jpeg()[20:]),
    Kind("junk-before-end.jpg", lambda: jpeg()[:-2] + bytes(40) + EOI),
    Kind("junk-before-restart.jpg", _leftover_before_restart),
    Kind("junk-behind.jpg", lambda: jpeg() + b"\xff\xd8\xff" + bytes(range(256)) * 8),
    Kind("column.jpg", lambda: photo(40, (1, 3000))),
    Kind("row.png", lambda: photo(41, (3000, 1), kind="PNG")),
    Kind("pixel.gif", lambda: encoded(Image.new("P", (1, 1)), "GIF")),
    Kind("black.png", lambda: encoded(Image.new("RGB", (64, 48)), "PNG")),
    Kind("really-a-png.jpg", lambda: png()),
    Kind("really-a-photo.php", lambda: photo(42)),
    Kind("sixteen-bits.png", _of(_wide, "PNG")),
    Kind("sixteen-bits-colour.png", _wide_rgb),
    Kind("bits-1.png", _grey_png(1)),
    Kind("bits-2.png", _grey_png(2)),
    Kind("bits-4.png", _grey_png(4)),
    Kind("see-through.png", _as("PNG", "RGBA")),
    Kind("see-through-grey.png", _as("PNG", "LA")),
    Kind("see-through-palette.png", _palette_with_alpha),
    Kind("interlaced.png", _interlaced),
    Kind("check-wrong.png", _wrong_check),
    Kind("no-end.png", lambda: png()[:-12]),
    Kind("junk-behind.png", lambda: png() + b"junk" * 100),
    Kind("unknown-chunk.png", lambda: png_of((16, 16, 8, 2), zlib.compress(rows(16, 16)), chunk(b"abCd", b"\0" * 50))),
    Kind("tags-junk.png", lambda: png_of((16, 16, 8, 2), zlib.compress(rows(16, 16)), chunk(b"eXIf", b"\xff" * 50))),
    Kind("animated.png", _animated("PNG")),
    Kind("animated.gif", _animated("GIF")),
    Kind("animated.webp", _animated("WEBP")),
    Kind("many-frames.gif", _many_frames),
    Kind("small-frame.gif", _small_frame),
    Kind("lossless.webp", _as("WEBP", lossless=True)),
    Kind("see-through.webp", _as("WEBP", "RGBA")),
    Kind("junk-chunks.webp", _webp_with_junk),
    *(
        Kind(f"{name}.tif", _as("TIFF", mode, compression=name))
        for name, mode in (("tiff_lzw", "RGB"), ("tiff_adobe_deflate", "L"), ("packbits", "P"), ("group4", "1"))
    ),
    Kind("photo-inside.tif", _as("TIFF", "YCbCr", compression="jpeg")),
    Kind("inks.tif", _as("TIFF", "CMYK")),
    Kind("lab.tif", _lab),
    Kind("big-endian.tif", _big_endian),
    Kind("planes.tif", _planar),
    Kind("tiles.tif", _tiled),
    Kind("two-pages.tif", _two_pages),
    Kind("pages-in-a-circle.tif", lambda: plain_tiff(16, 16, next_at=None)),
    Kind("held-6.tif", lambda: photo(43, kind="TIFF", orientation=6)),
    Kind("big.tif", _as("TIFF", big_tiff=True)),
    Kind("upside-down.bmp", lambda: bmp((16, -16), 24, bytes(range(48)) * 16)),
    Kind("bits-1.bmp", _palette_bmp(1)),
    Kind("bits-4.bmp", _palette_bmp(4)),
    Kind("bits-8.bmp", _palette_bmp(8)),
    Kind("bits-16.bmp", lambda: bmp((16, 16), 16, bytes(range(32)) * 16)),
    Kind("bits-16-masked.bmp", _masked),
    Kind("bits-32.bmp", lambda: bmp((16, 16), 32, bytes(range(64)) * 16)),
    Kind("runs-8.bmp", _rle8),
    Kind("runs-4.bmp", _rle4),
    Kind("os2.bmp", _core_bmp),
    Kind("photo.avif", _as("AVIF")),
    Kind("see-through.avif", _as("AVIF", "RGBA")),
    Kind("held-6.avif", lambda: photo(44, kind="AVIF", orientation=6)),
)

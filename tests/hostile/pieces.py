"""What files are put together from: chunks of PNG, segments of JPEG, directories of TIFF, boxes of AVIF."""

from __future__ import annotations

import functools
import struct
import zlib
from collections.abc import Sequence

from PIL import Image

from tests.making import encoded, picture

PNG = b"\x89PNG\r\n\x1a\n"
EOI = b"\xff\xd9"
SIZE = (112, 84)


@functools.cache
def image() -> Image.Image:
    """The picture that most kinds show."""
    return picture(1, SIZE)


@functools.cache
def jpeg(progressive: bool = False) -> bytes:
    """It as a JPEG."""
    return encoded(image(), "JPEG", progressive=progressive)


@functools.cache
def png() -> bytes:
    """It as a PNG, without interlacing."""
    return encoded(image(), "PNG")


def chunk(kind: bytes, data: bytes, check: int | None = None) -> bytes:
    """A chunk of a PNG; `check` replaces the right check sum."""
    return (
        struct.pack(">I", len(data))
        + kind
        + data
        + struct.pack(">I", zlib.crc32(kind + data) if check is None else check)
    )


def png_of(header: tuple[int, int, int, int], packed: bytes, *more: bytes, interlaced: bool = False) -> bytes:
    """A PNG from (width, height, bits, colour type), the packed pixels, and chunks to come before these."""
    start = chunk(b"IHDR", struct.pack(">IIBBBBB", *header, 0, 0, interlaced))
    return PNG + start + b"".join(more) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def rows(width: int, height: int, pixel: bytes = b"\x80\x60\x40") -> bytes:
    """The unpacked pixels of a plain PNG."""
    return (b"\0" + pixel * width) * height


def segment(marker: int, body: bytes) -> bytes:
    """A marker segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def with_segments(*segments: bytes, content: bytes | None = None) -> bytes:
    """A JPEG with these segments right after its start."""
    whole = jpeg() if content is None else content
    return whole[:2] + b"".join(segments) + whole[2:]


def first_scan(content: bytes) -> int:
    """Where the data of the first scan of a JPEG without thumbnails begin."""
    at = content.index(b"\xff\xda")
    return at + 2 + int.from_bytes(content[at + 2 : at + 4])


def exif(*entries: tuple[int, int, int, bytes], order: str = "<", next_at: int = 0) -> bytes:
    """A block of EXIF: entries of (tag, type, count, four bytes of value)."""
    packed = b"".join(struct.pack(order + "HHI", *entry[:3]) + entry[3] for entry in entries)
    start = b"II*\0" if order == "<" else b"MM\0*"
    head = start + struct.pack(order + "I", 8) + struct.pack(order + "H", len(entries))
    return b"Exif\0\0" + head + packed + struct.pack(order + "I", next_at)


Entry = tuple[int, int, Sequence[int]]


def tiff(entries: Sequence[Entry], data: bytes = b"", next_at: int | None = 0) -> bytes:
    """A little-endian TIFF: a directory of (tag, type 3 or 4, values), then `data`.

    The value -1 stands for the place of `data`. `next_at` None lets the directory follow itself.
    """
    lengths = {3: 2, 4: 4}
    start = 8 + 2 + 12 * len(entries) + 4
    spill = sum(lengths[kind] * len(values) for _, kind, values in entries if lengths[kind] * len(values) > 4)
    head, after = b"", b""
    for tag, kind, values in entries:
        real = [start + spill if value == -1 else value for value in values]
        packed = struct.pack(f"<{len(real)}{'H' if kind == 3 else 'I'}", *real)
        if len(packed) > 4:
            packed, after = struct.pack("<I", start + len(after)), after + packed
        head += struct.pack("<HHI", tag, kind, len(real)) + packed.ljust(4, b"\0")
    follows = struct.pack("<I", 8 if next_at is None else next_at)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + head + follows + after + data


def plain_tiff(width: int, height: int, *more: Entry, data: bytes | None = None, next_at: int | None = 0) -> bytes:
    """An uncompressed RGB TIFF of one strip; `more` replaces entries of the same tag."""
    body = (bytes(range(256)) * (width * height * 3 // 256 + 1))[: width * height * 3] if data is None else data
    entries: dict[int, Entry] = {
        256: (256, 4, [width]),
        257: (257, 4, [height]),
        258: (258, 3, [8, 8, 8]),
        259: (259, 3, [1]),
        262: (262, 3, [2]),
        273: (273, 4, [-1]),
        277: (277, 3, [3]),
        278: (278, 4, [height]),
        279: (279, 4, [len(body)]),
    }
    entries |= {entry[0]: entry for entry in more}
    return tiff([entries[tag] for tag in sorted(entries)], body, next_at)


def box(kind: bytes, body: bytes) -> bytes:
    """A box of an ISO media file, AVIF among them."""
    return struct.pack(">I", len(body) + 8) + kind + body


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP of these chunks."""
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(data)) + data + bytes(len(data) & 1) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webp_size(size: tuple[int, int] = SIZE) -> bytes:
    """Width and height as an extended WebP stores them: less one, three bytes each."""
    return b"".join((side - 1).to_bytes(3, "little") for side in size)


def gif(screen: tuple[int, int], frame: tuple[int, int, int, int], data: bytes, bits: int = 8) -> bytes:
    """A grey GIF of one frame (left, top, width, height), `data` packed into blocks of at most 255 bytes."""
    palette = b"".join(bytes([i, i, i]) for i in range(256))
    blocks = b"".join(bytes([len(data[i : i + 255])]) + data[i : i + 255] for i in range(0, len(data), 255))
    head = b"GIF89a" + struct.pack("<HHBBB", *screen, 0xF7, 0, 0) + palette
    return head + b"," + struct.pack("<HHHHB", *frame, 0) + bytes([bits]) + blocks + b"\0;"


def bmp(
    size: tuple[int, int], bits: int, pixels: bytes, *, compression: int = 0, between: bytes = b"", colours: int = 0
) -> bytes:
    """A BMP with a header of 40 bytes; `between` are masks or a palette; a height below 0 means top row first."""
    at = 14 + 40 + len(between)
    info = struct.pack("<IiiHHIIiiII", 40, *size, 1, bits, compression, len(pixels), 2835, 2835, colours, 0)
    return b"BM" + struct.pack("<IHHI", at + len(pixels), 0, 0, at) + info + between + pixels

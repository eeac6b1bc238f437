"""Photos of every kind we read, damaged at random, in requests that are damaged too: the same for the same dice.

A photo gets flipped bits, ends early, has the head of another kind, says it is enormous, or suffers what
`tests.hostile` does to its own; it comes as a body of a right or wrong type, or as parts of a multipart body that may
have no boundary, names without end, hundreds of parts, or another such body inside.
"""

from __future__ import annotations

import functools
import io
import random
import struct
import zlib
from dataclasses import dataclass, field

from PIL import Image

from tests.hostile.accidents import damaged
from tests.making import picture

WIDTH, HEIGHT = 97, 61  # found again in the headers, whatever the kind
SAVED: tuple[tuple[str, dict[str, object]], ...] = (
    ("JPEG", {"quality": 80}),
    ("JPEG", {"quality": 60, "progressive": True}),
    ("PNG", {}),
    ("WEBP", {"quality": 70}),
    ("WEBP", {"lossless": True}),
    ("WEBP", {"exif": b"Exif\0\0"}),
    ("GIF", {}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ("BMP", {}),
    ("AVIF", {}),
    ("PPM", {}),
    ("ICO", {}),
    ("JPEG2000", {}),
)
TYPES = (
    "image/jpeg", "image/png", "image/webp", "application/octet-stream", "text/plain; charset=utf-7", "image/svg+xml",
    "application/x-www-form-urlencoded", "application/json", "multipart/mixed; boundary=b", "a" * 300, "/", "; ;=",
)  # fmt: skip
HUGE = (0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)


@dataclass(frozen=True)
class Sent:
    """A request for a prediction."""

    content: bytes
    headers: dict[str, str] = field(default_factory=dict)


@functools.cache
def photos() -> tuple[bytes, ...]:
    """Sound ones, small, of every kind."""
    made = []
    for kind, options in SAVED:
        file = io.BytesIO()
        picture(1, (WIDTH, HEIGHT)).save(file, kind, **options)
        made.append(file.getvalue())
    grey = io.BytesIO()
    frames = [picture(n, (WIDTH, HEIGHT)).convert("L") for n in range(3)]
    frames[0].save(grey, "GIF", save_all=True, append_images=frames[1:])
    deep = io.BytesIO()
    Image.new("I;16", (WIDTH, HEIGHT), 999).save(deep, "PNG")
    return (*made, grey.getvalue(), deep.getvalue())


def request(dice: random.Random) -> Sent:
    """A mutated photo on its way."""
    how = dice.random()
    if how < 0.6:
        return Sent(photo(dice), {"Content-Type": dice.choice(TYPES)} if dice.random() < 0.7 else {})
    return multipart(dice)


def photo(dice: random.Random) -> bytes:
    """One photo after one to three mutations; one of twenty stays sound."""
    content = dice.choice(photos())
    if dice.random() < 0.05:
        return content
    for _ in range(dice.choice((1, 1, 2, 3))):
        content = dice.choice((_flipped, _cut, _spliced, _inflated, damaged))(content or b"x", dice)
    return content


def _flipped(content: bytes, dice: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(dice.choice((1, 3, 10, 100))):
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _cut(content: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(content))
    return content[:at] if dice.random() < 0.8 else content[at:]


def _spliced(content: bytes, dice: random.Random) -> bytes:
    """The head of another photo, a kind of its own perhaps, before the rest of this one."""
    other, at = dice.choice(photos()), dice.choice((4, 12, 16, 33, 64, 200))
    return other[:at] + content[dice.choice((at, 0)) :]


def _inflated(content: bytes, dice: random.Random) -> bytes:
    """Width or height, wherever its number stands in the head, as another number; a PNG's checksum stays right."""
    size = dice.choice((WIDTH, HEIGHT))
    forms = [form for form in (">I", "<I", ">H", "<H") if struct.pack(form, size) in content[:700]]
    if not forms:
        return _flipped(content, dice)
    form = dice.choice(forms)
    most = 2 ** (8 * struct.calcsize(form)) - 1
    wrong = struct.pack(form, min(dice.choice(HUGE), most))
    changed = content[:700].replace(struct.pack(form, size), wrong, 1) + content[700:]
    if changed[12:16] == b"IHDR":
        changed = changed[:29] + struct.pack(">I", zlib.crc32(changed[12:29])) + changed[33:]
    return changed


def multipart(dice: random.Random) -> Sent:
    """A form with photos in it, or what was meant to be one."""
    count = dice.choice((0, 1, 1, 2, 5, 31, 64, 65, 400))
    parts = [_part(dice, photo(dice) if count < 10 else b"x" * dice.randrange(40)) for _ in range(count)]
    if dice.random() < 0.15:
        inner = _joined(parts, b"inner", dice)
        parts = [_part(dice, inner), b'Content-Type: multipart/mixed; boundary="inner"\r\n\r\n' + inner]
    boundary = dice.choice((b"b", b"b", b"-" * 60, b"a b", b"", b"\xff", b"x" * 300, b"b;c"))
    body = _joined(parts, boundary, dice)
    named = dice.choice(("boundary={}", 'boundary="{}"', "boundary={}; charset=utf-7", "BOUNDARY={}", "", "boundary=z"))
    kind = f"multipart/form-data; {named.format(boundary.decode('latin-1'))}"
    if dice.random() < 0.3:
        body = damaged(body or b"x", dice)
    return Sent(body, {"Content-Type": kind})


def _part(dice: random.Random, content: bytes) -> bytes:
    name = dice.choice((b"file", b"file", b"file", b"other", b"", b"f" * 9000, b'fi"le', b"\xff\xfe"))
    filename = dice.choice((b"a.jpg", b"../../etc/passwd", b"n" * 9000, "ünï.jpg".encode(), b"\xff.jpg", b'a"; x="'))
    disposition = b'form-data; name="%s"' % name + (b'; filename="%s"' % filename if dice.random() < 0.9 else b"")
    lines = [dice.choice((b"Content-Disposition: ", b"content-disposition:", b"X-None: ")) + disposition]
    if dice.random() < 0.3:
        lines.append(
            dice.choice((b"Content-Type: image/jpeg", b"Content-Transfer-Encoding: base64", b"no colon", b": x"))
        )
    if dice.random() < 0.05:
        lines += [b"X-%d: y" % n for n in range(200)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + content


def _joined(parts: list[bytes], boundary: bytes, dice: random.Random) -> bytes:
    end = dice.choice((b"\r\n", b"\r\n", b"\r\n", b"\n"))
    whole = b"".join(b"--" + boundary + end + part + end for part in parts)
    return whole + dice.choice((b"--" + boundary + b"--" + end, b"--" + boundary + b"--", b"", b"--" + boundary))

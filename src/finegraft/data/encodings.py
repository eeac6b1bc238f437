"""In which encoding a text file is written: by its first bytes, else by what its bytes can be."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import IO

_MARKS = (  # UTF-32 before UTF-16, whose mark it begins with
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEAD = 4096
_CHUNK = 2**20
# All below 32 but tab, line feed, form feed, carriage return, and the end of file of DOS.
_CONTROL = bytes(set(range(32)) - set(b"\t\n\f\r\x1a"))
# One byte in eight of random content is such a sign; a text that was damaged here and there has a few.
_STRAY = 0.02
_NOT_IN_CP1252 = b"\x81\x8d\x8f\x90\x9d"


def is_text(head: bytes) -> bool:
    """Whether content that begins with `head` is text in one of the encodings known here; nothing at all is not."""
    if any(head.startswith(mark) for mark, _ in _MARKS) or _unmarked_utf16(head) is not None:
        return True
    return bool(head) and len(head) - len(head.translate(None, _CONTROL)) <= _STRAY * len(head)


def encoding_of(path: Path) -> str:
    """The name of the encoding of the text file at `path`, as `open` takes it.

    A byte order mark tells it. Without one it is UTF-16 where every other byte is zero, UTF-8 where the whole file can
    be, else Windows' western code page, or Latin-1 where the file has bytes that this does not define. Raises
    `OSError`.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
        for mark, name in _MARKS:
            if head.startswith(mark):
                return name
        if wide := _unmarked_utf16(head):
            return wide
        file.seek(0)
        if _is_utf8(file):
            return "utf-8"
        file.seek(0)
        chunks = iter(lambda: file.read(_CHUNK), b"")
        return "latin-1" if any(len(c.translate(None, _NOT_IN_CP1252)) < len(c) for c in chunks) else "cp1252"


def _is_utf8(file: IO[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := file.read(_CHUNK):
            decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return not decoder.getstate()[0]  # else it ends in the middle of a character


def _unmarked_utf16(head: bytes) -> str | None:
    """UTF-16 of mostly western text: a zero in every pair, always on the same side."""
    first, second = head[0::2], head[1::2]
    if len(second) < 2:
        return None
    if second.count(0) > 0.7 * len(second) and first.count(0) == 0:
        return "utf-16-le"
    if first.count(0) > 0.7 * len(first) and second.count(0) == 0:
        return "utf-16-be"
    return None

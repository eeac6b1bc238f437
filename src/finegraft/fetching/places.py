"""Where a photo is put: the folder of its label, and a name that tells its origin and its content."""

from __future__ import annotations

import re
from urllib.parse import unquote

from finegraft.data.naming import folder_name

# How a file of each kind begins, and its suffix. What is none of these has passed no check.
_SUFFIXES: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"\xff\xd8\xff"), ".jpg"),
    (re.compile(rb"\x89PNG\r\n"), ".png"),
    (re.compile(rb"GIF8[79]a"), ".gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), ".webp"),
    (re.compile(rb"BM"), ".bmp"),
    (re.compile(rb"(II[*+]\0|MM\0[*+])"), ".tif"),
    (re.compile(rb"....ftyp(avif|avis|mif1)", re.DOTALL), ".avif"),
)
_OTHER = re.compile(r"[^A-Za-z0-9]+")
_LONGEST = 40  # characters of the name in the address
_DIGITS = 12  # of the digest: among a million photos of one name and label, two alike by chance are one in 500


def place(label: str, path: str, digest: str, content: bytes) -> str:
    """The path inside the folder, with "/", of the photo with this `digest` that came from `path` of an address.

    Nothing of label, address or headers can lead elsewhere: the label is made one folder's name, of the address only
    letters and digits are kept, and the suffix follows the content.

    >>> place("brown bear", "/photos/IMG%204711.php?id=1", "8f14e45fceea167a", b"\\xff\\xd8\\xff")
    'brown bear/IMG-4711-8f14e45fceea.jpg'
    """
    return f"{folder_name(label)}/{_stem(path)}-{digest[:_DIGITS]}{_suffix(content)}"


def _stem(path: str) -> str:
    name = unquote(path.partition("?")[0].rpartition("/")[2]).rpartition(".")
    stem = _OTHER.sub("-", name[0] or name[2])[:_LONGEST].strip("-")
    return stem or "photo"


def _suffix(content: bytes) -> str:
    return next((suffix for start, suffix in _SUFFIXES if start.match(content)), ".jpg")

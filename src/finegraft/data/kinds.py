"""What kind of file this is, by its content: a table, an archive, or something else. Its name is never asked."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Literal

from finegraft.data.encodings import is_text
from finegraft.errors import DataError

Kind = Literal["zip", "tar", "parquet", "text", "empty", "other"]

# Compressed content counts as a tar: what else it may be shows when it is unpacked.
_STARTS: tuple[tuple[bytes, Kind], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),  # one without entries
    (b"\x1f\x8b", "tar"),
    (b"BZh", "tar"),
    (b"\xfd7zXZ\0", "tar"),
    (b"\x28\xb5\x2f\xfd", "tar"),  # zstandard
    (b"PAR1", "parquet"),
)
_HEAD = 4096
_BLOCK = 512  # of a tar


def kind_of(path: Path) -> Kind:
    """The kind of the file at `path`; "other" for what is no ordinary file. Raises `DataError` where it is unreadable.

    >>> kind_of(Path("photos.zip"))                                        # doctest: +SKIP
    'zip'
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe could wait for ever
            return "other"
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"Cannot read {path}: {reason}.", "Check the path and its permissions.") from error
    if not head:
        return "empty"
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if _is_tar(head[:_BLOCK]):
        return "tar"
    return "text" if is_text(head) else "other"


def _is_tar(block: bytes) -> bool:
    """Whether a tar begins with this block: its checksum is right (POSIX.1-2017, pax, "ustar Interchange Format")."""
    if len(block) < _BLOCK:
        return False
    try:
        stored = int(block[148:156].rstrip(b"\0 ") or b"x", 8)
    except ValueError:
        return False
    rest = block[:148] + b" " * 8 + block[156:]
    return stored in (sum(rest), sum(byte - 256 if byte > 127 else byte for byte in rest))  # old ones add signed bytes

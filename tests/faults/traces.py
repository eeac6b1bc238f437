"""What a process had under way when it died, read from the files it left, before anything touches them."""

from __future__ import annotations

import struct
from pathlib import Path

LOG = "write-ahead log"
_HEADER, _FRAME = 32, 24  # bytes; https://www.sqlite.org/fileformat2.html#the_write_ahead_log


def traces(place: Path) -> list[str]:
    """Words for what lies below `place` that is there only while something is under way; sorted."""
    found = set()
    for path in place.rglob("*"):
        if path.name.endswith(".part"):
            found.add(".part file")
        elif path.name.endswith("-wal") and path.stat().st_size:
            found |= {LOG} | ({"cut transaction"} if is_cut(path.read_bytes()) else set())
        elif path.name.endswith("-journal"):
            found.add("rollback journal")
        elif path.name in ("unfinished.txt", ".new", ".moving"):
            found.add(path.name)
    return sorted(found)


def is_cut(log: bytes) -> bool:
    """Whether a write-ahead log of SQLite ends inside a transaction.

    Each frame holds a page; the last one of a transaction has the size of the database in its head, the others 0.
    Frames with other salts are left over from an earlier round of the log.
    """
    if len(log) < _HEADER:
        return bool(log)
    page, salts = struct.unpack(">I", log[8:12])[0], log[16:24]
    whole = True
    for start in range(_HEADER, len(log), _FRAME + page):
        head = log[start : start + _FRAME]
        if len(head) < _FRAME or head[8:16] != salts:
            return not whole
        whole = head[4:8] != bytes(4) and len(log) >= start + _FRAME + page
    return not whole

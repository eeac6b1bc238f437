"""A list of paths on stdin, each as soon as it is there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path


def paths_on_stdin() -> Iterator[Path]:
    """The paths on stdin, each as soon as it is there.

    The first separator to arrive tells which kind of list it is; a null byte that came with it counts more than a line
    feed, which may belong to a name. Not through `sys.stdin`: a thread that waits in its buffer would stop the process
    from ending.
    """
    rest, end = b"", b""
    while chunk := os.read(0, 65_536):
        rest += chunk
        end = end or next((byte for byte in (b"\0", b"\n") if byte in chunk), b"")
        if end:
            *lines, rest = rest.split(end)
            yield from _named(lines, end)
    yield from _named([rest], end)


def _named(lines: Iterable[bytes], end: bytes) -> Iterator[Path]:
    """The paths on `lines`; empty ones are passed over, and the carriage returns of Windows are no part of a name."""
    for line in lines:
        name = line.removesuffix(b"\r") if end == b"\n" else line
        if name:
            yield Path(os.fsdecode(name))

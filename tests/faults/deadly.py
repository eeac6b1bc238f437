"""A command that dies before its n-th change to the disk: what random moments rarely meet.

    python -m tests.faults.deadly FOLDER JOURNAL N WORDS…

runs `finegraft WORDS…`. Every change below FOLDER is written to the file JOURNAL, a line for each, before it happens:
a file opened for writing, renamed or removed, a folder made or removed, content flushed, a statement of SQLite that
changes something. The process group is killed before change N, counted from 0; never where N is negative.
"""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_RANDOM = re.compile(r"\.[0-9a-f]{16}\.part")
# audit event -> how many of its arguments are paths
_CHANGES = {"os.rename": 2, "os.remove": 1, "os.mkdir": 1, "os.rmdir": 1, "os.link": 2, "os.symlink": 2}
_CHANGES["shutil.rmtree"] = 1  # what it removes it names by handles
_READS = ("SELECT", "PRAGMA user_version", "PRAGMA journal_mode", "PRAGMA synchronous", "--")


def arm(folder: Path, journal: Path, fatal: int) -> None:
    """Write every change below `folder` to `journal` from now on, and die before the one numbered `fatal`."""
    root = os.path.realpath(folder)
    log = os.open(journal, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_APPEND, 0o666)
    number = -1

    def change(what: str) -> None:
        nonlocal number
        number += 1
        os.write(log, f"{what}\n".encode(errors="backslashreplace"))
        if number == fatal:
            os.killpg(os.getpgrp(), signal.SIGKILL)

    sys.addaudithook(_Hook(root, change))
    sqlite3.connect = _tracing(sqlite3.connect, change)
    os.fsync = _noting(os.fsync, root, change)  # type: ignore[assignment] # called with a handle only


class _Hook:
    """Sees what Python does to the disk. See https://docs.python.org/3/library/audit_events.html."""

    def __init__(self, root: str, change: Callable[[str], None]) -> None:
        self._root = root
        self._change = change

    def __call__(self, event: str, given: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(given[2], int) and given[2] & _WRITES:
            self._note("open", given[:1])
        elif event in _CHANGES:
            self._note(event.rpartition(".")[2], given[: _CHANGES[event]])

    def _note(self, what: str, paths: tuple[Any, ...]) -> None:
        names = [_inside(path, self._root) for path in paths if isinstance(path, str | bytes | os.PathLike)]
        if names and None not in names:
            self._change(f"{what} {' '.join(map(str, names))}")


def _tracing(connect: Callable[..., sqlite3.Connection], change: Callable[[str], None]) -> Callable[..., Any]:
    def statement(text: str) -> None:
        if not text.lstrip().startswith(_READS):
            change(f"sql {' '.join(text.split()[: 3 if text.startswith('PRAGMA') else 1])}")

    def connecting(*given: Any, **named: Any) -> sqlite3.Connection:
        connection = connect(*given, **named)
        connection.set_trace_callback(statement)
        return connection

    return connecting


def _noting(flush: Callable[[int], None], root: str, change: Callable[[str], None]) -> Callable[[int], None]:
    def noting(handle: int) -> None:
        name = _inside(os.readlink(f"/proc/self/fd/{handle}"), root) if os.path.isdir("/proc/self/fd") else "a file"  # noqa: PTH112, PTH115
        if name is not None:
            change(f"flush {name}")
        flush(handle)

    return noting


def _inside(path: Any, root: str) -> str | None:
    """`path` inside `root`, without what is random in it; None where it lies elsewhere."""
    folder, name = os.path.split(os.fsdecode(path))
    place = os.path.join(os.path.realpath(folder), name)  # noqa: PTH118 - pathlib would raise audit events itself
    if place == root:
        return "."
    return _RANDOM.sub(".part", place[len(root) + 1 :]) if place.startswith(root + os.sep) else None


if __name__ == "__main__":
    arm(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
    sys.argv[1:] = sys.argv[4:]
    from finegraft.cli.main import main

    main()

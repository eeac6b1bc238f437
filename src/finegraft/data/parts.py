"""Temporary files beside the place they are for: made under a lock, and swept up after a process was killed."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import sys
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_NAME = re.compile(r"\.[0-9a-f]{16}\.part")


def made(folder: Path) -> tuple[Path, int]:
    """An empty hidden file of our own in `folder`, `.….part`, and an open handle that keeps `sweep` away from it.

    Close the handle when the file has become what it is for, or is gone. Raises `OSError`.
    """
    # Not `tempfile.mkstemp`: its files are their owner's alone, and giving them the ordinary mode needs the umask,
    # which can only be read by setting it, for every thread at once.
    while True:
        path = folder / f".{secrets.token_hex(8)}.part"
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        if _is_ours(path, handle):
            return path, handle
        os.close(handle)  # another process swept between our making the file and our locking it


def sweep(folder: Path) -> None:
    """Remove the temporary files that killed processes left in `folder`. What cannot be removed stays.

    A file whose lock somebody holds is in use. Where there are no locks (Windows, some network file systems) nothing
    is removed, since nothing tells a file in use from a left one.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    _remove_if_left(Path(entry.path))


def _is_ours(path: Path, handle: int) -> bool:
    """Whether the new file at `path` is locked and still there."""
    try:
        _lock(handle)
    except BlockingIOError:  # a sweeper has it, and is about to remove it
        return False
    except OSError:  # no locks here, so nobody sweeps either
        return True
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _remove_if_left(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        _lock(handle)
        path.unlink()
    finally:
        os.close(handle)


def _lock(handle: int) -> None:
    """Raises `BlockingIOError` where another process has the lock, `OSError` where there are none."""
    if sys.platform == "win32":
        raise OSError("There are no such locks on Windows.")
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

"""One process at a time in a folder."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from finegraft.errors import StorageError

if sys.platform != "win32":
    import fcntl


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold `folder`, made where it is missing. Raises `StorageError` where that fails or another process holds it.

    The lock is on the folder itself and ends with the process. Windows and some network file systems have none: there
    two at once are not noticed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = "it is a file" if folder.is_file() else error.strerror or error
        raise StorageError(f"Cannot fetch into {folder}: {what}.", "Choose another folder with -o.") from error
    if sys.platform == "win32":
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        _lock(handle, folder)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path) -> None:
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StorageError(
            f"Another finegraft fetches into {folder}.", "Wait for its end, or choose another folder with -o."
        ) from error
    except OSError:
        pass

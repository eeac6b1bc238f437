"""The mark of a run that is being made: a file that says so, and a lock on it."""

from __future__ import annotations

import contextlib
import os
import sys
import weakref
from pathlib import Path

from finegraft.errors import RunError
from finegraft.evaluation.files import UNFINISHED

if sys.platform != "win32":
    import fcntl


class Mark:
    """`unfinished.txt` in `folder`, locked: one process at a time works there.

    The lock ends with the process, or with this object. Raises `RunError` where another holds it, `OSError` where the
    folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / UNFINISHED
        handle = _locked(self._path)
        self._let_go = weakref.finalize(self, os.close, handle)
        with contextlib.suppress(OSError):  # a full disk: the words are for people, the file alone is the mark
            os.write(handle, b"finegraft works here, or was stopped before the end.\n")

    def release(self) -> None:
        """End the lock and leave the file: what it marks stays unfinished. Nothing the second time."""
        self._let_go()

    def remove(self) -> None:
        """End the lock and take the file away. Nothing the second time: the file may be another's by then."""
        if not self._let_go.alive:
            return
        if sys.platform == "win32":
            self._let_go()  # an open file cannot be removed there
        # Removed before the lock ends: the next process must not lock a file that is about to go.
        self._path.unlink(missing_ok=True)
        self._let_go()


def _locked(path: Path) -> int:
    """The open file `path`, made where it is missing, with the lock on it. Raises `RunError` and `OSError`."""
    while True:
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
        try:
            _lock(handle, path.parent)
            if os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # whoever held it has removed the file since it was opened: a lock on it would bind nobody


def _lock(handle: int, folder: Path) -> None:
    # Windows has no flock, and its byte locks would keep people from reading the file: there, two at once are not
    # noticed. Nor are they on a network file system that knows no locks.
    if sys.platform != "win32":
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunError(
                f"Another finegraft is working in {folder}.", "Wait for its end, or choose another folder with -o."
            ) from error
        except OSError:
            pass

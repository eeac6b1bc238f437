"""A new run in place of an earlier one: who may, and how nothing is lost when it stops half-way.

The new run is gathered in RUN/.new. To take over, the old `run.json` goes first, which takes the old run out of use.
Then the other old files go, .new becomes .moving, which says that they are gone, and file after file moves up, the new
`run.json` last. Every step may be done twice: whoever finds the folder in between ends what was begun.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from finegraft.data import parts
from finegraft.errors import RunError, StorageError
from finegraft.evaluation.files import MOVING, NEW, OURS, SETTINGS, UNFINISHED, is_finished, remove
from finegraft.evaluation.mark import Mark


def claimed(path: Path, force: bool) -> tuple[Mark, bool]:
    """The mark of the folder `path`, made where it is missing, and whether a new run would replace a finished one.

    Judged twice: what holds no run is not touched at all, and before the lock another process may have ended its run.
    Raises `RunError` where no run may be made there, `OSError` where none can.
    """
    if path.exists() or path.is_symlink():
        _may_replace(path, force)
    path.mkdir(parents=True, exist_ok=True)
    empty = not any(path.iterdir())
    mark = Mark(path)
    try:
        _settle(path)
        return mark, _may_replace(path, force)
    except RunError:
        mark.remove()
        raise
    except BaseException:  # Ctrl-C too: what a killed process left here must stay marked as unfinished
        if empty or is_finished(path):
            mark.remove()
        mark.release()
        raise


def clear(place: Path) -> None:
    """Remove what an earlier run left in `place`, the remains of a killed one too. Raises `OSError`."""
    for name in (SETTINGS, *OURS):
        remove(place / name)
    parts.sweep(place)


def take_over(path: Path) -> None:
    """Take the finished run in `path` out of use, and move the one in `path`/.new into its place.

    Only for who holds the mark. Raises `StorageError`.
    """
    try:
        remove(path / SETTINGS)
    except OSError as error:
        raise _cannot_replace(path, error) from error
    _settle(path)


def mend(path: Path) -> None:
    """End a `take_over` that was stopped; wait for one that goes on, which takes a moment. Raises `StorageError`."""
    while _is_between(path):
        try:
            mark = Mark(path)
        except RunError:  # another process is at it
            time.sleep(0.02)
            continue
        except OSError as error:
            raise _cannot_replace(path, error) from error
        try:
            _settle(path)
            mark.remove()
        finally:
            mark.release()


def _is_between(path: Path) -> bool:
    return not (path / SETTINGS).exists() and (is_finished(path / NEW) or is_finished(path / MOVING))


def _may_replace(path: Path, force: bool) -> bool:
    """True where a new run in the folder `path` would replace a finished one. Raises `RunError` where it may not."""
    if not path.is_dir():
        raise RunError(f"{path} is a file, not a folder.", "Choose another folder with -o.")
    if not any(path.iterdir()):
        return False
    finished = is_finished(path)
    if not finished and not (path / UNFINISHED).is_file():
        raise RunError(f"{path} holds files that are not a run's.", "Choose another folder with -o.")
    if finished and not force:
        raise RunError(
            f"{path} already holds a finished run.",
            "Give --force to replace it, or choose another folder with -o.",
        )
    return finished


def _settle(path: Path) -> None:
    """End a `take_over` that was stopped, and do nothing where there is none. Only for who holds the mark."""
    if not _is_between(path):
        return
    moving = path / MOVING
    try:
        if is_finished(path / NEW):
            for name in OURS:
                remove(path / name)
            remove(moving)
            (path / NEW).rename(moving)
        for name in (*OURS, SETTINGS):
            with contextlib.suppress(FileNotFoundError):  # it has no such file, or it was moved already
                (moving / name).rename(path / name)
        remove(moving)
    except OSError as error:
        raise _cannot_replace(path, error) from error


def _cannot_replace(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"Cannot replace the run in {path}: {error.strerror or error}.",
        f"The new one is complete in a hidden folder in {path}: mend the cause and open {path} again.",
    )

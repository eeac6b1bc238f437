"""Files that are whole or absent: written beside their place, flushed, then renamed onto it."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from finegraft.data import parts
from finegraft.errors import StorageError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that becomes `path` when the block ends without an error.

    The content is on disk before the rename, so neither `kill -9` nor a power cut leaves a half-written `path`. What
    they do leave is the temporary file, hidden and named `.….part`: nothing reads it, and the next process that
    writes in that folder removes it. A link stays a link: what it leads to is replaced. Raises `StorageError` where
    the folder cannot be written.
    """
    try:
        place = Path(os.path.realpath(path))
        place.parent.mkdir(parents=True, exist_ok=True)
        _swept(place.parent)
        temporary, handle = parts.made(place.parent)
    except OSError as error:
        raise _storage_error(path, error) from error
    if sys.platform == "win32":
        os.close(handle)  # an open file cannot be renamed there
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(place)
        flush_folder(place.parent)
    except OSError as error:
        if error.filename not in (None, temporary, str(temporary)):
            raise  # the block stumbled over another file; "cannot write" would mislead
        raise _storage_error(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if sys.platform != "win32":
            os.close(handle)


def write_atomically(path: Path, content: bytes) -> None:
    """Write the whole of `content` to `path`, or nothing. Raises `StorageError`."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


@functools.lru_cache(maxsize=256)
def _swept(folder: Path) -> None:
    """Sweep `folder`, once in a process: thousands of copies into one folder must not list it thousands of times."""
    parts.sweep(folder)


def _flush(file: Path) -> None:
    handle = os.open(file, os.O_RDWR)  # Windows flushes only what is open for writing
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def flush_folder(folder: Path) -> None:
    """Make the rename itself last. Windows cannot open a folder, and some network file systems cannot flush one."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _storage_error(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"Cannot write {path}: {error.strerror or error}.",
        "Free some space or choose a folder you can write to.",
    )

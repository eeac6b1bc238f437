"""The bytes of a file and their digest: how a file gets in, whatever kind of data it holds."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from finegraft.errors import UnreadableFile

MAX_BYTES = 256 * 2**20


def read_content(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """All bytes of the file at `path`.

    Raises `UnreadableFile`: "too-large" above `max_bytes` (nothing is read then), "unreadable" where there is no
    file, it may not be read, or it is a folder, a pipe or a device (reading one could wait for ever).
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableFile("unreadable", _what_else(path, status.st_mode))
        if status.st_size > max_bytes:
            raise too_many_bytes(status.st_size, max_bytes)
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise UnreadableFile("unreadable", _reason(path, error)) from error


def digest_of(content: bytes) -> str:
    """The hex content digest that names a record: BLAKE2b, 16 bytes."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def too_many_bytes(size: int, max_bytes: int) -> UnreadableFile:
    """The error of a file with more bytes than are read."""
    return UnreadableFile(
        "too-large",
        f"The file has {size / 2**20:,.0f} MB; at most {max_bytes / 2**20:,.0f} MB are read. Save a smaller copy.",
    )


def _what_else(path: Path, mode: int) -> str:
    if not stat.S_ISDIR(mode):
        return "This is a pipe or a device, not a file."
    if os.access(path, os.R_OK | os.X_OK):
        return "This is a folder, not a file."
    return "You may not list this folder. Change its permissions (chmod u+rx) or leave it out."


def _reason(path: Path, error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        if path.is_symlink():
            return f"This link leads nowhere: {os.readlink(path)} does not exist."  # noqa: PTH115 - as written
        return "There is no such file. Check the path."
    if isinstance(error, PermissionError):
        return "You may not read this file. Change its permissions (chmod u+r) or leave it out."
    return f"The file cannot be read ({getattr(error, 'strerror', None) or error})."

"""The zip of a bundle: a few stored entries with plain names, read as if a stranger had made it."""

from __future__ import annotations

import re
import stat
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

from finegraft.errors import BundleError

if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo

# What is in a bundle without its backbone in place of model.onnx.
HEAD = "head.onnx"
# 2 GB is what one protobuf message can hold. The others have room for 100,000 classes.
MAX_SIZES = {"model.onnx": 2 * 2**30, HEAD: 2**30, "model.json": 16 * 2**20, "card.md": 16 * 2**20}
MAX_SAMPLE = 16 * 2**20
MAX_ENTRIES = 64
_MAX_DIRECTORY = 64 * 2**10

_NAME = re.compile(r"(?:samples/)?[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
_END = struct.Struct("<4s4H2LH")  # the last record of a zip without a comment (APPNOTE 4.3.16)
_MEND = "Make the bundle again, or ask whoever sent it."


def write(path: Path, entries: Mapping[str, bytes]) -> None:
    """Write `entries` in their order, whole or not at all; equal entries give equal bytes."""
    import zipfile

    from finegraft.data.atomic import replacing

    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, content)


def read(path: Path) -> dict[str, bytes]:
    """All entries of the zip at `path`.

    Raises `BundleError` where there is no file or it is no zip, and for everything a bundle never has: compressed,
    encrypted, repeated, too large or too many entries, links, folders, names that leave the place they are unpacked
    in, and bytes before, between or after the entries that make two readers see two things.
    """
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not an ordinary file" if path.exists() else "does not exist"
        raise BundleError(f"{path} {what}.", "A bundle is one file, the model.fg that `finegraft train` writes.")
    try:
        with path.open("rb") as file:
            return _entries(file, path)
    except OSError as error:
        raise BundleError(f"Cannot read {path}: {error.strerror or error}.", "Check its permissions.") from error


def _entries(file: IO[bytes], path: Path) -> dict[str, bytes]:
    import zipfile

    promised = _check_end(file, path)
    # zipfile raises all of these, depending on which byte is wrong.
    broken = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, struct.error)
    try:
        with zipfile.ZipFile(file) as archive:
            _check_entries(archive, promised, path)
            return {entry.filename: archive.read(entry) for entry in archive.infolist()}
    except broken as error:
        raise BundleError(f"{path} is damaged: {error}.", _MEND) from error


def _check_end(file: IO[bytes], path: Path) -> int:
    """Check the table of contents before anything believes it: small, right before the end; its number of entries."""
    size = file.seek(0, 2)
    if size > sum(MAX_SIZES.values()) + MAX_ENTRIES * MAX_SAMPLE:
        raise BundleError(f"{path} is no bundle: with {size / 2**30:.1f} GB it is larger than any.", _MEND)
    file.seek(max(size - _END.size, 0))
    tail = file.read(_END.size)
    if len(tail) < _END.size or not tail.startswith(b"PK\5\6"):
        raise BundleError(
            f"{path} is not a bundle: it is not a zip, or was cut off.",
            "A bundle is the model.fg that `finegraft train` writes. " + _MEND,
        )
    _, disk, first_disk, here, entries, length, start, comment = _END.unpack(tail)
    whole = (disk, first_disk, comment) == (0, 0, 0) and here == entries and start + length == size - _END.size
    if not whole or entries > MAX_ENTRIES or length > _MAX_DIRECTORY:
        raise BundleError(f"{path} is not a bundle: its table of contents is not one finegraft writes.", _MEND)
    return int(entries)


# What is wrong with an entry -> how to tell.
_WRONG: dict[str, Callable[[ZipInfo], object]] = {
    "has a name that a bundle does not use": lambda e: not _NAME.fullmatch(e.orig_filename),
    "is encrypted": lambda e: e.flag_bits & 1,
    "is compressed": lambda e: e.compress_type != 0 or e.compress_size != e.file_size,
    "is not a plain file": lambda e: stat.S_IFMT(e.external_attr >> 16) not in (0, stat.S_IFREG),
    "is too large": lambda e: e.file_size > MAX_SIZES.get(e.filename, MAX_SAMPLE),
}


def _check_entries(archive: ZipFile, promised: int, path: Path) -> None:
    entries = archive.infolist()
    if len(entries) != promised:
        raise BundleError(f"{path} is damaged: it has {len(entries)} entries instead of {promised}.", _MEND)
    for entry in entries:
        for what, is_wrong in _WRONG.items():
            if is_wrong(entry):
                raise BundleError(f"{path} is not safe to open: its entry {entry.orig_filename!r} {what}.", _MEND)
    names = [entry.filename for entry in entries]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise BundleError(f"{path} is not safe to open: it has two entries called {twice[0]!r}.", _MEND)
    # Stored entries that overlap would be read many times over.
    if sum(entry.file_size for entry in entries) > archive.start_dir:
        raise BundleError(f"{path} is not safe to open: its entries overlap.", _MEND)

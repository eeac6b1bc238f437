"""The entries of a zip, read as if a stranger had made it."""

from __future__ import annotations

import functools
import stat
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from finegraft.data.unpacking import BOUNDS, Bounds, Entry, too_much
from finegraft.errors import DataError, FinegraftError

# Records of the format, by their sections in PKWARE's APPNOTE 6.3.10.
_END = struct.Struct("<4s4H2LH")  # 4.3.16, end of central directory
_END_64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14, the same for zip64
_LOCATOR_64 = struct.Struct("<4sLQL")  # 4.3.15, stands between the two
_LENGTHS = struct.Struct("<3H")  # of name, extra and comment, at byte 28 of an entry of the directory (4.3.12)
_FIXED = 46  # bytes of such an entry before its name
_LOCAL = 30  # bytes of a local header before its name (4.3.7)
_COMMENT = 65_535
# Name, extra and comment may take 3 × 65,535 bytes of each entry; an honest directory has a hundred.
_DIRECTORY_PER_ENTRY = 512


def entries(path: Path, bounds: Bounds = BOUNDS) -> Iterator[Entry]:
    """Every entry of the zip at `path`, in order. Raises `DataError` for what is damaged, or a bomb.

    A directory that is too large, entries that overlap (one piece of data counted many times) and contents that add
    up to too much are refused as a whole, before anything is unpacked.
    """
    try:
        with path.open("rb") as file:
            _check_directory(file, path, bounds)
            with zipfile.ZipFile(file) as archive:
                _check_sizes(archive, path, bounds)
                for info in archive.infolist():
                    yield Entry(_name(info), info.file_size, functools.partial(archive.open, info), _refused(info))
    except FinegraftError:
        raise
    except Exception as error:  # zipfile raises nearly everything, depending on which byte is wrong
        why = str(error) or type(error).__name__
        raise DataError(f"{path} is a damaged zip ({why}).", "Fetch it again.") from error


def _check_directory(file: IO[bytes], path: Path, bounds: Bounds) -> None:
    """Count the entries before anything is made of them: zipfile takes half a kilobyte of memory for each."""
    size = file.seek(0, 2)
    start = max(size - _END.size - _COMMENT, 0)
    file.seek(start)
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < _END.size:
        raise DataError(f"{path} is cut off: its table of contents is missing.", "Fetch it again.")
    length, end = _END.unpack_from(tail, at)[5], start + at
    if at >= _LOCATOR_64.size and tail[at - _LOCATOR_64.size :].startswith(b"PK\6\7"):
        end = end - _LOCATOR_64.size - _END_64.size
        file.seek(max(end, 0))
        record = file.read(_END_64.size)
        if len(record) == _END_64.size and record.startswith(b"PK\6\6"):
            length = _END_64.unpack(record)[8]
    if length > _DIRECTORY_PER_ENTRY * bounds.entries:
        raise too_much(path, f"a table of contents of {length / 2**20:,.0f} MB")
    file.seek(max(end - length, 0))
    if _count(file.read(length), bounds.entries) > bounds.entries:
        raise too_much(path, f"more than {bounds.entries:,} entries")


def _count(directory: bytes, most: int) -> int:
    """How many entries a directory holds; counting ends above `most`."""
    at = count = 0
    while at + _FIXED <= len(directory) and count <= most:
        at += _FIXED + sum(_LENGTHS.unpack_from(directory, at + 28))
        count += 1
    return count


def _check_sizes(archive: zipfile.ZipFile, path: Path, bounds: Bounds) -> None:
    infos = sorted(archive.infolist(), key=lambda info: info.header_offset)
    starts = [*(info.header_offset for info in infos), archive.start_dir]
    for info, following in zip(infos, starts[1:], strict=True):
        if info.header_offset + _LOCAL + info.compress_size > following:
            raise DataError(
                f"{path} is not safe to unpack: its entries overlap, as those of a bomb do.", "Do not trust its source."
            )
    total = sum(info.file_size for info in infos if info.file_size <= bounds.file)
    if total > bounds.allowance(path.stat().st_size):
        raise too_much(path, f"{total / 2**30:,.1f} GB")


def _name(info: zipfile.ZipInfo) -> str:
    """The name as it was written: many programs write UTF-8 without saying so, and zipfile then reads code page 437."""
    name = info.orig_filename
    if info.flag_bits & 0x800 or name.isascii():
        return name
    try:
        return name.encode("cp437").decode()
    except UnicodeError:
        return name


def _refused(info: zipfile.ZipInfo) -> str | None:
    """Why this entry is not unpacked, None where it is an ordinary file."""
    if info.flag_bits & 1:
        return "Not unpacked: it is encrypted. Unpack the archive yourself and give the folder."
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "Not unpacked: it is a link."
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "Not unpacked: it is a device or a pipe, not a file."
    return None

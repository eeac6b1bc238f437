"""The entries of a tar, compressed or not, read from its beginning to its end as if a stranger had made it."""

from __future__ import annotations

import bz2
import functools
import gzip
import importlib
import io
import lzma
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

from finegraft.data.unpacking import BOUNDS, Bounds, Budget, Entry, too_much
from finegraft.errors import DataError, FinegraftError

_CHUNK = 2**18
# What tarfile reads at once: blocks of 512 bytes, and the long names and extended headers of some entries.
_MOST_AT_ONCE = 2**20
# The most that unpacking xz may take for its dictionary: four times that of `xz -9`.
_XZ_MEMORY = 256 * 2**20


def entries(path: Path, bounds: Bounds = BOUNDS) -> Iterator[Entry]:
    """Every entry of the tar at `path`, in order; each is read before the next one is asked for.

    Raises `DataError` for what is no tar, damaged, cut off, or a bomb.
    """
    try:
        with path.open("rb") as file, _decompressed(file) as content:
            budget = Budget(path, bounds.allowance(path.stat().st_size))
            stream = _Forward(content, None if content is file else budget)
            archive = tarfile.TarFile(fileobj=cast(IO[bytes], stream), encoding="utf-8", errors="surrogateescape")
            count = 0
            while (info := archive.next()) is not None:
                count += 1
                if info.size < 0:
                    raise tarfile.ReadError("an entry of a negative size")
                if count > bounds.entries:
                    raise too_much(path, f"more than {bounds.entries:,} entries")
                cast(Any, archive).members.clear()  # it would keep a kilobyte of each
                name = info.name + "/" if info.isdir() else info.name
                yield Entry(name, info.size, functools.partial(_content, archive, info), _refused(info))
            if not stream.last or any(stream.last):
                raise DataError(f"{path} is cut off: a tar ends with empty blocks.", "Fetch it again.")
    except FinegraftError:
        raise
    except Exception as error:  # tarfile and the decompressors raise nearly everything, depending on the byte
        why = str(error) or type(error).__name__
        raise DataError(f"{path} is no tar, or is damaged ({why}).", "Fetch it again.") from error


def _content(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(info)
    assert content is not None  # it is an ordinary file, or it was refused
    return content


def _refused(info: tarfile.TarInfo) -> str | None:
    """Why this entry is not unpacked, None for an ordinary file or a folder."""
    if info.isreg() or info.isdir():
        return None
    if info.issym() or info.islnk():
        return "Not unpacked: it is a link."
    return "Not unpacked: it is a device or a pipe, not a file."


class _Forward(io.RawIOBase):
    """A stream that goes forward only, in bounded steps, and counts what it gives.

    A header that claims a negative size would lead back, for ever; one that claims a huge name would fill memory.
    `last` is what was read last.
    """

    def __init__(self, source: IO[bytes], budget: Budget | None) -> None:
        self.last = b""
        self._source = source
        self._budget = budget
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _MOST_AT_ONCE:
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        self.last = self._source.read(size)
        self._at += len(self.last)
        if self._budget is not None:
            self._budget.spend(len(self.last))
        return self.last

    def seek(self, place: int, whence: int = 0) -> int:
        if whence != 0 or place < self._at:
            raise tarfile.ReadError("an entry that leads back")
        if self._budget is None:
            self._at = self._source.seek(place)
        while self._at < place and self.read(min(place - self._at, _CHUNK)):
            pass
        return self._at

    def tell(self) -> int:
        return self._at


def _decompressed(file: IO[bytes]) -> IO[bytes]:
    """The content of `file`, unpacked where it is compressed; `file` itself where it is not."""
    start = file.read(6)
    file.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    for signature, decompressor in _DECOMPRESSORS.items():
        if start.startswith(signature):
            return cast(IO[bytes], _Decompressed(file, decompressor))
    return file


class _Decompressed(io.RawIOBase):
    """What the streams in `file` unpack to, one after the other, never more at a time than is asked for."""

    def __init__(self, file: IO[bytes], decompressor: Callable[[], Any]) -> None:
        self._file = file
        self._new = decompressor
        self._unpacker = decompressor()

    def read(self, size: int = -1) -> bytes:
        pieces: list[bytes] = []
        while size > 0:
            packed = b""
            if self._unpacker.eof:
                packed = (self._unpacker.unused_data or self._file.read(_CHUNK)).lstrip(b"\0")  # xz may be padded
                if not packed:
                    break
                self._unpacker = self._new()
            elif self._unpacker.needs_input:
                packed = self._file.read(_CHUNK)
                if not packed:
                    raise EOFError("it is cut off")
            pieces.append(self._unpacker.decompress(packed, size))
            size -= len(pieces[-1])
        return b"".join(pieces)


def _zstandard() -> Any:
    try:
        return importlib.import_module("compression.zstd").ZstdDecompressor()
    except ImportError:
        raise DataError(
            "A tar packed with zstandard needs Python 3.14 or newer.", "Unpack it yourself and give the folder."
        ) from None


_DECOMPRESSORS: dict[bytes, Callable[[], Any]] = {
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\0": functools.partial(lzma.LZMADecompressor, memlimit=_XZ_MEMORY),
    b"\x28\xb5\x2f\xfd": _zstandard,
}

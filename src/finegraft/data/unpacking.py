"""Entries of an archive as files of a folder: nothing outside of it, nothing but ordinary files, within bounds."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from finegraft.data.contents import MAX_BYTES
from finegraft.errors import DataError, FinegraftError, StorageError, UnreadableFile

_CHUNK = 2**18
_DRIVE = re.compile(r"[A-Za-z]:")
_FULL = {errno.ENOSPC, errno.EROFS, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC)}  # Windows has no quotas so named


@dataclass(frozen=True)
class Bounds:
    """What unpacking one archive may cost.

    `entries` of any kind; `bytes` of all files together, and of them no more than `ratio` times the archive's own
    bytes once they exceed `modest` (photos are compressed already: a set of them grows by a few percent, one of
    uncompressed drawings by 20 times at the most, a bomb by a thousand); `file` the bytes of one file, as much as is
    ever read of one; `depth` folders within each other.
    """

    entries: int = 500_000
    bytes: int = 64 * 2**30
    ratio: int = 100
    modest: int = 256 * 2**20
    file: int = MAX_BYTES
    depth: int = 32

    def allowance(self, archive_bytes: int) -> int:
        """How many bytes an archive of this size may unpack to."""
        return min(self.bytes, max(self.modest, self.ratio * archive_bytes))


BOUNDS = Bounds()


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an archive: `open` gives its content; `refused` says why it is none that may be unpacked."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """An entry that was not unpacked: its `name` in the archive, its place there from 1, a kind of finding and why."""

    name: str
    place: int
    code: str
    reason: str


class Budget:
    """Counts bytes as they come out of `archive`, whatever it said of itself before."""

    def __init__(self, archive: Path, allowed: int) -> None:
        self.spent = 0
        self._archive = archive
        self._allowed = allowed

    def spend(self, count: int) -> None:
        """Raise `DataError` once more has come than is allowed."""
        self.spent += count
        if self.spent > self._allowed:
            raise too_much(self._archive, f"more than {self._allowed / 2**20:,.0f} MB")


def too_much(archive: Path, what: str) -> DataError:
    """The error of an archive whose content exceeds the bounds."""
    return DataError(
        f"{archive} unpacks to {what}, which is too much for its size or for this computer.",
        "If you trust it, unpack it yourself and give the folder.",
    )


def unpack(entries: Iterable[Entry], into: Path, budget: Budget, bounds: Bounds = BOUNDS) -> list[Refused]:
    """Write the content of every entry below the new folder `into`; what may not or cannot be written, with reasons.

    Hidden files, macOS' `__MACOSX` and empty folders are passed over. Only ordinary files and folders are made, each
    file once, so no entry can lead a later one elsewhere. Raises `StorageError` where the disk is full, `DataError`
    beyond the bounds, and what reading the archive itself raises.
    """
    refused: list[Refused] = []
    made = {into}
    for place, entry in enumerate(entries, start=1):
        try:
            parts = _safe_parts(entry.name, bounds)
            if not parts or any(part.startswith(".") or part == "__MACOSX" for part in parts):
                continue
            if entry.refused is not None:
                raise UnreadableFile("unreadable", entry.refused)
            if entry.size > bounds.file:
                raise UnreadableFile("too-large", _too_large(entry.size, bounds))
            _write(entry, into.joinpath(*parts), made, budget)
        except UnreadableFile as error:
            refused.append(Refused(entry.name, place, error.code, error.reason))
    return refused


def is_safe(name: str) -> bool:
    """Whether joining `name` to a folder stays within it, on every system."""
    return not (name.startswith("/") or "\\" in name or "\0" in name or _DRIVE.match(name) or ".." in name.split("/"))


def _safe_parts(name: str, bounds: Bounds) -> list[str]:
    """The folders and the file that `name` means; none for a folder itself. Raises `UnreadableFile`."""
    if not is_safe(name) or (os.name == "nt" and ":" in name):
        raise UnreadableFile("unreadable", f"Not unpacked: its name {name!r} leads out of the archive's folder.")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UnreadableFile("unreadable", "Not unpacked: its name is not valid UTF-8.") from None
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if len(parts) > bounds.depth:
        raise UnreadableFile("unreadable", f"Not unpacked: it lies in more than {bounds.depth} folders.")
    return [] if name.endswith("/") else parts


def _too_large(size: int, bounds: Bounds) -> str:
    return f"Not unpacked: it has {size / 2**20:,.0f} MB; at most {bounds.file / 2**20:,.0f} MB of a file are read."


def _write(entry: Entry, path: Path, made: set[Path], budget: Budget) -> None:
    """Write one new file. Raises `UnreadableFile` where its content is damaged or its place is taken."""
    with _writing(path):
        if path.parent not in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            made.add(path.parent)
        target = path.open("xb")
    try:
        with target:
            for chunk in _chunks(entry):
                budget.spend(len(chunk))
                with _writing(path):
                    target.write(chunk)
    except BaseException:
        path.unlink()
        raise


def _chunks(entry: Entry) -> Iterator[bytes]:
    """The content of `entry` in pieces; whatever goes wrong in reading it is a fault of this entry."""
    try:
        with entry.open() as source:
            while chunk := source.read(_CHUNK):
                yield chunk
    except FinegraftError:
        raise
    except Exception as error:
        why = str(error) or type(error).__name__
        raise UnreadableFile("unreadable", f"Not unpacked: it is damaged in the archive ({why}).") from error


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """What the file system refuses for this name is a fault of the entry; that it has no room is none."""
    try:
        yield
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        taken = "Not unpacked: another entry has its name, or the name of a folder it should lie in."
        raise UnreadableFile("unreadable", taken) from error
    except ValueError as error:
        raise UnreadableFile("unreadable", f"Not unpacked: its name cannot be a file's ({error}).") from error
    except OSError as error:
        if error.errno in _FULL:
            raise StorageError(
                f"Cannot unpack into {path.parent}: {error.strerror}.",
                "Free some space, or set FINEGRAFT_CACHE to a folder with more.",
            ) from error
        raise UnreadableFile("unreadable", f"Not unpacked: {error.strerror or error}.") from error

"""Archives as folders: each is unpacked once into a folder of unpacked ones, whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

from finegraft.data import parts, tars, zips
from finegraft.data.contents import digest_of
from finegraft.data.kinds import kind_of
from finegraft.data.unpacking import BOUNDS, Bounds, Budget, Refused, unpack
from finegraft.errors import DataError, StorageError

_VERSION = "archive 1"  # of what unpacking makes of an archive
_FILES = "files"
_ACCOUNT = "archive.json"
_ASIDE = re.compile(r"(\.[0-9a-f]{16}\.part)\.files")


@dataclass(frozen=True)
class Unpacked:
    """Where the files of an archive lie, what of it does not and why, and how many bytes these are."""

    folder: Path
    refused: tuple[Refused, ...]
    bytes: int


def unpacked(archive: Path, kept: Path, bounds: Bounds = BOUNDS) -> Unpacked:
    """The files of `archive`, a zip or tar by its content, in a folder of their own inside `kept`.

    Unpacking happens beside that place and is renamed when it is whole, so a killed process leaves nothing that could
    be taken for an archive's files. The folder's name tells path, size, inode and times of change of the archive: one
    that has not changed is not unpacked again, and one that has gets another folder. Nothing is ever written outside of
    `kept`. Raises `DataError` for what is no archive, damaged or a bomb, `StorageError` where `kept` cannot be written.

    >>> unpacked(Path("pets.zip"), cache_folder() / "archives").folder     # doctest: +SKIP
    PosixPath('/home/me/.cache/finegraft/archives/4f1c…/files')
    """
    try:
        place = kept / _identity(archive, bounds)
        known = _account(place)
        if known is None:
            kept.mkdir(parents=True, exist_ok=True)
            _sweep(kept)
            with _aside(kept) as folder:
                _fill(folder, archive, bounds)
                known = _moved(folder, place)
        return known
    except OSError as error:
        raise StorageError(
            f"Cannot unpack {archive} into {kept}: {error.strerror or error}.",
            "Set FINEGRAFT_CACHE to a folder you can write to.",
        ) from error


def sizes(kept: Path) -> tuple[int, int]:
    """(archives unpacked in `kept`, bytes of their files)."""
    found = [account for place in _places(kept) if (account := _account(place)) is not None]
    return len(found), sum(account.bytes for account in found)


def clear(kept: Path) -> None:
    """Remove all that was unpacked into `kept`. Raises `StorageError`."""
    for place in _places(kept):
        try:
            shutil.rmtree(place)
        except OSError as error:
            raise StorageError(f"Cannot remove {place}: {error.strerror or error}.") from error
    parts.sweep(kept)


def _identity(archive: Path, bounds: Bounds) -> str:
    status = archive.stat()
    times = (status.st_mtime_ns, status.st_ctime_ns)
    file = [_VERSION, astuple(bounds), str(archive.resolve()), status.st_size, *times, status.st_ino, status.st_dev]
    return digest_of(json.dumps(file).encode())


def _account(place: Path) -> Unpacked | None:
    """What was written down of the archive unpacked at `place`, None where there is no whole one."""
    try:
        stored = json.loads((place / _ACCOUNT).read_text(encoding="utf-8"))
        return Unpacked(place / _FILES, tuple(Refused(*row) for row in stored["refused"]), int(stored["bytes"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _fill(folder: Path, archive: Path, bounds: Bounds) -> None:
    """Unpack into `folder`, and write down what that gave."""
    reader = {"zip": zips.entries, "tar": tars.entries}.get(kind_of(archive))
    if reader is None:
        raise DataError(f"{archive} is no archive.", "A zip or a tar is one, whatever its name.")
    (folder / _FILES).mkdir()
    budget = Budget(archive, bounds.allowance(archive.stat().st_size))
    refused = unpack(reader(archive, bounds), folder / _FILES, budget, bounds)
    account = {"archive": str(archive), "bytes": budget.spent, "refused": [astuple(one) for one in refused]}
    (folder / _ACCOUNT).write_text(json.dumps(account), encoding="utf-8")


def _moved(folder: Path, place: Path) -> Unpacked:
    """What is at `place` once `folder` is there, or what another process put there meanwhile."""
    if place.exists() and _account(place) is None:
        shutil.rmtree(place)  # somebody removed some of it
    with contextlib.suppress(OSError):
        folder.rename(place)
    if (known := _account(place)) is None:
        raise OSError(f"it cannot be moved to {place.name}")
    return known


@contextlib.contextmanager
def _aside(kept: Path) -> Iterator[Path]:
    """A new folder inside `kept`, gone at the end unless it was renamed. A lock on a file beside it keeps it ours."""
    lock, handle = parts.made(kept)
    folder = kept / f"{lock.name}.files"
    try:
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.unlink(missing_ok=True)
        os.close(handle)


def _sweep(kept: Path) -> None:
    """Remove the folders that killed processes left: those whose lock is gone."""
    parts.sweep(kept)
    for place in _places(kept):
        aside = _ASIDE.fullmatch(place.name)
        if aside and not (kept / aside.group(1)).exists():
            shutil.rmtree(place, ignore_errors=True)


def _places(kept: Path) -> list[Path]:
    try:
        return sorted(path for path in kept.iterdir() if path.is_dir() and not path.is_symlink())
    except OSError:
        return []

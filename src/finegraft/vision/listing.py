"""What there is to read before any file is opened: keys, and what is known of them already."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import overload

import numpy as np

from finegraft.data.findings import Finding
from finegraft.data.labels import Reading
from finegraft.data.record import Label, Split
from finegraft.data.traits import Traits
from finegraft.errors import DataError
from finegraft.vision.grouping import Grouping
from finegraft.vision.walk import walk

LAY_OUT = "Put each class in a folder of its own: {0}/rose/1.jpg, {0}/tulip/2.jpg."
# A name that is no UTF-8 could not be written to any report, nor found again by it.
_UNNAMEABLE = "The name of this file is not valid UTF-8. Rename it."


@dataclass(frozen=True, slots=True)
class Found:
    """One file that may become a record; its path is `root / key`.

    `row` is its number in a table, as a spreadsheet counts. Where `code` is given, a kind of finding with its
    sentence `reason`, the file is left out and never opened. Equal texts of many are one object: a hundred thousand
    take 20 MB.
    """

    key: str
    label: Label | None = None
    split: Split | None = None
    group: str | None = None
    row: int | None = None
    code: str | None = None
    reason: str | None = None


@dataclass(frozen=True, eq=False)
class RowTraits:
    """The traits of the rows of a table, whose `numbers` int64 (rows,) rise."""

    numbers: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    traits: Traits = field(default_factory=dict)

    def places(self, found: Sequence[Found]) -> np.ndarray:
        """Where among the rows those of `found` stand: int64, -1 for what came from no row."""
        rows = np.array([-1 if one.row is None else one.row for one in found], dtype=np.int64)
        places = np.searchsorted(self.numbers, rows)
        return np.where(rows < 0, -1, places)


@dataclass(frozen=True)
class Listing:
    """What `source`, as the user named it, holds: `found` lies in `root`, is sorted by key and has no key twice.

    `by_folder` says that class and split of each file are those of its folders, which are known once it is known
    which files are photos. `prefix` is what stands before the source's own paths in its keys. All of it is the split
    `part`, where one is given. `reading` is how the cells of a table's target were read. `findings` are those about
    what has no record of its own, such as a row that names a photo again. `rows` are the traits that a table's other
    columns give.
    """

    source: Path
    root: Path
    found: tuple[Found, ...]
    by_folder: bool
    prefix: str = ""
    part: Split | None = None
    reading: Reading | None = None
    findings: tuple[Finding, ...] = ()
    rows: RowTraits = field(default_factory=RowTraits, compare=False)


class Paths(Sequence[str]):
    """The paths of what was found, each made when it is asked for."""

    def __init__(self, root: Path, found: Sequence[Found]) -> None:
        self._root = str(root)
        self._found = found

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        return os.path.join(self._root, self._found[index].key)  # noqa: PTH118 - a Path costs as much as all else


def list_folder(
    root: Path, grouping: Grouping | None = None, refused: Iterable[Found] = (), source: Path | None = None
) -> Listing:
    """Every file below `root` that is not hidden.

    `refused` is what could not be brought there, such as entries of the archive `source` that lead elsewhere. Raises
    `DataError` where the folder cannot be listed or holds no files.
    """
    source = source or root
    if not os.access(root, os.R_OK | os.X_OK):
        raise DataError(f"You may not list the folder {source}.", "Change its permissions (chmod u+rx).")
    found = [*(_found(key, grouping) for key in walk(root)), *refused]
    if not found:
        what = "folder" if source == root else "archive"
        raise DataError(f"The {what} {source} holds no files.", LAY_OUT.format(source))
    return Listing(source, root, tuple(sorted(found, key=attrgetter("key"))), by_folder=True)


def _found(key: str, grouping: Grouping | None) -> Found:
    if not _is_utf8(key):
        key = os.fsencode(key).decode("utf-8", errors="backslashreplace")
        return Found(key, code="unreadable", reason=_UNNAMEABLE)
    return Found(key, group=None if grouping is None else grouping.of(key))


def _is_utf8(text: str) -> bool:
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False

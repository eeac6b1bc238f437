"""What paths on a command line ask to be answered: files, folders, tables of paths, archives."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from finegraft.data.kinds import Kind, kind_of
from finegraft.errors import DataError, UsageError
from finegraft.vision.walk import photos, walk

if TYPE_CHECKING:
    from finegraft.vision.cellpaths import CellPaths


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing to answer for: the file `path`, called `shown`. Without a file there is a kind of finding, and why."""

    path: Path | None
    shown: str
    code: str = ""
    reason: str = ""


def asked(paths: Iterable[str], column: str | None = None) -> Iterator[Asked]:
    """What each of `paths` means, in order: a file, all files of a folder, a glob or an archive, the rows of a table.

    A table is a text or Parquet file with a column of paths, which `column` names where it cannot be found; one that
    names no files is answered for itself, as any file that is no photo. Raises `UsageError` where `column` is given
    and nothing is a table, and `DataError` as `photos` and reading a table do. A damaged archive gets its own error.
    """
    tables = 0
    for path in paths:
        kind = _kind(path)
        if kind in ("zip", "tar"):
            yield from _entries(Path(path))
        elif kind in ("text", "parquet") and (rows := _rows(Path(path), column)) is not None:
            tables += 1
            yield from rows
        else:
            yield from (Asked(photo, str(photo)) for photo in photos([path]))
    if column is not None and not tables:
        raise UsageError(f"--path {column} names a column, but no PATH is a table.", "Give a CSV, TSV or Parquet file.")


def _kind(path: str) -> Kind | None:
    if not os.path.isfile(path):  # noqa: PTH113 - False for a name the system refuses
        return None
    try:
        return kind_of(Path(path))
    except DataError:  # it gets an error of its own where it is answered
        return None


def _entries(archive: Path) -> Iterator[Asked]:
    from finegraft.vision.archives import unpacked  # one photo need not wait for what only archives and tables need

    try:
        content = unpacked(archive)
    except DataError as error:  # damaged, a bomb, or no archive of files: one answer among others
        yield Asked(None, str(archive), "not-a-photo", str(error))
        return
    empty = not content.refused
    for key in walk(content.folder):
        empty = False
        yield Asked(content.folder / key, f"{archive}/{key}")
    if empty:
        raise DataError(f"The archive {archive} holds no files.", "Name an archive with photos in it.")
    for refused in content.refused:
        yield Asked(None, f"{archive}/{refused.name}", refused.code, refused.reason)


def _rows(file: Path, column: str | None) -> Iterator[Asked] | None:
    """The rows of a table, None where no column is named and none names files."""
    from finegraft.vision.cellpaths import CellPaths
    from finegraft.vision.columns import Wanted, path_column

    cells = CellPaths(file.parent)
    try:
        table, path = path_column(file, Wanted(path=column), cells)
    except DataError:
        if column is not None:
            raise
        return None
    return (_row(number, str(cell), file, cells) for number, (cell,), _ in table.rows([path]))


def _row(number: int, cell: str, file: Path, cells: CellPaths) -> Asked:
    if not cell:
        return Asked(None, f"{file}, row {number}", "unreadable", f"Row {number} names no file.")
    path = file.parent / cells.key(cell)
    return Asked(path, str(path))

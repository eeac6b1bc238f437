"""An archive, or a folder, as what it holds: class folders, or photos and a table at the top."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

from finegraft.data import archives
from finegraft.data.kinds import kind_of
from finegraft.data.labels import Reading
from finegraft.data.naming import folder_name
from finegraft.data.tables import listed, open_table
from finegraft.data.unpacking import Refused, is_safe
from finegraft.errors import DataError, FinegraftError, UsageError
from finegraft.features.store import cache_folder
from finegraft.vision.cellpaths import CellPaths
from finegraft.vision.columns import Wanted, fits, path_column
from finegraft.vision.grouping import Grouping
from finegraft.vision.listing import Found, Listing, list_folder
from finegraft.vision.tables import list_table

_log = logging.getLogger("finegraft")
# What a table at the top of class folders is called, and how many are opened only to say how they could be used.
_TABLES, _TRIED = (".csv", ".tsv", ".parquet", ".txt"), 3


def unpacked(archive: Path) -> archives.Unpacked:
    """The files of a zip or tar, in the cache. Raises as `finegraft.data.archives.unpacked`."""
    return archives.unpacked(archive, cache_folder() / "archives")


def list_archive(archive: Path, wanted: Wanted, reading: Reading | None = None) -> Listing:
    """What the zip or tar `archive` holds; what could not be unpacked is left out, with its reason.

    A single folder at its top is taken for the whole, unless it is the folder of one class. Raises as `unpacked` and
    `list_top` do.
    """
    content = unpacked(archive)
    root = _whole(content.folder, wanted)
    return list_top(root, wanted, reading, archive, refused_files(content.refused, content.folder, root))


def list_top(
    root: Path,
    wanted: Wanted,
    reading: Reading | None = None,
    archive: Path | None = None,
    refused: Sequence[Found] = (),
) -> Listing:
    """What the folder `root` holds: class folders, or a table at its top where `wanted` speaks of one.

    `archive` is where the folder came from: then a table in it may name files in the folder only. Raises `DataError`
    for a folder without files, `UsageError` where there is no such table, or several.
    """
    source = archive or root
    tables = [path for path in _visible(root) if path.is_file() and _fits(path, wanted)] if wanted.of_a_table else []
    if not wanted.of_a_table or (wanted.test_part and not tables):
        _tell_of_tables(root, source, jailed=archive is not None)
        return _class_folders(root, wanted, refused, source)
    listing = list_table(_only(tables, wanted, source), wanted, archive, reading)
    reasons = {one.key: one for one in refused}
    rows = [_with_reason(one, reasons.pop(one.key, None)) for one in listing.found]
    found = sorted((*rows, *reasons.values()), key=attrgetter("key"))
    return replace(listing, source=source, found=tuple(found))


def refused_files(refused: Iterable[Refused], folder: Path, root: Path) -> list[Found]:
    """What could not be unpacked into `folder`, as files that are left out, with keys relative to `root` in it.

    A key never leads out of the folder, whatever the archive called the entry, and none is that of another file.
    """
    above = "" if root == folder else f"{root.relative_to(folder).as_posix()}/"
    found: dict[str, Found] = {}
    for one in refused:
        key = _harmless(one.name).removeprefix(above)
        if key in found or os.path.lexists(root / key):
            key = f"{key} (entry {one.place})"
        found[key] = Found(key, code=one.code, reason=one.reason)
    return list(found.values())


def _harmless(name: str) -> str:
    written = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return written if is_safe(name) else "/".join(map(folder_name, written.split("/")))


def _with_reason(row: Found, refused: Found | None) -> Found:
    """A row whose file could not be unpacked says why, rather than that it is not there."""
    if refused is None or row.code is not None:
        return row
    return replace(row, code=refused.code, reason=f"Row {row.row}: {refused.reason}")


def _whole(folder: Path, wanted: Wanted) -> Path:
    """`folder`, or the single folder in it that holds everything."""
    inside = _visible(folder)
    if len(inside) != 1 or not inside[0].is_dir():
        return folder
    return inside[0] if wanted.of_a_table or any(path.is_dir() for path in _visible(inside[0])) else folder


def _class_folders(root: Path, wanted: Wanted, refused: Sequence[Found], source: Path) -> Listing:
    grouping = None if wanted.group is None else Grouping(wanted.group)
    listing = list_folder(root, grouping, refused, source)
    if grouping is not None and not wanted.test_part:
        grouping.must_have_matched()
    return listing


def _tell_of_tables(root: Path, source: Path, jailed: bool) -> None:
    """Say of tables at the top that name files below it how their labels are taken, since the folders' names are."""
    called = [path for path in _visible(root) if path.suffix.casefold() in _TABLES and path.is_file()]
    for path in called[:_TRIED]:
        with contextlib.suppress(FinegraftError):  # no table of files
            table, column = path_column(path, Wanted(), CellPaths(root, jailed=jailed))
            if others := [name for name in table.columns if name != column]:
                _log.info(
                    "%s names files too; to take the labels from it, name their column with --target (%s).",
                    source / path.name,
                    listed(others),
                )


def _only(tables: Sequence[Path], wanted: Wanted, source: Path) -> Path:
    """The one table at the top of `source` that has the wanted columns."""
    if not tables:
        columns = ", ".join(wanted.names) or "a,b,…"
        raise UsageError(
            f"At the top of {source} there is no table with the columns asked for ({columns}).",
            "Give the table itself as DATA, or leave these options out.",
        )
    if len(tables) > 1:
        raise UsageError(
            f"At the top of {source} several tables have these columns: {', '.join(path.name for path in tables)}.",
            "Give one of them as DATA.",
        )
    return tables[0]


def _fits(path: Path, wanted: Wanted) -> bool:
    try:
        return kind_of(path) in ("text", "parquet") and fits(open_table(path, wanted.columns), wanted)
    except (DataError, UsageError):
        return False


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))

"""Which column of a table means what: as the user says, else as the cells and names tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from finegraft.data.tables import Table, listed, no_column, open_table
from finegraft.errors import DataError, UsageError
from finegraft.vision.cellpaths import CellPaths

_SAMPLE = 200  # rows that tell which column holds the paths
# What a column of labels is called, where there are several that it could be.
_LABELS = frozenset(
    {"label", "labels", "class", "classes", "category", "categories", "target", "targets", "tag", "tags"}
)
_ADDRESS = ("http://", "https://")


@dataclass(frozen=True)
class Wanted:
    """What the user says of a table; None: to be found, or there is none.

    `target` is one column of labels or several of 0 and 1: a name, names, or names with commas between them. `group`
    is a column, or a pattern as in `finegraft.vision.grouping`. `columns` names the columns of a file without a header.
    A `test_part` may lack what only the rest of the data needs: its groups, and a table at all.
    """

    target: str | Sequence[str] | None = None
    path: str | None = None
    group: str | None = None
    columns: Sequence[str] | None = None
    split_column: str | None = None
    test_part: bool = False

    @property
    def names(self) -> list[str]:
        """The names that were given, a target with commas as one."""
        target = [self.target] if isinstance(self.target, str) else [*(self.target or ())]
        return [*target, *filter(None, [self.path, self.split_column])]

    @property
    def of_a_table(self) -> bool:
        """Whether something is said that only a table can have."""
        return bool(self.names) or self.columns is not None


@dataclass(frozen=True)
class Columns:
    """The columns of `table` that are read; `group` is None where groups are no column."""

    table: Table
    path: str
    target: tuple[str, ...]
    group: str | None
    split: str | None

    @property
    def others(self) -> tuple[str, ...]:
        """The columns that tell more of a photo: those that are neither path, label nor split, nor without a name."""
        used = {self.path, *self.target, self.split}
        plain = self.table.plain_columns
        return tuple(name for name in plain if name not in used and not _is_an_index(self.table, name))


def chosen(file: Path, wanted: Wanted, cells: CellPaths) -> Columns:
    """The columns of the table `file`.

    The path is the column whose cells name files, the target the only other column or the one that is called label,
    class, category, target or tags. Raises `DataError` or `UsageError`, listing the columns, where none or several
    could be meant.
    """
    table, path = path_column(file, wanted, cells)
    for name in filter(None, [wanted.split_column]):
        if name not in table.columns:
            raise no_column(name, table.columns)
    group = wanted.group if wanted.group in table.columns else None
    taken = {path, group, wanted.split_column}
    others = [name for name in table.columns if name not in taken and not _is_an_index(table, name)]
    target = _target(table, path, others) if wanted.target is None else _named(wanted.target, table)
    if path in target:
        raise UsageError(f"The column {path!r} cannot hold both the paths and the labels.", "Name another one.")
    return Columns(table, path, target, group, wanted.split_column)


def fits(table: Table, wanted: Wanted) -> bool:
    """Whether the table has every column that was named."""
    target = () if wanted.target is None else _split(wanted.target, table)
    return {*target, *filter(None, [wanted.path, wanted.split_column])} <= set(table.columns)


def path_column(file: Path, wanted: Wanted, cells: CellPaths) -> tuple[Table, str]:
    """The table in `file`, read with or without a header as its cells demand, and its column of paths.

    That is the one that is named, else the one of whose first 200 cells most name files. Raises `DataError` where none
    does and `UsageError` where a second one names at least half as many.
    """
    table = open_table(file, wanted.columns)
    if wanted.path is not None:
        if wanted.path not in table.columns:
            raise no_column(wanted.path, table.columns)
        return table, wanted.path
    if table.first_row is not None and any(map(cells.is_file, table.first_row)):
        table = table.named()  # what would be its header names a file: it is a row
    counts = _counts(table, cells)
    if not any(counts.values()) and (lines := table.whole_lines()) is not None:
        table, counts = (lines, found) if any((found := _counts(lines, cells)).values()) else (table, counts)
    best = max(counts.values())
    if not best:
        raise _no_paths(table, cells)
    several = [name for name, count in counts.items() if 2 * count >= best]
    if len(several) > 1:
        raise UsageError(f"Several columns of {file} name files: {listed(several)}.", f"Say which: --path {several[0]}")
    return _unless_a_row(table, several[0])


def _counts(table: Table, cells: CellPaths) -> dict[str, int]:
    """How many cells of each column name files, in the first rows."""
    counts = dict.fromkeys(table.columns, 0)
    for row in islice(table.rows(), _SAMPLE):
        for name, cell in zip(table.columns, row.cells, strict=True):
            counts[name] += isinstance(cell, str) and cells.is_file(cell)
    return counts


def _unless_a_row(table: Table, path: str) -> tuple[Table, str]:
    """`table` without a header where the name of its path column ends as the files do: it is a row."""
    place = table.columns.index(path)
    ends = {_end(str(cells[0])) for _, cells, _ in islice(table.rows([path]), _SAMPLE)}
    if table.first_row is not None and _end(table.first_row[place]) in ends - {""}:
        table = table.named()
    return table, table.columns[place]


def _end(name: str) -> str:
    return Path(name).suffix.casefold()


def _no_paths(table: Table, cells: CellPaths) -> DataError:
    rows = list(islice(table.rows(), 1))
    for name, cell in zip(table.columns, rows[0].cells if rows else table.columns, strict=False):
        if str(cell).startswith(_ADDRESS):
            return DataError(
                f"The column {name!r} of {table.path} holds addresses, not files.",
                f"Download them first: finegraft fetch {table.path} -o DIR",
            )
    if not rows:
        return DataError(
            f"{table.path} has no row below its header ({listed(table.columns)}).",
            "Add one for each file. If that is no header but a row, check its path.",
        )
    return DataError(
        f"No column of {table.path} names files (it has: {listed(table.columns)}). "
        f"There is no {cells.folder / cells.key(str(rows[0].cells[0]))}, for example.",
        "Paths are relative to the folder of the table; --path says which column holds them.",
    )


def _target(table: Table, path: str, others: Sequence[str]) -> tuple[str, ...]:
    if not others:
        raise DataError(f"{table.path} has no column of labels beside {path!r}.", "Add one with a label for each file.")
    called = [name for name in others if name.casefold() in _LABELS]
    if len(others) > 1 and len(called) != 1:
        raise UsageError(
            f"Several columns of {table.path} may be the label: {listed(others)}.",
            f"Say which: --target {(called or others)[0]!r}",
        )
    return (called[0] if len(called) == 1 else others[0],)


def _named(target: str | Sequence[str], table: Table) -> tuple[str, ...]:
    """The target columns that the user names."""
    names = _split(target, table)
    for name in names:
        if name not in table.columns:
            raise no_column(name, table.columns)
    return names


def _split(target: str | Sequence[str], table: Table) -> tuple[str, ...]:
    """The names in `target`: a text with commas is one name where there is a column called so."""
    if isinstance(target, str):
        target = [target] if target in table.columns else [name.strip() for name in target.split(",")]
    return tuple(dict.fromkeys(target))


def _is_an_index(table: Table, name: str) -> bool:
    """Whether a column has no name in the header, as the row numbers that pandas writes."""
    return table.first_row is not None and not table.first_row[table.columns.index(name)].strip()

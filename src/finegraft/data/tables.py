"""Rows of a table file, whatever it is written in: delimited text or Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from finegraft.data.kinds import kind_of
from finegraft.errors import DataError, UsageError

# A text, or several in one cell, as Parquet's lists are. An empty text is an empty cell.
Cell = str | tuple[str, ...]

# What one table may hold. A cell's limit is that of Python's csv module; a cell above it is a quote never closed far
# more often than a text. Ten million rows are beyond what fits memory as records.
MAX_CELL = 131_072
MAX_ROWS = 10_000_000
MAX_COLUMNS = 10_000


class Row(NamedTuple):
    """The `number` of a row as a spreadsheet counts, and its cells in the order of the columns asked for.

    A row that is too short has empty cells at its end; `surplus` counts those not empty beyond the last column.
    """

    number: int
    cells: tuple[Cell, ...]
    surplus: int = 0


class Table(Protocol):
    """A table file whose column names are known; rows are read from the file each time they are asked for."""

    @property
    def path(self) -> Path:
        """The file."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns, all different."""
        ...

    @property
    def description(self) -> str:
        """What it is written in, in a few words."""
        ...

    @property
    def first_row(self) -> tuple[str, ...] | None:
        """The row that the names were taken from, None where they came from elsewhere."""
        ...

    @property
    def plain_columns(self) -> tuple[str, ...]:
        """Those of the columns whose cells are texts or numbers, not bytes or things within things."""
        ...

    @property
    def decimal_comma(self) -> bool:
        """Whether 3,14 may be a number in it."""
        ...

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[Row]:
        """Every row that is not empty, with the cells of `columns` (default: all of them).

        Raises `DataError` where the file is damaged or exceeds the limits of this module.
        """
        ...

    def named(self, names: Sequence[str] | None = None) -> Table:
        """The same file read as one without a header: the first row is data, the columns are `names`.

        Without names they are "column 1", "column 2" and so on. Raises `UsageError` for another number of names, or
        for a file whose columns always have names.
        """
        ...

    def whole_lines(self) -> Table | None:
        """A text read without separators, every line one cell without a header; None where that is no other reading."""
        ...


def open_table(path: Path, names: Sequence[str] | None = None) -> Table:
    """The table at `path`; its first row names the columns, unless `names` are given for one without such a row.

    Raises `DataError` for a file that is empty, no table, or cannot be read, `MissingExtra` where Parquet's reader is
    not installed, and `UsageError` for `names` that do not fit.

    >>> open_table(Path("labels.csv")).columns                             # doctest: +SKIP
    ('file', 'breed')
    """
    kind = kind_of(path)
    if kind == "parquet":
        from finegraft.data.parquet import Parquet

        table: Table = Parquet.open(path)
    elif kind == "text":
        from finegraft.data.delimited import Delimited

        table = Delimited.open(path)
    else:
        what = "is empty" if kind == "empty" else "is no table"
        raise DataError(f"{path} {what}.", "A table is a CSV, TSV or Parquet file with a row for each record.")
    return table if names is None else table.named(names)


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """`names` as column names: stripped, "column 3" where the third is empty, "label (2)" for a second "label".

    >>> distinct(["file", "", "label", "label"])
    ('file', 'column 2', 'label', 'label (2)')
    """
    found: dict[str, None] = {}
    for number, name in enumerate(names, start=1):
        wanted = " ".join(name.split()) or f"column {number}"
        free, again = wanted, 1
        while free in found:
            again += 1
            free = f"{wanted} ({again})"
        found[free] = None
    return tuple(found)


def positions(columns: Sequence[str], wanted: Sequence[str] | None) -> list[int]:
    """Where `wanted` columns stand, all of them for None. Raises `UsageError` naming one that is not there."""
    if wanted is None:
        return list(range(len(columns)))
    for name in wanted:
        if name not in columns:
            raise no_column(name, columns)
    return [columns.index(name) for name in wanted]


def no_column(name: str, columns: Sequence[str]) -> UsageError:
    """The error for a column that a table does not have, with the nearest one that it has."""
    import difflib  # 10 ms that no right name should pay

    folded = {column.casefold(): column for column in columns}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    hint = f"Did you mean {folded[near[0]]!r}? " if near else ""
    return UsageError(f"The table has no column {name!r}.", f"{hint}It has: {listed(columns)}.")


def listed(names: Sequence[str], most: int = 20) -> str:
    """Names in a sentence, cut where there are too many to read."""
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")

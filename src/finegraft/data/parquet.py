"""Tables written as Parquet, read with pyarrow in small batches."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finegraft.data.tables import MAX_CELL, MAX_COLUMNS, MAX_ROWS, Cell, Row, distinct, positions
from finegraft.errors import DataError, MissingExtra, UsageError

_BATCH = 4096  # rows
# Of one group of rows with all its columns, once unpacked. Only the columns asked for are.
_MAX_GROUP = 4 * 2**30


@dataclass(frozen=True)
class Parquet:
    """A Parquet file; see `finegraft.data.tables.Table`. The first row of data is row 1."""

    path: Path
    columns: tuple[str, ...]
    description: str = "Parquet"
    first_row: tuple[str, ...] | None = None
    decimal_comma: bool = False
    plain_columns: tuple[str, ...] = ()

    @classmethod
    def open(cls, path: Path) -> Parquet:
        """The table at `path`. Raises `DataError` where it is damaged or too large, `MissingExtra` without pyarrow."""
        with _reading(path) as file:
            names, metadata = list(file.schema_arrow.names), file.metadata
            plain = [_is_plain(kind) for kind in file.schema_arrow.types]
            if metadata.num_rows > MAX_ROWS:
                raise DataError(f"{path} has {metadata.num_rows:,} rows; at most {MAX_ROWS:,} are read.", "Divide it.")
        if not names or len(names) > MAX_COLUMNS:
            raise DataError(f"{path} has {len(names):,} columns; between 1 and {MAX_COLUMNS:,} are read.")
        columns = distinct(names)
        return cls(path, columns, plain_columns=tuple(name for name, good in zip(columns, plain, strict=True) if good))

    def named(self, names: Sequence[str] | None = None) -> Parquet:  # noqa: ARG002 - as `Table` has it
        """Never: its columns have names. Raises `UsageError`."""
        raise UsageError(
            f"{self.path} is a Parquet file, whose columns have names: {', '.join(self.columns)}.",
            "Leave out --columns.",
        )

    def whole_lines(self) -> None:
        """Never: it is no text."""
        return

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[Row]:
        """Every row; see `finegraft.data.tables.Table.rows`. Lists become tuples, missing values empty texts."""
        places = positions(self.columns, columns)
        with _reading(self.path) as file:
            stored, texts = file.schema_arrow.names, _texts(file.schema)
            _must_fit(file.metadata, self.path)
        wanted = [stored[place] for place in places]
        number = 0
        with _reading(self.path, texts) as file:
            for batch in file.iter_batches(_BATCH, columns=wanted):
                for name in wanted:
                    _must_be_short(batch.column(name), self.path, name)
                cells = [batch.column(name).to_pylist() for name in wanted]
                for at in range(batch.num_rows):
                    number += 1
                    yield Row(number, tuple(_cell(values[at]) for values in cells))


@contextlib.contextmanager
def _reading(path: Path, texts: Sequence[str] = ()) -> Iterator[Any]:
    """An open `pyarrow.parquet.ParquetFile`; what pyarrow raises on a damaged file becomes a `DataError`.

    Of the columns `texts` every different cell is kept once, however many rows refer to it: 4,000 rows with one text of
    a megabyte take 83 MB instead of 4 GB.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra("tabular", "Reading Parquet") from error
    try:
        with pyarrow.parquet.ParquetFile(path, read_dictionary=list(texts)) as file:
            yield file
    except (pyarrow.ArrowException, OSError, KeyError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} cannot be read as Parquet ({reason}).", "Write it again.") from error


def _is_plain(kind: Any) -> bool:
    """Whether cells of this type are texts, numbers, dates or yes and no."""
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    texts = types.is_string(kind) or types.is_large_string(kind)
    return texts or (types.is_primitive(kind) and not types.is_null(kind)) or types.is_decimal(kind)


def _texts(schema: Any) -> list[str]:
    """The columns of texts or bytes, those inside of lists too."""
    columns = [schema.column(at) for at in range(len(schema))]
    return [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]


def _must_fit(metadata: Any, path: Path) -> None:
    """Raise `DataError` for a group of rows that says it unpacks to more than memory may take.

    The columns of a group are not asked: of 1,500 files with a few bytes changed at random, 3 made pyarrow 26 end the
    whole process there, and none of 6,000 did in what is used here.
    """
    for index in range(metadata.num_row_groups):
        size = metadata.row_group(index).total_byte_size
        if size > _MAX_GROUP:
            raise DataError(
                f"{path} unpacks {size / 2**30:,.1f} GB at a time; at most {_MAX_GROUP / 2**30:.0f} GB are read.",
                "Write it with smaller row groups.",
            )


def _must_be_short(column: Any, path: Path, name: str) -> None:
    """Raise `DataError` for a cell too long, before it is copied once for every row that refers to it."""
    import pyarrow
    from pyarrow import compute

    types = pyarrow.types
    while types.is_list(column.type) or types.is_large_list(column.type):
        column = column.flatten()
    if types.is_dictionary(column.type):
        column = column.dictionary
    kind = column.type
    if not (types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind)):
        return
    longest = compute.max(compute.binary_length(column)).as_py() or 0
    if longest > MAX_CELL:
        raise DataError(
            f"The column {name!r} of {path} has a cell of {longest:,} bytes; at most {MAX_CELL:,} are read.",
            "Name a column of file paths: photos inside of a table are not read.",
        )


def _cell(value: Any) -> Cell:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, list):
        return tuple(text for text in map(str, value) if text)
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="backslashreplace")
    return str(value).strip()

"""Tables written as text: CSV, TSV and their kin, and lists with a space between the words."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Literal

from finegraft.data.encodings import encoding_of
from finegraft.data.tables import MAX_CELL, MAX_COLUMNS, MAX_ROWS, Row, distinct, positions
from finegraft.errors import DataError, UsageError

# In the order of preference where two divide the rows equally well: decimal commas in a table with semicolons are more
# common than the reverse. A space counts only where none of these does.
SEPARATORS = ("\t", ";", ",", "|")
SPACE = " "
_NAMES = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar", SPACE: "space", "": "one column"}
_ENCODINGS = {"utf-8-sig": "UTF-8", "cp1252": "Windows-1252"}
_SAMPLE = 200  # lines that decide on the separator, or fewer where they are long
_LONGEST = 2**20  # characters of a line: room for eight of the longest cells
_QUOTED = re.compile(r'(?:^|\t)"[^"\t]*"(?:\t|\r?\n|$)')


@dataclass(frozen=True)
class Delimited:
    """A table of text; see `finegraft.data.tables.Table`."""

    path: Path
    columns: tuple[str, ...]
    encoding: str
    separator: str  # "" where every line is one cell
    quoted: bool = True
    first_row: tuple[str, ...] | None = None

    @classmethod
    def open(cls, path: Path) -> Delimited:
        """The table at `path`, its columns named by its first row. Raises `DataError`."""
        try:
            encoding = encoding_of(path)
        except OSError as error:
            raise DataError(f"Cannot read {path}: {error.strerror or error}.") from error
        sample = _sample(path, encoding)
        separator, quoted = separator_of(sample)
        first = next((cells for cells in _cells(iter(sample), separator, quoted) if any(cells)), [])
        if not any(cell.strip("".join(SEPARATORS) + ' "') for cell in first):
            raise DataError(f"{path} holds no rows.", "A table has a row for each record.")
        if len(first) > MAX_COLUMNS:
            raise DataError(
                f"{path} has {len(first):,} columns; at most {MAX_COLUMNS:,} are read.", "Leave out what is not used."
            )
        return cls(path, distinct(first), encoding, separator, quoted, tuple(first))

    @property
    def description(self) -> str:
        """Such as "UTF-8, comma"."""
        return f"{_said(self.encoding)}, {_NAMES[self.separator]}"

    def named(self, names: Sequence[str] | None = None) -> Delimited:
        """The same file without a header. Raises `UsageError` for another number of names than its first row has."""
        count = len(self.first_row or self.columns)
        if names is None:
            names = [f"column {number}" for number in range(1, count + 1)]
        if len(names) != count:
            raise UsageError(
                f"{len(names)} columns are named ({', '.join(names)}), but the first row of {self.path} has {count} "
                f"cells.",
                "Name every column of a file without a header, in order.",
            )
        if len(set(names)) < len(names) or not all(names):
            raise UsageError(f"The columns {', '.join(names)} are not all different.", "Give each a name of its own.")
        return replace(self, columns=tuple(names), first_row=None)

    @property
    def plain_columns(self) -> tuple[str, ...]:
        """All of them."""
        return self.columns

    @property
    def decimal_comma(self) -> bool:
        """Where semicolons separate the cells, as programs write it in countries with a decimal comma."""
        return self.separator == ";"

    def whole_lines(self) -> Delimited | None:
        """The same file with every line as one cell, without a header: a list of paths with spaces in them."""
        return replace(self, columns=("column 1",), separator="", first_row=None) if self.separator else None

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[Row]:
        """Every row that is not empty; see `finegraft.data.tables.Table.rows`."""
        places, width = positions(self.columns, columns), len(self.columns)
        header = self.first_row is not None
        for number, cells in enumerate(self._all_rows(), start=1):
            if number > MAX_ROWS:
                raise DataError(f"{self.path} has more than {MAX_ROWS:,} rows.", "Divide it.")
            if not any(cells):
                continue
            if header:
                header = False
                continue
            surplus = sum(bool(cell) for cell in cells[width:])
            cells += [""] * (width - len(cells))
            yield Row(number, tuple(cells[place] for place in places), surplus)

    def _all_rows(self) -> Iterator[list[str]]:
        """The cells of every row, stripped; a row number is not lost where a row is empty."""
        rows = _cells(_lines(self.path, self.encoding), self.separator, self.quoted)
        number = 0
        while True:
            number += 1
            try:
                cells = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                raise DataError(
                    f"Row {number} of {self.path} cannot be read ({error}).", "Is a quotation mark never closed there?"
                ) from error
            yield cells


def separator_of(lines: Sequence[str]) -> tuple[str, bool]:
    """What separates the cells of `lines` ("" where nothing does), and whether cells may be quoted.

    It is what divides most rows into as many cells as the first one. Quotation marks of a tab-separated text are
    ordinary signs, unless some cell has one at its beginning and its end (the format registered as
    text/tab-separated-values knows no quoting).
    """
    scores = []
    for rank, separator in enumerate(SEPARATORS):
        quoted = separator != "\t" or any(_QUOTED.search(line) for line in lines)
        share, width = _evenness(lines, separator, quoted)
        scores.append((share, -rank, width, separator, quoted))
    share, _, width, separator, quoted = max(scores)
    if width > 1 and share >= 0.5:
        return separator, quoted
    share, width = _evenness([line.strip() for line in lines], SPACE, True)
    return (SPACE, True) if width > 1 and share >= 0.8 else ("", False)


def _sample(path: Path, encoding: str) -> list[str]:
    """The first lines, at most as many characters as one line may have."""
    sample: list[str] = []
    length = 0
    for line in islice(_lines(path, encoding), _SAMPLE):
        length += len(line)
        if sample and length > _LONGEST:
            break
        sample.append(line)
    return sample


def _said(encoding: str) -> str:
    return _ENCODINGS.get(encoding, encoding.upper())


def _evenness(lines: Sequence[str], separator: str, quoted: bool) -> tuple[float, int]:
    """The part (0..1) of rows with as many cells as the first, and that number; 0 where that is one.

    Empty cells at the end of a row may be more: some programs end each row with a separator, but for the header.
    """
    try:
        rows = [cells for cells in _cells(iter(lines), separator, quoted) if any(cells)]
    except csv.Error:
        return 0.0, 0
    width = len(rows[0]) if rows else 0
    if width < 2:
        return 0.0, 0
    return sum(len(cells) >= width and not any(cells[width:]) for cells in rows) / len(rows), width


def _cells(lines: Iterator[str], separator: str, quoted: bool) -> Iterator[list[str]]:
    if not separator:
        for line in lines:
            yield [line.strip()]
        return
    if separator == SPACE:
        lines = (line.replace("\t", " ").strip() for line in lines)
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    for cells in csv.reader(lines, delimiter=separator, quoting=quoting, skipinitialspace=quoted):
        yield [cell.strip() for cell in cells]


def _lines(path: Path, encoding: str) -> Iterator[str]:
    """The lines of a text file with their ends, of bounded length: a bomb is one line without an end."""
    try:
        with path.open(encoding=encoding, newline="") as file:
            number = 0
            while line := file.readline(_LONGEST):
                number += 1
                if len(line) >= _LONGEST:
                    raise DataError(
                        f"Line {number} of {path} has more than {_LONGEST:,} characters.",
                        f"A cell may have {MAX_CELL:,}. Is it a table?",
                    )
                yield line.replace("\x1a", "") if "\x1a" in line else line
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} begins like a text in {_said(encoding)} and is none ({error.reason}).", "Save it as UTF-8."
        ) from error
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror or error}.") from error

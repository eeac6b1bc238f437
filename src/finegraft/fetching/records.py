"""The records of a table, each with the line at which it begins. One broken row costs itself and no other."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from finegraft.fetching.plain import has_address

_MOST_LINES = 50  # a quoted cell may hold line feeds; one that goes on for longer was never closed


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one record, or of what could be told apart of a broken one, with the problem."""

    number: int
    cells: tuple[str, ...]
    problem: str | None = None


def records_of(lines: Sequence[str], delimiter: str) -> Iterator[Record]:
    """The records in `lines` (numbered from 1), without empty ones.

    A quote that is opened and never closed would swallow all that follows: it is a problem of its own row only, and
    taken for that too where closing it would make one row of two addresses.
    """
    place = 0
    while place < len(lines):
        used = 1
        if lines[place].strip():
            record, used = _record(lines, place, delimiter)
            if any(record.cells):
                yield record
        place += used


def cells_of(line: str, delimiter: str) -> tuple[str, ...]:
    """The cells of a record on one line, stripped; split at every delimiter where its quotes are broken."""
    try:
        return _stripped(next(csv.reader([line], delimiter=delimiter), []))
    except csv.Error:
        return _stripped(line.split(delimiter))


def _record(lines: Sequence[str], place: int, delimiter: str) -> tuple[Record, int]:
    """The record that begins at `place`, and how many lines it takes."""
    number, problem = place + 1, "A quote is opened and never closed."
    for used in range(1, min(_MOST_LINES, len(lines) - place) + 1):
        chunk = lines[place : place + used]
        if used > 1 and sum(map(has_address, chunk)) > 1:
            break
        try:
            cells = next(csv.reader([line + "\n" for line in chunk], delimiter=delimiter, strict=True))
            return Record(number, _stripped(cells)), used
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                continue
            if "field larger" in str(error):
                problem = f"A cell has more than {csv.field_size_limit():,} characters."
                break
            return Record(number, cells_of(chunk[0], delimiter)), 1  # text after a closing quote: read it mildly
    return Record(number, _stripped(lines[place].split(delimiter)), problem), 1


def _stripped(cells: Sequence[str]) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in cells)

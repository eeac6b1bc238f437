"""A list of labels and addresses, in any form people have it: CSV, TSV, lines of `label address`, addresses alone."""

from __future__ import annotations

import codecs
import re
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from finegraft.data.contents import read_content
from finegraft.errors import DataError, UnreadableFile, UsageError
from finegraft.fetching.columns import Columns, are_names, columns_of, delimiter_of, is_header
from finegraft.fetching.plain import has_address, is_comment, split_line
from finegraft.fetching.records import Record, records_of

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_LINE_END = re.compile(r"\r\n|\n|\r")  # not splitlines(): a label may hold what Unicode calls a line separator
# As in urls_teddy.txt, which is what fast.ai's course calls such a file.
_AFFIX = re.compile(r"^((image|photo)[_\- ]?)?(urls?|links?)[_\- ]+|[_\- ]+(urls?|links?)$", re.IGNORECASE)
_NO_ADDRESS = "Each row needs an address that begins with http:// or https://."


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line of the file at which it begins, its label and its address; or the problem with it."""

    number: int
    label: str | None
    url: str
    problem: str | None = None


@dataclass(frozen=True)
class Listed:
    """All rows of the list called `name`, in order; `notes` are sentences on how it was understood."""

    name: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def read_list(
    source: str | Path, *, label: str | None = None, target: str | None = None, url: str | None = None
) -> Listed:
    """Read the file `source`, or stdin where it is "-".

    Columns are found by their names, or by what they hold; `target` and `url` name them otherwise (a name, or a number
    from 1). `label` is given to every row. Raises `DataError` where there is no such file, no address in it, or where
    it cannot be told which column is which.
    """
    if str(source) == "-":
        return parse(sys.stdin.buffer.read(), "-", label=label, target=target, url=url)
    if re.match("https?://", str(source), re.IGNORECASE):
        raise DataError(f"{source} is an address; a list is a file.", f"Save it first: curl -O {source}")
    try:
        content = read_content(Path(source))
    except UnreadableFile as error:
        raise DataError(f"Cannot read the list {source}.", error.reason) from error
    return parse(content, Path(source).name, label=label, target=target, url=url)


def parse(
    content: bytes, name: str, *, label: str | None = None, target: str | None = None, url: str | None = None
) -> Listed:
    """The rows in the bytes of a list called `name`. See `read_list`."""
    text, note = _decoded(content, name)
    lines = ["" if is_comment(line) else line for line in _LINE_END.split(text)]
    filled = [line for line in lines if line.strip()]
    if not filled:
        raise DataError(f"The list {name} is empty.", _NO_ADDRESS)
    delimiter = delimiter_of(filled)
    if delimiter is not None:
        rows = _rows_of_table(list(records_of(lines, delimiter)), name, delimiter, label, target, url)
    elif target is None and url is None:
        rows = _rows_of_lines(lines)
    else:
        raise UsageError(f"{name} has no columns for --target or --url to name.", "Leave them out.")
    if not any(has_address(row.url) for row in rows):
        raise DataError(f"The list {name} holds no address; it begins with {filled[0][:60]!r}.", _NO_ADDRESS)
    return _labelled(name, rows, label, note)


def _decoded(content: bytes, name: str) -> tuple[str, list[str]]:
    """The text, and a note where its encoding had to be guessed."""
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace"), []
    if b"\0" in content[:4096]:
        raise DataError(f"The list {name} is no text.", "Save it as CSV, or as a text with an address on each line.")
    try:
        return content.decode("utf-8"), []
    except UnicodeDecodeError:
        note = f"{name} is not UTF-8; it is read as Windows-1252. Save it as UTF-8 if labels come out wrong."
        return content.decode("cp1252", "replace"), [note]


def _rows_of_lines(lines: Sequence[str]) -> list[Row]:
    rows: list[Row] = []
    for number, line in enumerate(lines, start=1):
        header = not rows and not has_address(line) and are_names(line.split())
        if line.strip() and not header:
            rows.append(Row(number, *split_line(line)))
    return rows


def _rows_of_table(
    records: list[Record], name: str, delimiter: str, label: str | None, target: str | None, url: str | None
) -> list[Row]:
    header = records.pop(0).cells if is_header(records[0].cells) else None
    if label is not None and target is not None:
        raise UsageError("--label and --target exclude each other.", "Give one of them.")
    columns = columns_of(header, records, name, target, url, labelled=label is not None)
    return [_row(record, columns, delimiter) for record in records]


def _row(record: Record, columns: Columns, delimiter: str) -> Row:
    cells, problem = list(record.cells), record.problem
    while len(cells) > columns.count and not cells[-1]:
        cells.pop()
    if len(cells) > columns.count and columns.address == columns.count - 1:
        cells[columns.address :] = [delimiter.join(cells[columns.address :])]  # an address with the delimiter in it
    if len(cells) > columns.count and problem is None:
        problem = f"The row has {len(cells)} cells, others {columns.count}. Put a cell with {delimiter!r} in quotes."
    cells += [""] * (columns.count - len(cells))
    label = None if columns.label is None else cells[columns.label]
    return Row(record.number, label, cells[columns.address], problem)


def _labelled(name: str, rows: list[Row], label: str | None, notes: list[str]) -> Listed:
    """Every row with a label; where none has one, with `label` or one from the name of the file."""
    if label is None and not any(row.label for row in rows):
        if name == "-":
            raise UsageError("The list on stdin holds addresses only.", "Say their label with --label.")
        label = _AFFIX.sub("", Path(name).stem) or Path(name).stem
        notes = [*notes, f"{name} holds addresses only: all get the label {label!r}, from its name (or by --label)."]
    if label is not None:
        rows = [replace(row, label=label) for row in rows]
    return Listed(name, tuple(map(_complete, rows)), tuple(notes))


def _complete(row: Row) -> Row:
    """`row` with its label in Unicode's composed form, as class folders have it, and with what it lacks."""
    row = replace(row, label=unicodedata.normalize("NFC", row.label or "") or None)
    if row.problem is None and not row.url:
        return replace(row, problem="The row has no address.")
    if row.problem is None and not row.label:
        return replace(row, problem="The row has no label.")
    return row

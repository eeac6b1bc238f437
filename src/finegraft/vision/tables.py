"""Rows of a table as photos to learn from: every row is a record, or a finding that says why it is none."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path

import numpy as np

from finegraft.data.findings import Finding
from finegraft.data.labels import Reading, reading_of, tags_of_columns
from finegraft.data.record import Label, Split
from finegraft.data.tables import Cell, listed
from finegraft.data.traits import Gathering
from finegraft.vision.cellpaths import CellPaths
from finegraft.vision.columns import Columns, Wanted, chosen
from finegraft.vision.given import splits_of
from finegraft.vision.grouping import Grouping
from finegraft.vision.listing import Found, Listing, RowTraits

_log = logging.getLogger("finegraft")
_PARTS = frozenset({"split", "subset", "set", "is_valid", "is_test", "is_train"})  # what a split column is called


def list_table(file: Path, wanted: Wanted, archive: Path | None = None, reading: Reading | None = None) -> Listing:
    """Every row of the table `file`, before any photo is opened; keys are relative to the folder of the table.

    The first row that names a file counts; a later one is a finding. The paths of a table that came out of an `archive`
    stay inside that folder. `reading` says what the cells of one target column mean, else they tell it
    themselves. Raises `DataError` or `UsageError` where columns cannot be found or make no sense.
    """
    cells = CellPaths(file.parent, jailed=archive is not None)
    columns = chosen(file, wanted, cells)
    rows = _Rows.of(columns, cells)
    if reading is None and len(columns.target) == 1:
        reading = reading_of([target[0] for target in rows.targets], columns.table.decimal_comma)
    labels = rows.labels(columns, reading)
    called = file if archive is None else archive / file.name
    _log.info("%s (%s): %s", called, columns.table.description, _summary(columns, labels))
    grouping = None if wanted.group is None or columns.group is not None else Grouping(wanted.group)
    found: dict[str, Found] = {}
    findings: list[Finding] = []
    for one in _found(rows, labels, columns, cells, grouping):
        first = found.setdefault(one.key, one)
        if first is not one:
            findings.append(_named_again(one, first))
    if grouping is not None and not wanted.test_part:
        grouping.must_have_matched(f"No column is called so ({listed(columns.table.columns)}), and the pattern")
    ordered = tuple(sorted(found.values(), key=attrgetter("key")))
    traits = RowTraits(np.array(rows.numbers, dtype=np.int64), rows.others.traits())
    return Listing(file, file.parent, ordered, by_folder=False, reading=reading, findings=tuple(findings), rows=traits)


@dataclass
class _Rows:
    """What is used of the rows, column by column; equal cells are one object. `others` gathers what else they tell."""

    others: Gathering
    numbers: list[int] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    targets: list[tuple[Cell, ...]] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    surplus: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, columns: Columns, cells: CellPaths) -> _Rows:
        """The rows of the table in `columns`."""
        texts = [] if columns.group is None else [columns.group]  # a patient's number is a name
        others = Gathering(columns.others, texts, columns.table.decimal_comma)
        rows = cls(others)
        width = len(columns.target)
        names = [*columns.target, columns.path, *filter(None, [columns.group, columns.split])]
        known = len(names)
        shared: dict[object, object] = {}
        for number, values, surplus in columns.table.rows([*names, *others.columns]):
            rows.numbers.append(number)
            target = values[:width]
            rows.targets.append(shared.setdefault(target, target))  # type: ignore[arg-type]
            rows.keys.append(cells.key(_text(values[width])))
            for name, into in ((columns.split, rows.splits), (columns.group, rows.groups)):
                if name is not None:
                    value = _text(values[names.index(name, width + 1)])
                    into.append(shared.setdefault(value, value))  # type: ignore[arg-type]
            others.add(values[known:])
            if surplus:
                rows.surplus.add(number)
        return rows

    def labels(self, columns: Columns, reading: Reading | None) -> list[Label | None]:
        """The label of each row; without a `reading` the columns are tags."""
        if reading is None:
            return tags_of_columns(columns.target, self.targets)
        return reading.labels([target[0] for target in self.targets])


def _found(
    rows: _Rows, labels: Sequence[Label | None], columns: Columns, cells: CellPaths, grouping: Grouping | None
) -> Iterator[Found]:
    splits: Sequence[Split | None] = [None] * len(labels)
    if columns.split is not None:
        splits = splits_of(rows.splits, columns.split)
    for at, (number, key, label, split) in enumerate(zip(rows.numbers, rows.keys, labels, splits, strict=True)):
        reason = _reason(rows, at, label, split, columns, cells)
        group = grouping.of(key) if grouping else (rows.groups[at] or None if columns.group else None)
        if not key or cells.leads_out(key):
            key = f"{columns.table.path.name}, row {number}"
        yield Found(key, label, split, group, number, "misplaced" if reason else None, reason)


def _reason(
    rows: _Rows, at: int, label: Label | None, split: Split | None, columns: Columns, cells: CellPaths
) -> str | None:
    """Why the row at this place cannot be used, None where it can."""
    number, key = rows.numbers[at], rows.keys[at]
    if not key:
        return f"Row {number} names no file: its cell in the column {columns.path!r} is empty."
    if cells.leads_out(key):
        return f"Row {number} leads out of the archive ({key}). Only files in the archive are opened."
    if number in rows.surplus:
        return f"Row {number} has cells beyond the last column. Put quotation marks around one that holds a separator."
    if label is None:
        cell = _text(rows.targets[at][0])
        got = f"has {cell!r} where the others have numbers" if cell else "has no label: its cell is empty"
        return f"Row {number} {got} (column {columns.target[0]!r})."
    if columns.split is not None and split is None:
        return f"Row {number} is in no part: its cell in the column {columns.split!r} is empty."
    return None


def _named_again(again: Found, first: Found) -> Finding:
    where = f"Row {again.row} names this file again, after row {first.row}"
    if again.label == first.label or again.label is None:
        return Finding(first.key, "exact-copy", 1.0, f"{where}. One of the rows is enough.")
    note = f"{where}, and labels it {_said(again.label)}, not {_said(first.label)}. Row {first.row} counts."
    return Finding(first.key, "two-labels", 1.0, note)


def _said(label: Label | None) -> str:
    return repr(list(label)) if isinstance(label, tuple) else repr(label)


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else "; ".join(cell)


def _summary(columns: Columns, labels: Sequence[Label | None]) -> str:
    """Which columns were taken for what, and what the labels are."""
    table = columns.table
    names = ", ".join(map(repr, columns.target[:5])) + (", …" if len(columns.target) > 5 else "")
    said = f"paths from {columns.path!r}, labels from {names}, {_kind(labels)}."
    if columns.split is None:
        for name in table.columns:
            if name.casefold() in _PARTS and name not in columns.target:
                return f"{said} The column {name!r} is not used: --split-column {name} takes given splits from it."
    return said


def _kind(labels: Sequence[Label | None]) -> str:
    numbers = [label for label in labels if isinstance(label, float)]
    if numbers:
        return f"numbers from {min(numbers):g} to {max(numbers):g}"
    tags = [label for label in labels if isinstance(label, tuple)]
    if tags:
        return f"{len({tag for label in tags for tag in label})} tags, several to a row"
    return f"{len({label for label in labels if label is not None})} classes"

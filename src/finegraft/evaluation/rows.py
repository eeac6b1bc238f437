"""`evaluation.jsonl`: one row per judged record, written whole or not at all and read with its damage named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from finegraft.data.atomic import replacing
from finegraft.errors import DataError, StorageError

T = TypeVar("T")
DIGITS = 6


def write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write `rows`, a line each. Raises `StorageError` where `path` cannot be written."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, allow_nan=False) + "\n" for row in rows)


def read(path: Path, parse: Callable[[dict[str, Any]], T]) -> list[T]:
    """`parse` of every row; it may raise `ValueError`, `KeyError` or `TypeError` for one it does not know.

    Raises `StorageError` when the file cannot be read, `DataError` naming the line that is damaged.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            return [_parsed(path, number, line, parse) for number, line in enumerate(lines, start=1)]
    except OSError as error:
        raise StorageError(f"Cannot read {path}: {error.strerror or error}.") from error


def _parsed(path: Path, number: int, line: str, parse: Callable[[dict[str, Any]], T]) -> T:
    try:
        return parse(json.loads(line))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"Line {number} of {path} is not a judged record ({type(error).__name__}: {error}).",
            "The file was cut or edited; judge again with `finegraft eval`.",
        ) from error


def group_of(row: dict[str, Any]) -> str | None:
    """The group a row names; None where it stands alone."""
    found = row.get("group")
    return None if found is None else str(found)


def groups_of(found: list[str | None]) -> tuple[str, ...]:
    """The groups of all rows; none where any row lacks one."""
    known = tuple(group for group in found if group is not None)
    return known if len(known) == len(found) else ()


def short(value: float) -> float:
    """`value` to 6 significant digits."""
    return float(f"{value:.{DIGITS}g}")


def read_only(array: np.ndarray) -> np.ndarray:
    """A view of `array` that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view


def check_keys(keys: tuple[str, ...], groups: tuple[str, ...]) -> None:
    """Raise `DataError` unless there are keys, all different, and as many groups or none."""
    if not keys:
        raise DataError("There are no records to judge.", "Give at least one labelled record.")
    if len(set(keys)) != len(keys):
        twice = next(key for i, key in enumerate(keys) if key in keys[:i])
        raise DataError(f"Every record is judged once, but the key {twice!r} occurs more often.")
    if groups and len(groups) != len(keys):
        raise DataError(f"{len(keys)} records need as many groups or none, got {len(groups)}.")

"""Traits of judged records, as arrays in an evaluation and as cells in its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from finegraft.evaluation.rows import short


def trait_to_json(value: Any) -> str | float | None:
    """A trait as JSON: a text, a number to six digits, null where it is unknown."""
    if isinstance(value, str):
        return value or None
    return short(value) if np.isfinite(value) else None


def traits_of_rows(rows: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """The traits of all rows by name: texts where any is one, else numbers."""
    columns: dict[str, np.ndarray] = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        cells = [row.get(name) for row in rows]
        if any(isinstance(cell, str) for cell in cells):
            columns[name] = np.array(["" if cell is None else str(cell) for cell in cells], dtype=object)
        else:
            columns[name] = np.array([np.nan if cell is None else float(cell) for cell in cells])
    return columns

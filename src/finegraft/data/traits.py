"""Traits: what is known of records besides their label, such as the other columns of a table. Nothing learns from them.

The traits of n records map a name to an array (n,): float32 with nan where a number is unknown, or texts of dtype
object, equal ones being one object, with "" where unknown.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from finegraft.data.tables import Cell

Traits = Mapping[str, np.ndarray]

MOST_TEXTS = 50  # different texts of one trait: with more of them each has too few records to judge by
MOST_COLUMNS = 20  # of a table become traits, the first ones: every one is kept for every record
_NUMBERS = 0.95  # of the cells that say something must be numbers for a column of numbers; slips of the pen are unknown
_TRIED = 1000  # rows after which a column that is neither texts nor numbers is given up
_UNKNOWN = frozenset({"", "nan", "na", "n/a", "null", "none", "-", "?"})  # among numbers only: "NA" may be a country


class Gathering:
    """Takes a table row by row; what it keeps of a cell is one byte, or eight in a column of numbers.

    A column becomes numbers where nearly all its cells are, else texts where these are at most 50 different ones; a
    column called so in `names` is texts in any case. What is neither, such as file names and remarks, is left out, and
    so are numbers that only count the rows.

    >>> gathering = Gathering(["camera", "distance"])
    >>> for cells in [("left", "1.5"), ("right", "")]:
    ...     gathering.add(cells)
    >>> {name: values.tolist() for name, values in gathering.traits().items()}
    {'camera': ['left', 'right'], 'distance': [1.5, nan]}
    """

    def __init__(self, columns: Sequence[str], names: Collection[str] = (), decimal_comma: bool = False) -> None:
        self._columns = {name: _Column(name not in names, decimal_comma) for name in columns[:MOST_COLUMNS]}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that cells are taken of, at most 20."""
        return tuple(self._columns)

    def add(self, cells: Sequence[Cell]) -> None:
        """The cells of the next row, in the order of `columns`."""
        for column, cell in zip(self._columns.values(), cells, strict=True):
            column.add(cell if isinstance(cell, str) else "; ".join(cell))

    def traits(self) -> dict[str, np.ndarray]:
        """The traits of the rows so far, by the names of their columns."""
        found = {name: column.values() for name, column in self._columns.items()}
        return {name: values for name, values in found.items() if values is not None}


class _Column:
    """One column: the codes of its texts while these are few, then numbers, then nothing."""

    def __init__(self, may_be_numbers: bool, decimal_comma: bool) -> None:
        self._may_be_numbers = may_be_numbers
        self._decimal_comma = decimal_comma
        self._known: dict[str, int] = {"": 0}
        self._codes: array[int] | None = array("B")
        self._numbers: array[float] | None = None
        self._strange = 0  # cells that say something and are no number

    def add(self, text: str) -> None:
        if self._codes is not None:
            code = self._known.setdefault(text, len(self._known))
            if code <= MOST_TEXTS:
                self._codes.append(code)
                return
            self._begin_numbers(self._codes)
        if self._numbers is not None:
            self._add_number(text, self._numbers)

    def values(self) -> np.ndarray | None:
        if self._codes is not None:
            return self._of_codes(np.array(self._codes, dtype=np.uint8))
        if self._numbers is None:
            return None
        numbers = np.array(self._numbers)
        said = int(np.isfinite(numbers).sum()) + self._strange
        return _as_numbers(numbers) if _nearly_all(said - self._strange, said) else None

    def _of_codes(self, codes: np.ndarray) -> np.ndarray | None:
        texts = list(self._known)
        times = np.bincount(codes, minlength=len(texts))
        numbers = np.array([self._number(text) for text in texts])
        said = times[[text.casefold() not in _UNKNOWN for text in texts]].sum()
        if self._may_be_numbers and said and _nearly_all(times[np.isfinite(numbers)].sum(), said):
            return _as_numbers(numbers[codes])
        return np.array(texts, dtype=object)[codes] if times[1:].any() else None

    def _begin_numbers(self, codes: array[int]) -> None:
        """There are too many different texts for names: go on with the numbers they are, or with nothing."""
        texts = list(self._known)
        self._codes, self._known = None, {}
        self._numbers = array("d") if self._may_be_numbers else None
        for code in codes:
            if self._numbers is not None:
                self._add_number(texts[code], self._numbers)

    def _add_number(self, text: str, numbers: array[float]) -> None:
        number = self._number(text)
        numbers.append(number)
        self._strange += math.isnan(number) and text.casefold() not in _UNKNOWN
        if len(numbers) >= _TRIED and not _nearly_all(len(numbers) - self._strange, len(numbers)):
            self._numbers = None

    def _number(self, text: str) -> float:
        try:
            number = float(text.replace(",", ".") if self._decimal_comma else text)
        except ValueError:
            return math.nan
        return number if math.isfinite(number) and "_" not in text else math.nan


def taken(traits: Traits, places: np.ndarray) -> dict[str, np.ndarray]:
    """The traits of the records at `places`, int (m,); what stands at -1 is unknown.

    >>> taken({"camera": np.array(["left", "right"], dtype=object)}, np.array([1, -1]))["camera"].tolist()
    ['right', '']
    """
    found = {}
    for name, values in traits.items():
        chosen = np.full(len(places), "" if values.dtype == object else np.nan, values.dtype)
        chosen[places >= 0] = values[places[places >= 0]]
        found[name] = chosen
    return found


def merged(parts: Sequence[tuple[Traits, np.ndarray]]) -> dict[str, np.ndarray]:
    """Traits of the same records from several sources, each with its places as in `taken`; no record has two.

    A trait that is numbers in one source and texts in another is left out.
    """
    found: dict[str, np.ndarray] = {}
    mixed = set()
    for traits, places in parts:
        for name, values in taken(traits, places).items():
            if name in found and found[name].dtype != values.dtype:
                mixed.add(name)
            elif name in found:
                found[name][places >= 0] = values[places >= 0]
            else:
                found[name] = values
    return {name: values for name, values in found.items() if name not in mixed}


def _nearly_all(numbers: int, of: int) -> bool:
    return numbers >= _NUMBERS * of


def _as_numbers(numbers: np.ndarray) -> np.ndarray | None:
    return None if _counts_rows(numbers) else numbers.astype(np.float32)


def _counts_rows(numbers: np.ndarray) -> bool:
    """Whether these are whole numbers, all different, with hardly a gap: they name the rows and say nothing of them."""
    finite = numbers[np.isfinite(numbers)]
    if len(finite) < len(numbers) or (finite != np.floor(finite)).any() or len(np.unique(finite)) < len(finite):
        return False
    return bool(finite.max() - finite.min() < 2 * len(finite))

"""What the cells of a target column mean: one class each, several tags, or a number."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from finegraft.data.record import Label
from finegraft.data.tables import Cell, listed
from finegraft.errors import DataError

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+(?:,\d+)?")
_LEADING_ZERO = re.compile(r"[+-]?0\d")
_MISSING = frozenset({"", "nan", "na", "n/a", "null", "none", "-", "?"})  # among numbers only: "NA" may be a class
# Integers of so few values are class codes; ten records of each are what a class has at the least, as a rule.
_FEW_CODES = 20
_RECORDS_OF_A_CODE = 10
_YES = frozenset({"1", "1.0", "true", "yes"})
_NO = frozenset({"0", "0.0", "-1", "-1.0", "false", "no", ""})  # -1 as in CelebA


@dataclass(frozen=True)
class Reading:
    """How the cells of one target column are read; see `reading_of`.

    `separator` stands between the tags of one cell, None where the cells themselves are lists.
    """

    kind: Literal["classes", "tags", "numbers"]
    separator: str | None = None
    decimal_comma: bool = False

    def labels(self, cells: Sequence[Cell]) -> list[Label | None]:
        """The label of each cell, None for an empty one and for one that is no number among numbers.

        Equal labels are one object. A tag counts once, in any order; a cell without any is an answer too.
        """
        known = {cell: self._label(cell) for cell in set(cells)}
        shared = {label: label for label in known.values()}
        return [shared[known[cell]] for cell in cells]

    def _label(self, cell: Cell) -> Label | None:
        if self.kind == "tags":
            parts = [cell] if isinstance(cell, str) else cell
            return _tags(_parts(cell, self.separator) if isinstance(cell, str) and self.separator else parts)
        text = cell if isinstance(cell, str) else " ".join(cell)
        if self.kind == "classes":
            return composed(text.strip()) or None
        written = text.replace(",", ".") if self.decimal_comma else text
        number = float(written) if _NUMBER.fullmatch(written) else math.nan
        return number if math.isfinite(number) else None


def reading_of(cells: Sequence[Cell], decimal_comma: bool = False) -> Reading:
    """How to read a column with these cells. As a whole it holds one of three:

    - *Numbers*, where every cell is one and they are no class codes. Codes are integers with a leading zero, of at
      most 20 different values, of ten records or more for each value, or running without a gap from 0 or 1.
      `decimal_comma` says that 3,14 may be a number.
    - *Tags*, where the cells are lists, some cell has a "|" or ";", or where commas or spaces divide the cells into
      parts that plainly recur in other combinations (see `tag_separator`).
    - *Classes* else, as written but for the spaces around them and for Unicode's composed form.

    >>> labels_of(["red|round", "red", "", "round|red"])
    [('red', 'round'), ('red',), (), ('red', 'round')]
    >>> labels_of(["great white shark", "tench, Tinca tinca", ""])
    ['great white shark', 'tench, Tinca tinca', None]
    >>> labels_of(["0.25", "3", ""])
    [0.25, 3.0, None]
    """
    if any(isinstance(cell, tuple) for cell in cells):
        return Reading("tags")
    texts = [cell for cell in cells if isinstance(cell, str)]
    written = [text for text in texts if text.casefold() not in _MISSING]
    if written and all(map(_NUMBER.fullmatch, written)) and not _are_codes(written):
        return Reading("numbers")
    comma_used = decimal_comma and any("," in text for text in written)
    if comma_used and all(map(_DECIMAL_COMMA.fullmatch, written)):
        return Reading("numbers", decimal_comma=True)
    separator = tag_separator(texts)
    return Reading("classes") if separator is None else Reading("tags", separator)


def labels_of(cells: Sequence[Cell], decimal_comma: bool = False) -> list[Label | None]:
    """The label of each cell of one target column; see `reading_of`."""
    return reading_of(cells, decimal_comma).labels(cells)


def tags_of_columns(names: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[Label | None]:
    """The tags of each row of 0 and 1 (or true and false, yes and no, 1 and -1): the names of the columns that say yes.

    An empty cell says no. Raises `DataError` naming a column that holds something else.

    >>> tags_of_columns(["red", "round"], [["1", "1"], ["0", "1"]])
    [('red', 'round'), ('round',)]
    """
    for place, name in enumerate(names):
        others = sorted({str(row[place]) for row in rows if str(row[place]).casefold() not in _YES | _NO})
        if others:
            raise DataError(
                f"The column {name!r} holds {listed([repr(other) for other in others], 5)}; a column that is one of "
                "several tags holds 0 and 1.",
                "Name one column of class names, or columns of 0 and 1.",
            )
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}
    found: list[Label | None] = []
    for row in rows:
        tags = _tags([name for name, cell in zip(names, row, strict=True) if str(cell).casefold() in _YES])
        found.append(shared.setdefault(tags, tags))
    return found


def tag_separator(cells: Sequence[str]) -> str | None:
    """What separates several tags in one cell: "|", ";", ",", " ", or None where each cell is one name.

    "|" and ";" always do. Names of classes have commas and spaces too ("tench, Tinca tinca", "golden retriever"), so
    these count only with evidence. A part *recurs* where it is in two or more different cells.

    - ",": nine of ten parts recur, and there are fewer parts than different cells. Of ImageNet's 1,000 names with
      synonyms nearly every part is in one name alone.
    - " ": the same, at most half as many parts as different cells, and cells of three different lengths or more:
      "red shirt", "blue shirt" and "blue dress" are two words throughout.
    """
    different = {cell for cell in cells if cell}
    for sign in sorted("|;", key=lambda sign: -sum(sign in cell for cell in different)):
        if any(sign in cell for cell in different):
            return sign
    for sign, share, lengths in ((",", 1.0, 1), (" ", 0.5, 3)):
        split = [_parts(cell, sign) for cell in different]
        counts = Counter(part for parts in split for part in set(parts))
        recurring = sum(count > 1 for count in counts.values())
        enough = 0.9 * len(counts) <= recurring and len(counts) <= share * len(different) - (share == 1)
        if any(len(parts) > 1 for parts in split) and enough and len({len(parts) for parts in split}) >= lengths:
            return sign
    return None


def composed(text: str) -> str:
    """`text` in Unicode's composed form: what a person takes for one name is one, however the disk spells it."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _parts(cell: str, separator: str) -> list[str]:
    return [part for part in map(str.strip, cell.split(separator)) if part]


def _tags(parts: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({composed(part.strip()) for part in parts} - {""}))


def _are_codes(written: Sequence[str]) -> bool:
    """Whether numbers are names of classes; see `reading_of`."""
    if any(_LEADING_ZERO.match(cell) for cell in set(written)):
        return True
    values = {float(cell) for cell in set(written)}
    if not all(value.is_integer() for value in values):
        return False
    gapless = min(values) in (0, 1) and max(values) - min(values) == len(values) - 1
    return gapless or len(values) <= max(_FEW_CODES, len(written) / _RECORDS_OF_A_CODE)

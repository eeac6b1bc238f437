"""Given splits from a column of a table: the words that name them, or yes and no."""

from __future__ import annotations

from collections.abc import Sequence

from finegraft.data.record import Split
from finegraft.data.tables import listed
from finegraft.errors import DataError
from finegraft.vision.layout import SPLITS

_YES = frozenset({"true", "1", "1.0", "yes"})
_NO = frozenset({"false", "0", "0.0", "no"})


def splits_of(cells: Sequence[str], column: str) -> list[Split | None]:
    """The split of each cell, None for an empty one.

    Cells are the words that name given splits as folders do (train, valid, test and their kin, in any case), or yes
    and no (True, 1, yes): yes means the part that the column's name speaks of, validation where it names none. Raises
    `DataError` naming cells that are neither.

    >>> splits_of(["Train", "val", ""], "part"), splits_of(["True", "False"], "is_valid")
    (['train', 'validation', None], ['validation', 'train'])
    """
    words: dict[str, Split] = SPLITS
    different = {cell.casefold() for cell in cells if cell}
    if different and different <= _YES | _NO:
        yes, no = _meaning_of_yes(column)
        words = {**dict.fromkeys(_YES, yes), **dict.fromkeys(_NO, no)}
    unknown = sorted({cell for cell in cells if cell and cell.casefold() not in words})
    if unknown:
        raise DataError(
            f"The column {column!r} names parts that are not known: {listed(unknown, 5)}.",
            f"Write {', '.join(SPLITS)}; or True and False for validation.",
        )
    return [words[cell.casefold()] if cell else None for cell in cells]


def _meaning_of_yes(column: str) -> tuple[Split, Split]:
    """(what yes means, what no means): `is_train` says the opposite of `is_valid`."""
    name = column.casefold()
    if "train" in name:
        return "train", "validation"
    return ("test", "train") if "test" in name else ("validation", "train")

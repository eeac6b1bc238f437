"""What there is to learn in a dataset, or why nothing can be learned from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from finegraft import targets
from finegraft.data.dataset import Dataset
from finegraft.data.record import Record
from finegraft.errors import DataError
from finegraft.targets import Category, Number, Tags, Target
from finegraft.training.tasks import check_numbers


def target_of(data: Dataset) -> Target:
    """What the labels of `data` ask to predict: its classes (those of the training part), its tags, or a number.

    Raises `DataError` where that cannot be learned or judged.
    """
    _ = data.judged_on  # raises where nothing was held out
    learned = data.part("train")
    if not learned:
        raise DataError("There is nothing to learn from: no record is in the training part.", "Add some.")
    target = targets.of([record.label for record in data.usable if record.label is not None])
    if isinstance(target, Category):
        return _classes(data, learned)
    if isinstance(target, Tags):
        _check_tags(target, learned)
    else:
        check_numbers(encode(target, learned), encode(target, data.usable))
    return target


def encode(target: Target, records: Sequence[Record]) -> np.ndarray:
    """The labels of `records` as `target` encodes them."""
    labels = [record.label for record in records]
    if isinstance(target, Category):
        return target.encode([str(label) for label in labels])
    if isinstance(target, Number):
        return target.encode(cast("list[float]", labels))
    return target.encode(cast("list[tuple[str, ...]]", labels))


def _classes(data: Dataset, learned: Sequence[Record]) -> Category:
    target = Category.of(str(record.label) for record in learned)
    if len(target) < 2:
        raise DataError(
            f"There must be two classes or more to learn from, got {list(target.labels)}.",
            "Put the photos of each class in a folder of its own.",
        )
    lost = sorted(set(data.classes) - set(target.labels))
    if lost:
        raise DataError(
            f"These classes have records to judge but none to learn from: {', '.join(lost)}.",
            "Add records of them to the training part, or take them out.",
        )
    return target


def _check_tags(target: Tags, learned: Sequence[Record]) -> None:
    """Raise `DataError` unless some tag tells records apart.

    A tag of the judged part alone is none of the model's fault, and is judged all the same: it is never answered.
    """
    if not len(target):
        raise DataError("No record has any tag.", "Name the columns that hold the tags with --target.")
    sets = {record.label for record in learned}
    if len(sets) == 1:
        (tags,) = cast("set[tuple[str, ...]]", sets)
        raise DataError(
            f"All records to learn from have the same tags ({', '.join(tags) or 'none'}): nothing tells them apart.",
            "Add records with other tags to the training part.",
        )

"""The pairs confused most, side by side: what was taken for something else, between what it is and what it seemed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from finegraft.evaluation.result import Evaluation
from finegraft.reporting import cells, wording
from finegraft.reporting.markup import Child, Html, join, name, tag
from finegraft.reporting.material import Material
from finegraft.reporting.page import Column, nothing, table, unfolding

_PAIRS, _OPEN = 6, 3  # pairs that are shown with photos; without asking
_EACH = 4  # photos in each of the three groups of a pair
_FOLDED = 12  # rows of the table that are shown without asking


def wanted(material: Material) -> Iterator[str]:
    """The keys of the photos to prepare, the pair confused most often first."""
    for pair, rows in _most(material.evaluation):
        for group in _groups(material.evaluation, pair, rows):
            yield from (material.evaluation.keys[row] for row in group)


def pairs(material: Material) -> list[Html]:
    """The pairs with their photos where the data is there, and all of them as a table."""
    evaluation = material.evaluation
    found = _most(evaluation)
    if not found:
        return []
    pictured = [_pair(material, pair, rows) for pair, rows in found if _has_photos(material, rows)]
    listed = _table(material)
    if not pictured:
        return [listed]
    rest = pictured[_OPEN:]
    folded = [unfolding(f"{wording.count(len(rest), 'more pair')} side by side", *rest)] if rest else []
    return [*pictured[:_OPEN], *folded, unfolding("All pairs confused at least twice, as a table", listed)]


def _most(evaluation: Evaluation) -> list[tuple[cells.Pair, list[int]]]:
    """The pairs to show: those confused at least twice; of a few mistakes that never agree, the gravest."""
    found = list(cells.mistakes(evaluation).items())
    often = [item for item in found if len(item[1]) > 1]
    gravest = sorted(found, key=lambda item: -evaluation.losses[item[1][0]])
    return (often or gravest[:3])[:_PAIRS]


def _groups(evaluation: Evaluation, pair: cells.Pair, rows: Sequence[int]) -> tuple[list[int], list[int], list[int]]:
    """Rows of three groups: the truth named rightly, the mistakes, and what they were taken for, named rightly.

    Of those named rightly the ones nearest to the other class: there the border runs.
    """
    actual, predicted = pair
    return _nearest(evaluation, actual, predicted), list(rows[:_EACH]), _nearest(evaluation, predicted, actual)


def _nearest(evaluation: Evaluation, of: int, to: int) -> list[int]:
    """The records of class `of` that were named rightly, the likeliest to be `to` first."""
    right = np.flatnonzero((evaluation.truth == of) & (evaluation.predicted == of))
    order = np.argsort(-evaluation.probabilities[right, to], kind="stable")
    return [int(row) for row in right[order][:_EACH]]


def _has_photos(material: Material, rows: Sequence[int]) -> bool:
    return any(material.album.holds(material.evaluation.keys[row]) for row in rows[:_EACH])


def _pair(material: Material, pair: cells.Pair, rows: Sequence[int]) -> Html:
    actual, predicted = (name(material.evaluation.labels[i]) for i in pair)
    before, wrong, after = _groups(material.evaluation, pair, rows)
    times = "once" if len(rows) == 1 else "twice" if len(rows) == 2 else f"{len(rows):,} times"
    groups = [
        _group(material, join([actual, ", named rightly"]), before, "right"),
        _group(material, join([actual, ", taken for ", predicted]), wrong, "wrong"),
        _group(material, join([predicted, ", named rightly"]), after, "right"),
    ]
    head = tag("h3", actual, " taken for ", predicted, f" {times}")
    return tag("div", head, tag("div", *groups, class_="trio"), class_="confused")


def _group(material: Material, words: Html, rows: Sequence[int], class_: str) -> Html:
    keys = [material.evaluation.keys[row] for row in rows]
    shown = [tag("li", material.album.photo(key, key, square=True)) for key in keys if material.album.holds(key)]
    photos = tag("ul", *shown, class_="contact") if shown else tag("p", "none", class_="note")
    return tag("div", photos, tag("p", words, class_=f"note {class_}"))


def _table(material: Material) -> Html:
    evaluation = material.evaluation
    found = evaluation.most_confused(min_val=2)
    if not found:
        return nothing("No two classes were confused more than once.")
    support = dict(zip(evaluation.labels, evaluation.confusion_matrix().sum(axis=1).tolist(), strict=True))
    rows: list[list[Child]] = [
        [name(actual), name(predicted), f"{times:,}", f"of {support[actual]:,}"] for actual, predicted, times in found
    ]
    columns = [Column("It is"), Column("It was taken for"), Column("Times", True), Column("Judged", True)]
    first = table("Confused at least twice", columns, rows[:_FOLDED])
    if len(rows) <= _FOLDED:
        return first
    more = table("Confused less often", columns, rows[_FOLDED:])
    return tag("div", first, unfolding(f"{len(rows) - _FOLDED:,} more pairs", more))

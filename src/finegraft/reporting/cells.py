"""The photos behind the numbers of the confusion matrix: a place for each number, shown when its link is followed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from finegraft.evaluation.result import Evaluation
from finegraft.reporting import wording
from finegraft.reporting.markup import Child, Html, join, name, tag
from finegraft.reporting.material import Material
from finegraft.reporting.photos import named

Pair = tuple[int, int]  # class numbers: the truth, the answer

_PHOTOS = 24  # of one number that are shown; more tell nothing new, and others have room
_NAMES = 40  # of one number that are named where there is no picture


def anchor(pair: Pair) -> str:
    """Where the photos of one number stand: the id of the place."""
    return f"cell-{pair[0]}-{pair[1]}"


def mistakes(evaluation: Evaluation) -> dict[Pair, list[int]]:
    """The records behind every number off the diagonal, the largest loss first; the largest number first."""
    order = np.argsort(-evaluation.losses, kind="stable")
    wrong = order[(evaluation.truth != evaluation.predicted)[order]]
    found: dict[Pair, list[int]] = {}
    for row in wrong.tolist():
        found.setdefault((int(evaluation.truth[row]), int(evaluation.predicted[row])), []).append(row)
    return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))


def wanted(material: Material) -> Iterator[str]:
    """The keys of the photos to prepare: first the worst of every number, so that none stays without, then the rest."""
    behind = list(mistakes(material.evaluation).values())
    yield from (material.evaluation.keys[rows[0]] for rows in behind)
    yield from (material.evaluation.keys[row] for rows in behind for row in rows[1:_PHOTOS])


def panels(material: Material, shown: Sequence[int]) -> Html:
    """The places of the numbers between the classes `shown`, all of them out of sight until a link leads there."""
    drawn = set(shown)
    behind = mistakes(material.evaluation)
    return tag("div", *(_panel(material, pair, rows) for pair, rows in behind.items() if drawn.issuperset(pair)))


def _panel(material: Material, pair: Pair, rows: Sequence[int]) -> Html:
    labels, keys = material.evaluation.labels, [material.evaluation.keys[row] for row in rows]
    pictured = [row for row in rows[:_PHOTOS] if material.album.holds(material.evaluation.keys[row])]
    told = [key for key in keys if key not in {material.evaluation.keys[row] for row in pictured}]
    head_id = f"{anchor(pair)}-heading"
    actual, predicted = (name(labels[i]) for i in pair)
    return tag(
        "div",
        tag("h3", actual, " taken for ", predicted, f": {material.counted(len(rows))}", id=head_id),
        tag("ul", *(_photo(material, row) for row in pictured), class_="photos small") if pictured else Html(""),
        _told(told, bool(pictured)),
        tag("p", tag("a", "Back to the matrix", href="#matrix"), class_="note"),
        id=anchor(pair),
        class_="panel",
        role="group",
        aria_labelledby=head_id,
        tabindex="-1",
    )


def _photo(material: Material, row: int) -> Html:
    evaluation = material.evaluation
    key, sure = evaluation.keys[row], float(evaluation.probabilities[row].max())
    return tag(
        "li",
        material.album.photo(key, f"{key}, said with {wording.percent(sure)}"),
        tag("span", f"said with {wording.percent(sure)}"),
        named(key, small=True),
    )


def _told(keys: Sequence[str], more: bool) -> Html:
    """The photos without a picture, in words."""
    if not keys:
        return Html("")
    names = join([name(key) for key in keys[:_NAMES]], ", ")
    parts: list[Child] = ["And: " if more else "", names]
    if len(keys) > _NAMES:
        parts.append(f", and {len(keys) - _NAMES:,} more, which evaluation.jsonl names")
    return tag("p", *parts, ".", class_="note")

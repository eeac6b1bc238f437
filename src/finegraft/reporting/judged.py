"""Where it errs: the sections that read the evaluation, one row per judged record."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from finegraft.evaluation import tables
from finegraft.evaluation.recalls import Recall, of_classes, weakest
from finegraft.reporting import cells, photos, wording
from finegraft.reporting.bars import share_bar
from finegraft.reporting.markup import Child, Html, name, tag
from finegraft.reporting.material import Material
from finegraft.reporting.matrix import classes_shown, confusion_matrix
from finegraft.reporting.page import (
    Column,
    Section,
    answer,
    figure,
    nothing,
    paragraph,
    section,
    table,
    term,
    unfolding,
)
from finegraft.reporting.pairs import pairs

_COMMONEST = 3  # confusions whose share of all mistakes is told
_WIDE = 20  # classes from which on the matrix takes the margin as well
_WORST = 12  # photos whose answers were furthest off


def mistakes(material: Material) -> Section:
    """The confusion matrix, the photos behind its numbers, and the pairs confused most, side by side."""
    evaluation = material.evaluation
    matrix = evaluation.confusion_matrix()
    drawn = figure(confusion_matrix(matrix, evaluation.labels, linked=True))
    wrong = int(matrix.sum() - np.trace(matrix))
    said = _said(wrong, cells.mistakes(evaluation), len(evaluation))
    if not wrong:
        return section("mistakes", "Where it errs", said, drawn)
    over = tag("a", "Pass over the matrix", href="#side-by-side", class_="pass")
    style = "matrix wide" if len(evaluation.labels) > _WIDE else "matrix"
    hint = f"A number off the diagonal is a link to its {material.noun}s, which then stand here."
    place = tag("div", drawn, tag("p", hint, class_="note"), id="matrix", tabindex="-1", class_=style)
    beside = tag("div", *pairs(material), id="side-by-side", tabindex="-1", class_="body")
    panels = cells.panels(material, classes_shown(matrix))
    return section("mistakes", "Where it errs", said, over, place, panels, beside)


def _said(wrong: int, behind: dict[cells.Pair, list[int]], judged: int) -> Html:
    if not wrong:
        return answer("Nowhere: every answer here is right. More judged records would show where it errs.")
    often = [rows for rows in behind.values() if len(rows) > 1]
    words = f"{wrong:,} of {judged:,} answers {'is' if wrong == 1 else 'are'} wrong"
    if not often:
        return answer(f"{words}.")
    first = often[:_COMMONEST]
    if sum(map(len, first)) == wrong:
        return answer(f"{words}.")
    share = wording.percent(sum(map(len, first)) / wrong)
    which = "the commonest confusion makes" if len(first) == 1 else f"the {len(first)} commonest confusions make"
    return answer(f"{words}; {which} up {share} of them.")


def classes(material: Material) -> Section:
    """Each class on its own, the worst first."""
    evaluation = material.evaluation
    matrix = evaluation.confusion_matrix()
    each = evaluation.per_class()
    recalls = {recall.label: recall for recall in of_classes(evaluation)}
    order = np.lexsort((each.f1, each.support == 0))
    rows: list[list[Child]] = [
        [
            name(evaluation.labels[i]),
            f"{each.support[i]:,}",
            *_recall(recalls.get(evaluation.labels[i])),
            wording.percent(each.precision[i]) if matrix[:, i].sum() else "–",
            wording.decimal(each.f1[i]) if each.support[i] + matrix[:, i].sum() else "–",
        ]
        for i in order.tolist()
    ]
    columns = [
        Column("Class"),
        Column("Judged", True),
        Column("Found", True),
        Column("Share"),
        Column(term("Interval"), True),
        Column("Right when named", True),
        Column("F1", True),
    ]
    words = paragraph(
        f"Found: how many {material.noun}s of the class it named so (recall). Right when named: how often the class "
        "is right where it is named (precision). F1 is the mean of both that punishes the lower one. Worst first."
    )
    summary = f"Each of the {wording.count(len(rows), 'class')}, the worst first"
    each_class = unfolding(summary, words, table("Each class", columns, rows))
    return section("classes", "Class by class", _extremes(material), each_class)


def _extremes(material: Material) -> Html:
    """The class that is found least, and the one that is right least often where it is named."""
    evaluation = material.evaluation
    each, named = evaluation.per_class(), evaluation.confusion_matrix().sum(axis=0)
    least = weakest(evaluation)
    words: list[Child] = [name(least.label), f" is found least: {least.found:,} of {least.judged:,}"]
    if least.found == least.judged:
        return answer("Every class was found whole: no record of any was missed.")
    trusted = np.where(named > 0, each.precision, np.inf)
    i = int(trusted.argmin())
    words += ["; of what it calls ", name(evaluation.labels[i]), f", {wording.percent(float(trusted[i]))} is."]
    return answer(*words)


def losses(material: Material) -> Section:
    """The answers that were furthest off, each with its picture where the data is still there."""
    words = paragraph("The answers furthest off come first. Look here for wrong labels: the model may be right.")
    if material.root is not None:
        return section("worst", "Furthest off", words, photos.answered(material, _worst(material)))
    parts = [words]
    if material.settings:
        where = tag("code", str(material.settings.get("data")))
        parts.append(
            nothing("No pictures: the data is no longer at ", where, ". Put it back and build the report anew.")
        )
    rows: list[list[Child]] = [
        [name(j.key), name(j.label), name(j.predicted), wording.percent(j.probability)]
        for j in material.evaluation.top_losses(_WORST)
    ]
    columns = [Column(material.noun.capitalize()), Column("It is"), Column("It was taken for"), Column("Sure", True)]
    return section("worst", "Furthest off", *parts, table("The largest losses", columns, rows))


def wanted(material: Material) -> Iterator[str]:
    """The keys of the photos to prepare for `losses`."""
    yield from (material.evaluation.keys[row] for row in _worst(material))


def _worst(material: Material) -> list[int]:
    return [int(row) for row in tables.top_losses(material.evaluation.losses, _WORST)]


def _recall(recall: Recall | None) -> list[Child]:
    if recall is None:
        return ["–", "", "none judged"]
    return [wording.percent(recall.value), share_bar(recall.value), wording.percent_range(recall.interval)]

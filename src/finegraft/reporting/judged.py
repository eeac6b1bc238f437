"""How good it is and where it errs: the sections that read the evaluation, one row per judged record."""

from __future__ import annotations

from typing import Any

import numpy as np

from finegraft.evaluation.metrics import Metric, wilson
from finegraft.evaluation.result import Judged
from finegraft.reporting import wording
from finegraft.reporting.bars import share_bar
from finegraft.reporting.leading import unbalanced
from finegraft.reporting.markup import Child, Html, join, name, tag
from finegraft.reporting.material import Material
from finegraft.reporting.matrix import confusion_matrix
from finegraft.reporting.page import (
    Column,
    Section,
    figure,
    nothing,
    paragraph,
    picture,
    section,
    table,
    term,
    unfolding,
)

THUMBNAIL = 224  # pixels: sharp at the 168 CSS pixels it is shown at, about 8 kB each
_FOLDED = 40  # rows of a table that are shown without asking

# name -> (what it is called, whether it is a share of answers, what it means)
_METRICS: dict[str, tuple[str, bool, str]] = {
    "accuracy": ("Right", True, "Share of right answers."),
    "error_rate": ("Wrong", True, "Share of wrong answers."),
    "top_5_accuracy": ("Right within five", True, "The right class is among its first five answers."),
    "macro_f1": ("Macro F1", False, "From 0 to 1, every class counting the same, however rare."),
    "macro_recall": ("Macro recall", True, "Share found of each class, averaged over the classes."),
    "ece": ("Calibration error", True, "How far the stated probabilities are from how often they are right (ECE)."),
}


def merits(material: Material) -> Section:
    """The figures of merit, each with its interval and its meaning."""
    found = _metrics(material)
    if unbalanced(material.evaluation):
        found = {**{key: found[key] for key in ("macro_recall", "macro_f1") if key in found}, **found}
    rows: list[list[Child]] = [_merit(key, metric) for key, metric in found.items()]
    columns = [Column("Measure"), Column("Value", True), Column(term("Interval"), True)]
    return section("merits", "How good", table("Figures of merit", columns, rows), *_unsure(material))


def mistakes(material: Material) -> Section:
    """The confusion matrix and the pairs confused most."""
    evaluation = material.evaluation
    drawn = confusion_matrix(evaluation.confusion_matrix(), evaluation.labels)
    return section("mistakes", "Where it errs", figure(drawn), _pairs(material))


def classes(material: Material) -> Section:
    """Each class on its own, the worst first."""
    evaluation = material.evaluation
    matrix = evaluation.confusion_matrix()
    each = evaluation.per_class()
    order = np.lexsort((each.f1, each.support == 0))
    rows: list[list[Child]] = [
        [
            name(evaluation.labels[i]),
            f"{each.support[i]:,}",
            *_recall(int(matrix[i, i]), int(each.support[i])),
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
    first = table("Each class", columns, rows[:_FOLDED])
    more = [unfolding(f"{len(rows) - _FOLDED:,} more classes", table("More classes", columns, rows[_FOLDED:]))]
    return section("classes", "Class by class", words, first, *(more if len(rows) > _FOLDED else []))


def losses(material: Material) -> Section:
    """The answers that were furthest off, each with its picture where the data is still there."""
    worst = material.evaluation.top_losses(k=12)
    words = paragraph("The answers furthest off come first. Look here for wrong labels: the model may be right.")
    if material.root is not None:
        photos = tag("ul", *(_photo(material, judged) for judged in worst), class_="photos")
        return section("worst", "Furthest off", words, photos)
    parts = [words]
    if material.settings:
        where = tag("code", str(material.settings.get("data")))
        parts.append(
            nothing("No pictures: the data is no longer at ", where, ". Put it back and build the report anew.")
        )
    rows: list[list[Child]] = [
        [name(j.key), name(j.label), name(j.predicted), wording.percent(j.probability)] for j in worst
    ]
    columns = [Column(material.noun.capitalize()), Column("It is"), Column("It was taken for"), Column("Sure", True)]
    return section("worst", "Furthest off", *parts, table("The largest losses", columns, rows))


def _metrics(material: Material) -> dict[str, Metric]:
    stored = material.part("metrics")
    if not stored:
        return material.evaluation.metrics()
    return {key: _stored(value) for key, value in stored.items()}


def _stored(value: Any) -> Metric:
    interval = value.get("interval")
    return Metric(float(value["value"]), None if interval is None else (float(interval[0]), float(interval[1])))


def _merit(key: str, metric: Metric) -> list[Child]:
    called, is_share, meaning = _METRICS.get(key, (key.replace("_", " ").capitalize(), False, ""))
    head = join([called, tag("span", meaning, class_="note")])
    if is_share:
        between = "–" if metric.interval is None else wording.percent_range(metric.interval)
        return [head, wording.percent(metric.value), between]
    between = "–" if metric.interval is None else "–".join(wording.decimal(end) for end in metric.interval)
    return [head, wording.decimal(metric.value), between]


def _unsure(material: Material) -> list[Html]:
    """What the threshold for "unsure" does to the judged records."""
    threshold = material.settings.get("unsure_below")
    if not isinstance(threshold, int | float) or threshold <= 0:
        return []
    evaluation = material.evaluation
    kept = evaluation.probabilities.max(axis=1) >= threshold
    unsure, sure = int((~kept).sum()), int(kept.sum())
    right = int((evaluation.truth == evaluation.predicted)[kept].sum())
    rest = f" Of the other {sure:,}, {wording.percent(right / sure)} are right." if sure else ""
    return [
        paragraph(
            f"It calls an answer unsure where its probability is below {wording.percent(float(threshold))}: here "
            f"{unsure:,} of {len(kept):,}.{rest}"
        )
    ]


def _pairs(material: Material) -> Html:
    evaluation = material.evaluation
    pairs = evaluation.most_confused(min_val=2)
    if not pairs:
        return nothing("No two classes were confused more than once.")
    support = dict(zip(evaluation.labels, evaluation.confusion_matrix().sum(axis=1).tolist(), strict=True))
    rows: list[list[Child]] = [
        [name(actual), name(predicted), f"{times:,}", f"of {support[actual]:,}"] for actual, predicted, times in pairs
    ]
    columns = [Column("It is"), Column("It was taken for"), Column("Times", True), Column("Judged", True)]
    first = table("Confused at least twice", columns, rows[:12])
    if len(rows) <= 12:
        return first
    more = table("Confused less often", columns, rows[12:])
    return tag("div", first, unfolding(f"{len(rows) - 12:,} more pairs", more))


def _recall(found: int, support: int) -> list[Child]:
    if support == 0:
        return ["–", "", "none judged"]
    return [wording.percent(found / support), share_bar(found / support), wording.percent_range(wilson(found, support))]


def _photo(material: Material, judged: Judged) -> Html:
    content = material.thumbnail(judged.key, THUMBNAIL)
    shown = picture(content, f"{judged.key}") if content else None
    right = judged.label == judged.predicted
    said = tag(
        "span", "said, rightly, " if right else "said ", name(judged.predicted), class_="right" if right else "wrong"
    )
    return tag(
        "li",
        shown or tag("span", "no picture", class_="missing"),
        tag("span", "is ", tag("strong", name(judged.label))),
        tag("span", said, f", {wording.percent(judged.probability)}"),
        tag("span", name(judged.key), class_="note"),
    )

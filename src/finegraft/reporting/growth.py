"""Would more photos help: the learning curve, accuracy with few photos of each class, the classes that need more."""

from __future__ import annotations

from finegraft.evaluation.growth import LearningCurve
from finegraft.reporting import wording
from finegraft.reporting.growth_curve import growth_curve, said
from finegraft.reporting.markup import Child, Html, join, name
from finegraft.reporting.material import Material
from finegraft.reporting.page import Column, Section, figure, nothing, paragraph, section, table, term, unfolding

_SHOWN = 10  # classes that are shown without asking


def growth(material: Material) -> Section:
    """Whether more photos would help, from `learning_curve` of run.json."""
    return section("growth", f"Would more {material.noun}s help?", *_body(material))


def _body(material: Material) -> list[Html]:
    stored = material.part("learning_curve")
    if not stored:
        return [nothing("No learning curve was measured in this run; train again to see one.")]
    try:
        curve = LearningCurve.from_json(dict(stored))
    except (KeyError, TypeError, ValueError):
        return [nothing("The learning curve in run.json cannot be read; train again to see one.")]
    return [*_curve(material, curve), *_few(material, curve), *_classes(material, curve)]


def _curve(material: Material, curve: LearningCurve) -> list[Html]:
    drawn = growth_curve(curve, material.counted)
    now, four = curve.at(curve.photos), curve.at(4 * curve.photos)
    if drawn is None or now is None or four is None:
        return [nothing(curve.reason or "No learning curve could be measured.")]
    words = (
        f"Measured within the training part of {material.counted(curve.photos)}, where a model like this one has "
        f"{said(now)} right; four times as many would bring about {said(four)}."
    )
    return [figure(drawn), paragraph(words)]


def _few(material: Material, curve: LearningCurve) -> list[Html]:
    if not curve.few:
        return []
    rows: list[list[Child]] = [
        [
            f"{row.each:,}",
            f"{row.point.photos:,}",
            wording.percent(row.point.accuracy),
            wording.percent_range(row.point.interval),
        ]
        for row in curve.few
    ]
    columns = [
        Column("Of each class", True),
        Column("In all", True),
        Column("Right", True),
        Column(term("Interval"), True),
    ]
    short = [
        paragraph(
            f"{wording.count(row.short, 'class')} {'has' if row.short == 1 else 'have'} fewer than {row.each:,} to "
            "learn from and gave what there is."
        )
        for row in curve.few
        if row.short
    ]
    return [table(f"With few {material.noun}s of each class", columns, rows), *short[-1:]]


def _classes(material: Material, curve: LearningCurve) -> list[Html]:
    if not curve.classes:
        return []
    columns = [
        Column("Class"),
        Column(f"{material.noun.capitalize()}s", True),
        Column("Found", True),
        Column("By a doubling", True),
    ]
    rows: list[list[Child]] = [
        [name(row.label), f"{row.photos:,}", wording.percent(row.recall), points(row.gain)] for row in curve.classes
    ]
    shown = table(f"What each doubling of the {material.noun}s has added to the share found", columns, rows[:_SHOWN])
    rest = rows[_SHOWN:]
    more = [unfolding(f"{wording.count(len(rest), 'more class')}", table("More classes", columns, rest))]
    return [_which(material, curve), shown, *(more if rest else [])]


def _which(material: Material, curve: LearningCurve) -> Html:
    """Which classes need more most, and why; or that none stands out."""
    found = [row for row in curve.classes if row.stands_out]
    usual = sum(row.gain * row.photos for row in curve.classes) / sum(row.photos for row in curve.classes)
    if not found:
        return paragraph(
            f"No class stands out: add {material.noun}s of all of them. Each doubling has added about "
            f"{points(usual)} to the share found."
        )
    names = [name(row.label) for row in found]
    named = join([join(names[:-1], ", "), " and ", names[-1]]) if len(names) > 1 else names[0]
    least, most = (f"{100 * end(row.gain for row in found):.1f}" for end in (min, max))
    added = least if least == most else f"{least} to {most}"
    return paragraph(
        f"More {material.noun}s of ",
        named,
        f" would help most: each doubling has added {added} points to what is found of "
        f"{'it' if len(found) == 1 else 'them'}, and {points(usual)} to the average class.",
    )


def points(share: float) -> str:
    """A difference of shares: 0.0512 -> "5.1 points"."""
    return f"{100 * share:.1f}\u00a0points"

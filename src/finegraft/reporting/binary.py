"""Two classes: how well the rarer one is told from the other, and from which probability on to call it so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from finegraft.evaluation import binary as ranking
from finegraft.evaluation.binary import Choice, Choices, Curve, Line
from finegraft.evaluation.metrics import Metric
from finegraft.reporting import axes, wording
from finegraft.reporting.axes import BARK, LEAF, SOFT, Axis, Figure
from finegraft.reporting.markup import Child, Html, isolated, join, name, tag
from finegraft.reporting.material import Material
from finegraft.reporting.page import Column, Section, answer, figure, paragraph, section, table

_WIDTH, _HEIGHT = 560, 470
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 24, 40, 56
_FINEST = 0.7  # pixels between two points of a curve: closer ones are not seen apart
_LEADING = ("recall", 0.95)  # the choice that is marked on the curves


def binary(material: Material) -> Section | None:
    """ROC and precision-recall, and what thresholds give; None unless there are two classes and both were judged.

    Thresholds come from the run (`thresholds` in run.json, chosen out of fold); without them they are chosen on the
    judged records, which flatters a little, and the page says so.
    """
    evaluation = material.evaluation
    if len(evaluation.target) != 2 or len(np.unique(evaluation.truth)) < 2:
        return None
    stored = material.part("thresholds")
    usable = stored.get("positive") in evaluation.labels and stored.get("lines")  # none from very few records
    chosen = Choices.from_json(stored) if usable else None
    found = chosen or ranking.choices(evaluation.labels, evaluation.truth, evaluation.probabilities)
    positive = evaluation.labels.index(found.positive)
    scores, truth = evaluation.probabilities[:, positive], evaluation.truth == positive
    lines = [
        (choice, None if choice.threshold is None else ranking.at(scores, truth, choice.threshold, evaluation.clusters))
        for choice in found.lines
    ]
    curve = ranking.curve(scores, truth)
    marked = next((line for choice, line in lines if (choice.wanted, choice.share) == _LEADING), None)
    areas = ranking.of_two(evaluation.probabilities, evaluation.truth, positive, evaluation.clusters)
    drawn = [
        figure(roc(curve, areas["auroc"], found.positive, marked)),
        figure(precision_recall(curve, areas["average_precision"], found.positive, float(truth.mean()), marked)),
    ]
    basis = _basis(material, found.positive, int(truth.sum()), out_of_fold=chosen is not None)
    parts = [_said(found.positive, marked), tag("div", *drawn, class_="beside"), _table(found.positive, lines), basis]
    return section("ranking", "Where to draw the line", *parts)


def roc(curve: Curve, area: Metric, positive: str, marked: Line | None = None) -> Figure:
    """The share found against the share of false alarms, `marked` being the threshold with a dot."""
    x, y = _axes()
    points = [
        (x.at(false), y.at(found)) for false, found in zip(curve.false.tolist(), curve.found.tolist(), strict=True)
    ]
    title = f"It ranks {isolated(positive)} first in {wording.percent(area.value)} of pairs"
    parts = [
        *_frame(x, y, f"share of {isolated(positive)} found, %", "false alarms among the others, %"),
        axes.line(x.start, y.start, x.end, y.end, SOFT),
        axes.text(x.at(0.62), y.at(0.5), "guessing", SOFT),
        axes.polyline(thinned(points), LEAF),
        *([] if marked is None else _mark(x, y, _false(curve, marked), marked.recall.value, marked)),
    ]
    between = "" if area.interval is None else f" ({wording.percent_range(area.interval)})"
    note = f"ROC. The area under the curve, {wording.percent(area.value)}{between}, is that share; guessing gives half."
    described = f"{title}. {_at(marked)}"
    return Figure(title, note, axes.drawing(_WIDTH, _HEIGHT, title, described, parts))


def precision_recall(curve: Curve, area: Metric, positive: str, share: float, marked: Line | None = None) -> Figure:
    """The share of right alarms against the share found; `share` of all are positive, which is what guessing gives."""
    x, y = _axes()
    pairs = zip(curve.found[1:].tolist(), curve.precision[1:].tolist(), strict=True)
    half = float(np.max(curve.found[1:][curve.precision[1:] >= 0.9], initial=0.0))
    title = f"With 9 of 10 alarms right it finds {wording.percent(half)}" if half else "Never are 9 of 10 alarms right"
    parts = [
        *_frame(x, y, "alarms that are right, %", f"share of {isolated(positive)} found, %"),
        axes.line(x.start, y.at(share), x.end, y.at(share), SOFT),
        axes.text(x.start + 8, y.at(share) + (-8 if share < 0.9 else 20), "guessing", SOFT),
        axes.polyline(thinned([(x.at(found), y.at(right)) for found, right in pairs]), LEAF),
        *([] if marked is None else _mark(x, y, marked.recall.value, marked.precision.value, marked)),
    ]
    between = "" if area.interval is None else f" ({wording.percent_range(area.interval)})"
    note = f"Precision against recall. Average precision {wording.percent(area.value)}{between}."
    described = f"{title}. {_at(marked)}"
    return Figure(title, note, axes.drawing(_WIDTH, _HEIGHT, title, described, parts))


def thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points of a curve without those that lie on the one before to the eye; the last stays."""
    kept = list(points[:1])
    for point in points[1:-1]:
        if max(abs(point[0] - kept[-1][0]), abs(point[1] - kept[-1][1])) >= _FINEST:
            kept.append(point)
    return [*kept, *points[-1:]] if len(points) > 1 else kept


def odds(line: Line) -> str:
    """How many of its alarms are false, in words: "1 in 4 alarms is false"."""
    false = line.alarms - line.right
    if line.alarms == 0:
        return "there is no alarm"
    if false == 0:
        return "no alarm is false"
    if 2 * false > line.alarms:
        tenths = round(10 * false / line.alarms)
        return "nearly every alarm is false" if tenths == 10 else f"{tenths} in 10 alarms are false"
    return f"1 in {round(line.alarms / false)} alarms is false"


def _said(positive: str, marked: Line | None) -> Html:
    if marked is None:
        return answer("No probability parts ", name(positive), " from the others as well as commonly wanted.")
    return answer(
        "To find 95\u00a0% of ",
        name(positive),
        f", call it so from a probability of {wording.decimal(marked.threshold)} on: here that finds "
        f"{_with_range(marked.recall)}, and {odds(marked)}.",
    )


def _table(positive: str, lines: Sequence[tuple[Choice, Line | None]]) -> Html:
    columns = [
        Column("Wanted"),
        Column("Probability from", True),
        Column("Found", True),
        Column("Alarms that are right", True),
    ]
    rows: list[list[Child]] = [_row(choice, line) for choice, line in lines]
    return table(f"What a threshold for {isolated(positive)} gives", columns, rows)


def _row(choice: Choice, line: Line | None) -> list[Child]:
    share = f"{100 * choice.share:g}\u00a0%"
    wanted = f"find {share} of them" if choice.wanted == "recall" else f"{share} of alarms right"
    head = join([wanted, tag("span", "no threshold gives that" if line is None else odds(line), class_="note")])
    if line is None:
        return [head, "–", "–", "–"]
    return [head, wording.decimal(line.threshold), _over_range(line.recall), _over_range(line.precision)]


def _basis(material: Material, positive: str, judged: int, out_of_fold: bool) -> Html:
    said: list[Child] = [name(positive), f" is {judged:,} of the {material.counted(len(material.evaluation))} judged. "]
    if out_of_fold:
        said.append(
            f"The thresholds were chosen on the training part, {material.unseen}; what they give was measured on the "
            "judged."
        )
    else:
        said.append(
            f"The thresholds were chosen on these same {material.noun}s, so what they give flatters a little: measure "
            "on new ones before you rely on it."
        )
    return paragraph(*said)


def _axes() -> tuple[Axis, Axis]:
    return Axis(0, 1, _LEFT, _WIDTH - _RIGHT), Axis(0, 1, _HEIGHT - _BOTTOM, _TOP)


def _frame(x: Axis, y: Axis, up: str, across: str) -> list[Html]:
    marks = axes.ticks(0, 1, 5)
    return [
        axes.vertical(y, x, marks, _in_percent, up),
        axes.horizontal(x, _HEIGHT - _BOTTOM, [(t, _in_percent(t)) for t in marks], across),
    ]


def _mark(x: Axis, y: Axis, across: float, up: float, line: Line) -> list[Html]:
    here, height = x.at(across), y.at(up)
    left = across > 0.6
    words = f"from {wording.decimal(line.threshold)} on"
    below = height + 24 if up > 0.12 else height - 14
    label = axes.text(here - 10 if left else here + 10, below, words, BARK, "end" if left else None)
    return [axes.dot(here, height, BARK, 7), label]


def _false(curve: Curve, line: Line) -> float:
    """The share of false alarms at the threshold of `line`."""
    return float(curve.false[np.nonzero(curve.thresholds >= line.threshold)[0][-1]])


def _at(marked: Line | None) -> str:
    if marked is None:
        return ""
    found = wording.percent(marked.recall.value)
    return f"From {wording.decimal(marked.threshold)} on, {found} are found and {odds(marked)}."


def _with_range(metric: Metric) -> str:
    between = "" if metric.interval is None else f" ({wording.percent_range(metric.interval)})"
    return f"{wording.percent(metric.value)}{between}"


def _over_range(metric: Metric) -> Html:
    between = "–" if metric.interval is None else wording.percent_range(metric.interval)
    return join([wording.percent(metric.value), tag("span", between, class_="note")])


def _in_percent(share: float) -> str:
    return f"{100 * share:g}"

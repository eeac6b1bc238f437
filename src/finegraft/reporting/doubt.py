"""What calling an answer unsure is worth: how many are set aside, for which reason, and how many errors are left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from finegraft.evaluation.intervals import wilson
from finegraft.evaluation.result import Evaluation
from finegraft.reporting import axes, photos, wording
from finegraft.reporting.axes import BARK, BOTTOM, HEIGHT, LEAF, LEFT, RIGHT, SOFT, TOP, WIDTH, Axis, Figure
from finegraft.reporting.markup import Child, Html, tag
from finegraft.reporting.material import Material
from finegraft.reporting.page import Column, Section, answer, figure, nothing, paragraph, section, table, term

_FEWEST = 10  # answers; the error among fewer leaps about and would set the height of the whole picture
_DOTS = 240  # of a curve at most: finer than a pixel tells nothing
_PHOTOS = 6  # of each reason


@dataclass(frozen=True, slots=True, eq=False)
class Doubt:
    """Which judged answers are called unsure, as bool (n,) each: for being `close` calls, for being `unlike` what was
    learned from. No answer is in both: what is unlike is said to be so, however sure the answer.
    """

    close: np.ndarray
    unlike: np.ndarray

    @property
    def sure(self) -> np.ndarray:
        """The other answers, bool (n,)."""
        return np.asarray(~(self.close | self.unlike))


def doubt(evaluation: Evaluation, threshold: float) -> Doubt:
    """The answers whose top probability is below `threshold`, and those whose novelty is above 1."""
    confidence = evaluation.probabilities.max(axis=1)
    unlike = np.zeros(len(evaluation), dtype=bool) if evaluation.novelty is None else evaluation.novelty > 1
    return Doubt((confidence < threshold) & ~unlike, np.asarray(unlike))


def unsure(material: Material) -> Section:
    """The curve of error against the share answered, the chosen threshold on it, the reasons counted, and photos."""
    evaluation, threshold = material.evaluation, _threshold(material)
    drawn = figure(curve(material))
    if threshold is None:
        words = nothing("No threshold for “unsure” was chosen: the evaluation alone holds none.")
        return section("unsure", "Unsure", words, drawn)
    found = doubt(evaluation, threshold)
    parts = [_said(material, found), drawn, _chosen(material, threshold), _reasons(material, found)]
    return section("unsure", "Unsure", *parts, *_pictures(material, found))


def wanted(material: Material) -> Iterator[str]:
    """The keys of the photos to prepare."""
    threshold = _threshold(material)
    if threshold is not None:
        for rows in _examples(material.evaluation, doubt(material.evaluation, threshold)).values():
            yield from (material.evaluation.keys[row] for row in rows)


def risk_coverage(evaluation: Evaluation) -> tuple[np.ndarray, np.ndarray]:
    """The share answered, rising, and the share wrong among these, float64 (n,) each: the surest answers come first.

    The curve of El-Yaniv and Wiener, 2010, "On the Foundations of Noise-free Selective Classification".
    """
    order = np.argsort(-evaluation.probabilities.max(axis=1), kind="stable")
    kept = np.arange(1, len(evaluation) + 1)
    wrong = np.cumsum((evaluation.truth != evaluation.predicted)[order])
    return kept / len(evaluation), wrong / kept


def curve(material: Material) -> Figure:
    """The curve of the judged records, and where the run has it that of the answers out of fold."""
    coverage, error = risk_coverage(material.evaluation)
    first = min(_FEWEST, len(coverage)) - 1
    lines = [("judged", _thinned(coverage[first:], error[first:]), LEAF)]
    stored = (material.part("calibration").get("out_of_fold") or {}).get("risk_coverage")
    if stored and stored.get("coverage"):
        lines.append(("out of fold", _thinned(np.asarray(stored["coverage"]), np.asarray(stored["error"])), BARK))
    aim, threshold = _wanted_error(material), _threshold(material)
    top = max(0.02, 1.4 * aim, *(1.15 * v for _, points, _ in lines for at, v in points if at > 0.1))
    x, y = Axis(0, 1, LEFT, WIDTH - RIGHT), Axis(0, min(1.0, top), HEIGHT - BOTTOM, TOP)
    marks = [(t, _percent(t)) for t in axes.ticks(0, 1, 4)]
    parts = [
        axes.vertical(y, x, axes.ticks(0, y.high, 4), _percent, "wrong among the answered, %"),
        axes.horizontal(x, HEIGHT - BOTTOM, marks, "answered, %, the surest first"),
    ]
    parts += _aim(x, y, aim) if threshold is not None else []
    parts += _lines(lines, x, y)
    parts += _point(material, threshold, x, y)
    title = _title(material, threshold)
    described = f"Share wrong against share answered: {wording.percent(float(error[-1]))} wrong when all are answered."
    return Figure(title, "", axes.drawing(WIDTH, HEIGHT, title, described, parts))


def _lines(lines: Sequence[tuple[str, list[tuple[float, float]], str]], x: Axis, y: Axis) -> list[Html]:
    parts: list[Html] = []
    heights = axes.apart([y.at(points[-1][1]) for _, points, _ in lines], least=22)
    for (called, points, colour), height in zip(lines, heights, strict=True):
        parts.append(axes.polyline([(x.at(a), max(TOP, y.at(b))) for a, b in points], colour))
        parts.append(axes.text(x.end + 14, height + 5, called, colour))
    return parts


def _aim(x: Axis, y: Axis, aim: float) -> list[Html]:
    if not aim < y.high:
        return []
    level = y.at(aim)
    dashed = tag("line", x1=x.start, y1=level, x2=x.end, y2=level, stroke=SOFT, stroke_dasharray="2 5")
    return [dashed, axes.text(x.start + 8, level - 7, f"wanted: at most {_percent(aim)} %", SOFT)]


def _point(material: Material, threshold: float | None, x: Axis, y: Axis) -> list[Html]:
    if threshold is None:
        return []
    kept, wrong = _kept(material.evaluation, threshold)
    if not kept:
        return []
    share = kept / len(material.evaluation)
    return [
        axes.line(x.at(share), TOP, x.at(share), HEIGHT - BOTTOM, LEAF, 1.5),
        axes.dot(x.at(share), y.at(wrong / kept), LEAF, 7),
        axes.text(x.at(share) - 8, TOP + 16, f"chosen: answers {_percent(share)} %", LEAF, "end"),
    ]


def _kept(evaluation: Evaluation, threshold: float) -> tuple[int, int]:
    """How many answers reach the threshold, and how many of these are wrong."""
    kept = evaluation.probabilities.max(axis=1) >= threshold
    return int(kept.sum()), int((evaluation.truth != evaluation.predicted)[kept].sum())


def _title(material: Material, threshold: float | None) -> str:
    evaluation = material.evaluation
    everything = wording.percent(evaluation.error_rate.value)
    if threshold is None:
        coverage, error = risk_coverage(evaluation)
        half = float(error[np.searchsorted(coverage, 0.5)])
        return f"Of the surest half {wording.percent(half)} are wrong, of all {everything}"
    kept, wrong = _kept(evaluation, threshold)
    if kept == len(evaluation):
        return f"Nothing is set aside: {everything} are wrong"
    if not kept:
        return "No answer is sure enough: all are set aside"
    aside = wording.percent(1 - kept / len(evaluation))
    return f"With the least sure {aside} set aside, {wording.percent(wrong / kept)} are wrong instead of {everything}"


def _said(material: Material, found: Doubt) -> Html:
    evaluation = material.evaluation
    sure = int(found.sure.sum())
    aside = len(evaluation) - sure
    if not aside:
        return answer("It is sure of every answer here.")
    right = int((evaluation.truth == evaluation.predicted)[found.sure].sum())
    words = f"It calls {aside:,} of {len(evaluation):,} answers unsure"
    if not sure:
        return answer(f"{words}: none is left.")
    share = f"{wording.percent(right / sure)} ({wording.percent_range(wilson(right, sure))})"
    return answer(f"{words}; of the other {sure:,}, {share} are right.")


def _chosen(material: Material, threshold: float) -> Html:
    aim = _wanted_error(material)
    words: list[Child] = ["Answers whose probability is below ", term("unsure below", wording.percent(threshold))]
    words.append(" are close calls. That threshold was chosen on answers to the training part, given out of fold, so ")
    words.append(f"that at most {_percent(aim)} % of what is left would be wrong.")
    return paragraph(*words)


def _reasons(material: Material, found: Doubt) -> Html:
    evaluation = material.evaluation
    wrong = evaluation.truth != evaluation.predicted
    groups = [("Sure", "Answered without reserve.", found.sure)]
    groups.append(("Close call", "Two classes are nearly as likely.", found.close))
    if evaluation.novelty is not None:
        groups.append(("Unlike training", "It resembles nothing that was learned from.", found.unlike))
    rows: list[list[Child]] = []
    for called, meaning, these in groups:
        number, errors = int(these.sum()), int(wrong[these].sum())
        share = wording.percent(errors / number) if number else "–"
        rows.append(
            [
                _with_note(called, meaning),
                _with_note(f"{number:,}", wording.percent(number / len(evaluation))),
                _with_note(f"{errors:,}", share),
            ]
        )
    columns = [Column("Answer"), Column("How many", True), Column("Wrong of these", True)]
    return table("Sure and unsure, by reason", columns, rows)


def _with_note(said: str, note: str) -> Html:
    return tag("span", said, tag("span", note, class_="note"))


def _examples(evaluation: Evaluation, found: Doubt) -> dict[str, list[int]]:
    """Rows to show of each reason: the closest calls, and what is least like the training data."""
    confidence = evaluation.probabilities.max(axis=1)
    close = np.flatnonzero(found.close)
    unlike = np.flatnonzero(found.unlike)
    shown = {"Close calls": close[np.argsort(confidence[close], kind="stable")][:_PHOTOS].tolist()}
    if evaluation.novelty is not None:
        order = np.argsort(-evaluation.novelty[unlike], kind="stable")
        shown["Unlike training"] = unlike[order][:_PHOTOS].tolist()
    return shown


def _pictures(material: Material, found: Doubt) -> list[Html]:
    parts: list[Html] = []
    for called, rows in _examples(material.evaluation, found).items():
        shown = [row for row in rows if material.album.holds(material.evaluation.keys[row])]
        if shown:
            parts.append(tag("div", tag("h3", called), photos.answered(material, shown, small=True), class_="group"))
    return parts


def _threshold(material: Material) -> float | None:
    found = material.settings.get("unsure_below")
    return float(found) if isinstance(found, int | float) else None


def _wanted_error(material: Material) -> float:
    found = material.part("unsure").get("wanted_error", 0.05)
    return float(found) if isinstance(found, int | float) else 0.05


def _thinned(x: np.ndarray, y: np.ndarray) -> list[tuple[float, float]]:
    at = np.unique(np.linspace(0, len(x) - 1, min(len(x), _DOTS)).round().astype(int))
    return [(float(a), float(b)) for a, b in zip(x[at], y[at], strict=True)]


def _percent(share: float) -> str:
    return f"{100 * share:.3g}"

"""Error against the share answered, the surest first: the curve on which the threshold for "unsure" was chosen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from finegraft.evaluation.calibration import risk_coverage
from finegraft.evaluation.result import Evaluation
from finegraft.reporting import axes, wording
from finegraft.reporting.axes import BARK, BOTTOM, HEIGHT, LEAF, LEFT, RIGHT, SOFT, TOP, WIDTH, Axis, Figure
from finegraft.reporting.markup import Html, tag
from finegraft.reporting.material import Material

_FEWEST = 10  # answers; the error among fewer leaps about and would set the height of the whole picture
_DOTS = 240  # of a curve at most: finer than a pixel tells nothing


def threshold_of(material: Material) -> float | None:
    """The probability below which an answer is called a close call; None where none was chosen."""
    found = material.settings.get("unsure_below")
    return float(found) if isinstance(found, int | float) else None


def wanted_error(material: Material) -> float:
    """The share wrong among the answered that the threshold was chosen for."""
    found = material.part("unsure").get("wanted_error", 0.05)
    return float(found) if isinstance(found, int | float) else 0.05


def curve(material: Material) -> Figure:
    """The curve of the judged records, and where the run has it that of the answers out of fold."""
    coverage, error = risk_coverage(material.evaluation.probabilities, material.evaluation.truth)
    first = min(_FEWEST, len(coverage)) - 1
    lines = [("judged", _thinned(coverage[first:], error[first:]), LEAF)]
    stored = (material.part("calibration").get("out_of_fold") or {}).get("risk_coverage")
    if stored and stored.get("coverage"):
        lines.append((material.unseen, _thinned(np.asarray(stored["coverage"]), np.asarray(stored["error"])), BARK))
    aim, threshold = wanted_error(material), threshold_of(material)
    top = max(0.02, 1.4 * aim, *(1.15 * v for _, points, _ in lines for at, v in points if at > 0.1))
    x, y = Axis(0, 1, LEFT, WIDTH - RIGHT), Axis(0, min(1.0, top), HEIGHT - BOTTOM, TOP)
    marks = [(t, short_percent(t)) for t in axes.ticks(0, 1, 4)]
    parts = [
        axes.vertical(y, x, axes.ticks(0, y.high, 4), short_percent, "wrong among the answered, %"),
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
    return [dashed, axes.text(x.start + 8, level - 7, f"wanted: at most {short_percent(aim)} %", SOFT)]


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
        axes.text(x.at(share) - 8, TOP + 16, f"chosen: answers {short_percent(share)} %", LEAF, "end"),
    ]


def _kept(evaluation: Evaluation, threshold: float) -> tuple[int, int]:
    """How many answers reach the threshold, and how many of these are wrong."""
    kept = evaluation.probabilities.max(axis=1) >= threshold
    return int(kept.sum()), int((evaluation.truth != evaluation.predicted)[kept].sum())


def _title(material: Material, threshold: float | None) -> str:
    evaluation = material.evaluation
    everything = wording.percent(evaluation.error_rate.value)
    if threshold is None:
        coverage, error = risk_coverage(evaluation.probabilities, evaluation.truth)
        half = float(error[np.searchsorted(coverage, 0.5)])
        return f"Of the surest half {wording.percent(half)} are wrong, of all {everything}"
    kept, wrong = _kept(evaluation, threshold)
    if kept == len(evaluation):
        return f"Nothing is set aside: {everything} are wrong"
    if not kept:
        return "No answer is sure enough: all are set aside"
    aside = wording.percent(1 - kept / len(evaluation))
    return f"With the least sure {aside} set aside, {wording.percent(wrong / kept)} are wrong instead of {everything}"


def _thinned(x: np.ndarray, y: np.ndarray) -> list[tuple[float, float]]:
    at = np.unique(np.linspace(0, len(x) - 1, min(len(x), _DOTS)).round().astype(int))
    return [(float(a), float(b)) for a, b in zip(x[at], y[at], strict=True)]


def short_percent(share: float) -> str:
    """0.05 -> "5", 0.025 -> "2.5"."""
    return f"{100 * share:.3g}"

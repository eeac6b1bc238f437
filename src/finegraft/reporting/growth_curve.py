"""The learning curve as a figure: what was measured, the law through it, and where it leads at twice and four times."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from finegraft.evaluation.growth import Forecast, LearningCurve, Point
from finegraft.reporting import axes, wording
from finegraft.reporting.axes import BARK, BOTTOM, HEIGHT, LEAF, LEFT, SOFT, TOP, WIDTH, Axis, Figure
from finegraft.reporting.markup import Html, tag

_STEPS = 40  # points of the drawn law
_HARDLY = 0.005  # a gain below half a point is not worth twice the photos
_RIGHT = 88  # room for "93.6 %" beside the end of the curve


def growth_curve(curve: LearningCurve, counted: Callable[[int], str]) -> Figure | None:
    """Accuracy against the number of records learned from, by the logarithm; None where there is no curve.

    `counted` writes a number of records: "372 photos".
    """
    now, twice, four = (curve.at(times * curve.photos) for times in (1, 2, 4))
    if now is None or twice is None or four is None:
        return None
    drawn = _along(curve, curve.points[0].photos, four.photos)
    x = Axis(curve.points[0].photos, four.photos, LEFT, WIDTH - _RIGHT, log=True)
    y = _upright(curve, drawn)
    title = _title(now, twice)
    parts = [
        axes.vertical(y, x, axes.ticks(y.low, y.high, 4), lambda share: f"{100 * share:g}", "right, %"),
        axes.horizontal(x, HEIGHT - BOTTOM, [(n, f"{n:,}") for n in _log_ticks(x)], "photos learned from"),
        _band(x, y, drawn),
        axes.polyline([(x.at(f.photos), y.at(f.accuracy)) for f in drawn if f.photos <= now.photos], LEAF),
        _dashed([(x.at(f.photos), y.at(f.accuracy)) for f in drawn if f.photos >= now.photos]),
        *(_measured(x, y, point) for point in curve.points),
        *(_foretold(x, y, found, word) for found, word in ((now, "now"), (twice, "× 2"), (four, "× 4"))),
        axes.text(x.end + 12, y.at(four.accuracy) + 6, wording.percent(four.accuracy), BARK),
    ]
    return Figure(
        title, _note(), axes.drawing(WIDTH, HEIGHT, title, _described(curve, (now, twice, four), counted), parts)
    )


def said(found: Forecast) -> str:
    """ "92.3 % (91.0–93.5 %)"."""
    return f"{wording.percent(found.accuracy)} ({wording.percent_range(found.interval)})"


def _title(now: Forecast, twice: Forecast) -> str:
    would = "probably help little" if twice.accuracy - now.accuracy < _HARDLY else "help"
    return f"Twice the photos would {would}: about {said(twice)} right, now {wording.percent(now.accuracy)}"


def _note() -> str:
    return (
        "Dots are measured: models that learned from parts of the training part, asked about other photos of it; bars "
        "are their intervals. The broken line is what they foretell, and the band holds the truth in 95 of 100 cases. "
        "It counts on more photos of the same kind."
    )


def _described(curve: LearningCurve, found: tuple[Forecast, ...], counted: Callable[[int], str]) -> str:
    measured = "; ".join(f"{counted(p.photos)} {wording.percent(p.accuracy)}" for p in curve.points)
    words = ("now", "at twice", "at four times")
    ahead = "; ".join(f"{word} {said(f)}" for word, f in zip(words, found, strict=True))
    return f"Share of right answers by photos learned from: {measured}. Expected {ahead}."


def _along(curve: LearningCurve, first: int, last: int) -> list[Forecast]:
    """What the law says at sizes even in their logarithm, the training part's own among them."""
    sizes = {*np.geomspace(first, last, _STEPS).round().astype(int).tolist(), curve.photos}
    return [found for n in sorted(sizes) if (found := curve.at(n)) is not None]


def _upright(curve: LearningCurve, drawn: list[Forecast]) -> Axis:
    ends = [end for f in drawn for end in f.interval] + [end for p in curve.points for end in p.interval]
    low, high = min(ends), max(ends)
    room = 0.05 * max(high - low, 0.02)
    return Axis(max(0.0, low - room), min(1.0, high + room), HEIGHT - BOTTOM, TOP + 14)


def _band(x: Axis, y: Axis, drawn: list[Forecast]) -> Html:
    upper = [(x.at(f.photos), y.at(f.interval[1])) for f in drawn]
    lower = [(x.at(f.photos), y.at(f.interval[0])) for f in reversed(drawn)]
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in upper + lower)
    return tag("polygon", points=path, fill=LEAF, fill_opacity=0.15)


def _dashed(points: list[tuple[float, float]]) -> Html:
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    return tag("polyline", points=path, fill="none", stroke=BARK, stroke_width=2.5, stroke_dasharray="7 5")


def _measured(x: Axis, y: Axis, point: Point) -> Html:
    here, (low, high) = x.at(point.photos), point.interval
    return tag("g", axes.line(here, y.at(low), here, y.at(high), LEAF, 2), axes.dot(here, y.at(point.accuracy), LEAF))


def _foretold(x: Axis, y: Axis, found: Forecast, word: str) -> Html:
    here, top = x.at(found.photos), y.at(found.interval[1])
    colour = SOFT if word == "now" else BARK
    return tag("g", axes.dot(here, y.at(found.accuracy), colour), axes.text(here, top - 8, word, colour, "middle"))


def _log_ticks(axis: Axis, most: int = 6) -> list[int]:
    """Round numbers (1, 2 or 5 times a power of ten) on the axis; powers of ten alone where these are too many."""
    first, last = math.floor(math.log10(axis.low)), math.ceil(math.log10(axis.high))
    for factors in ((1, 2, 5), (1, 3), (1,)):
        found = [f * 10**e for e in range(first, last + 1) for f in factors if axis.low <= f * 10**e <= axis.high]
        if len(found) <= most:
            break
    return found or [round(axis.low)]

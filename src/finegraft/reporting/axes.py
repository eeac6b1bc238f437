"""What every curve stands on: scales, ticks, and the drawing of axes as SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from finegraft.reporting.markup import Html, clean, join, tag

# Colours by token, with the light value where the figure stands alone (a notebook, a README).
INK = "var(--ink, #1c211d)"
SOFT = "var(--soft, #5b635c)"
HAIR = "var(--hair, #dcddd5)"
LEAF = "var(--leaf, #1f6f46)"
BARK = "var(--bark, #8a4f1d)"
ALARM = "var(--alarm, #b3261e)"
PAPER = "var(--paper, #fbfaf6)"

TEXT = 16  # in a picture 560 wide: still 8 px when it is shown at half its size
WIDTH, HEIGHT = 560, 330
LEFT, RIGHT, TOP, BOTTOM = 58, 112, 40, 56


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing and what it says: `title` is the answer in one sentence, `note` how to read it."""

    title: str
    note: str
    svg: Html


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps low..high to start..end, by the logarithm where `log`."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """The coordinate of `value`; the middle where the axis has no length."""
        low, high, here = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        if high <= low:
            return (self.start + self.end) / 2
        return self.start + (here - low) / (high - low) * (self.end - self.start)


def ticks(low: float, high: float, wanted: int = 5, whole: bool = False) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten) within low..high, about `wanted` of them.

    >>> ticks(0, 1)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    if not high > low:
        return [low]
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.999)
    if whole:
        step = max(1.0, round(step))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def decades(low: float, high: float, most: int = 7) -> list[int]:
    """Exponents of the powers of ten within low..high, thinned out until there are at most `most`."""
    found = list(range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1))
    every = math.ceil(len(found) / most) if found else 1
    return found[::every]


def drawing(
    width: float,
    height: float,
    title: str,
    description: str,
    parts: Sequence[Html],
    class_: str | None = None,
    role: str = "img",
) -> Html:
    """The SVG element: an image with a name and a description for those who cannot see it.

    The `role` of one that holds links is "group": what is in an image cannot be reached.
    """
    return tag(
        "svg",
        tag("title", clean(title)),
        tag("desc", clean(description)),
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        class_=class_,
        role=role,
        aria_label=clean(title),
        font_size=TEXT,
        font_family="inherit",
    )


def text(x: float, y: float, content: str, fill: str = SOFT, anchor: str | None = None) -> Html:
    """A label; `anchor` is where on it the point lies: start (None), middle or end."""
    return tag("text", clean(content), x=x, y=y, fill=fill, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, stroke: str, width: float = 1) -> Html:
    """A straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, stroke_width=width)


def polyline(points: Sequence[tuple[float, float]], stroke: str, width: float = 2.5) -> Html:
    """A curve through `points`; a single point is drawn as a dot."""
    if len(points) == 1:
        return dot(*points[0], stroke)
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return tag(
        "polyline",
        points=path,
        fill="none",
        stroke=stroke,
        stroke_width=width,
        stroke_linejoin="round",
        stroke_linecap="round",
    )


def dot(x: float, y: float, fill: str, radius: float = 5) -> Html:
    """A marked point, with a ring of paper that keeps it apart from the line under it."""
    return tag("circle", cx=x, cy=y, r=radius, fill=fill, stroke=PAPER, stroke_width=2)


def diamond(x: float, y: float, fill: str, radius: float = 6) -> Html:
    """A marked point that stands out by its shape as well as by its colour."""
    path = f"M{x:.1f} {y - radius:.1f}l{radius:g} {radius:g}l-{radius:g} {radius:g}l-{radius:g}-{radius:g}z"
    return tag("path", d=path, fill=fill, stroke=PAPER, stroke_width=2)


def apart(heights: Sequence[float], least: float = 40) -> list[float]:
    """The same heights, in the same order, moved until the labels of two lines do not cover each other."""
    if len(heights) < 2 or abs(heights[0] - heights[1]) >= least:
        return list(heights)
    middle = min(max(sum(heights) / 2, TOP + least / 2), HEIGHT - BOTTOM - least)
    first_above = heights[0] <= heights[1]
    return [middle - least / 2, middle + least / 2] if first_above else [middle + least / 2, middle - least / 2]


def horizontal(axis: Axis, at: float, marks: Sequence[tuple[float, str]], label: str) -> Html:
    """The axis below: a line, its marks (value, text) and, under them, what it measures."""
    parts = [line(axis.start, at, axis.end, at, SOFT)]
    for value, shown in marks:
        x = axis.at(value)
        parts += [line(x, at, x, at + 5, SOFT), text(x, at + 23, shown, anchor="middle")]
    return join([*parts, text((axis.start + axis.end) / 2, at + 46, label, anchor="middle")])


def vertical(axis: Axis, across: Axis, values: Sequence[float], shown: Callable[[float], str], label: str) -> Html:
    """The axis on the left: light lines across at `values`, and what it measures above, written flat."""
    parts = [text(0, 16, label)]
    for value in values:
        y = axis.at(value)
        parts += [line(across.start, y, across.end, y, HAIR), text(across.start - 8, y + 5, shown(value), anchor="end")]
    return join(parts)

"""The learning-rate curve as a PNG, for `finegraft lr -o`: drawn with Pillow, which every install has."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from finegraft.errors import DataError
from finegraft.reporting import axes, wording
from finegraft.reporting.axes import Axis
from finegraft.reporting.figures import Point, finder_points, finder_title, loss_axis, short, value_at

if TYPE_CHECKING:
    from PIL import ImageDraw

# The light tokens of tokens.css: a PNG cannot follow the reader's scheme.
_PAPER, _INK, _SOFT, _HAIR, _LEAF, _BARK = "#fbfaf6", "#1c211d", "#5b635c", "#dcddd5", "#1f6f46", "#8a4f1d"
_WIDTH, _HEIGHT = 1120, 720
_LEFT, _RIGHT, _TOP, _BOTTOM = 120, 60, 150, 120
_OVER = 2  # drawn twice as large, then reduced: Pillow's lines have no smooth edges


def lr_curve_png(lrs: Sequence[float], losses: Sequence[float | None], suggestion: float) -> bytes:
    """The learning-rate finder's curve as a PNG of 1120 by 720, the chosen rate marked.

    Raises `DataError` when fewer than two steps have a finite loss.
    """
    from PIL import Image, ImageDraw

    points = finder_points(lrs, losses)
    if len(points) < 2:
        raise DataError(
            f"Cannot draw the learning-rate curve: {len(points)} of {len(losses)} steps have a finite loss.",
            "Run the finder again with a lower first rate or more steps.",
        )
    image = Image.new("RGB", (_WIDTH * _OVER, _HEIGHT * _OVER), _PAPER)
    _draw(ImageDraw.Draw(image), points, suggestion)
    out = io.BytesIO()
    image.resize((_WIDTH, _HEIGHT), Image.Resampling.LANCZOS).save(out, "PNG", optimize=True)
    return out.getvalue()


def _draw(pen: ImageDraw.ImageDraw, points: Sequence[Point], suggestion: float) -> None:
    upright = loss_axis([loss for _, loss in points])
    x = Axis(points[0][0], points[-1][0], _LEFT, _WIDTH - _RIGHT, log=True)
    y = Axis(upright.low, upright.high, _HEIGHT - _BOTTOM, _TOP)
    _write(pen, (_LEFT, 36), finder_title(points, suggestion, _plain_rate(suggestion)), 34, _INK, "la")
    for value in axes.ticks(y.low, y.high, 4):
        _stroke(pen, [(_LEFT, y.at(value)), (_WIDTH - _RIGHT, y.at(value))], _HAIR, 1.5)
        _write(pen, (_LEFT - 14, y.at(value)), short(value), 26, _SOFT, "rm")
    _write(pen, (_LEFT, _TOP - 44), "loss", 26, _SOFT, "lm")
    _stroke(pen, [(_LEFT, y.start), (_WIDTH - _RIGHT, y.start)], _SOFT, 1.5)
    for exponent in axes.decades(x.low, x.high):
        here = x.at(10.0**exponent)
        _stroke(pen, [(here, y.start), (here, y.start + 9)], _SOFT, 1.5)
        _write(pen, (here, y.start + 32), f"1e{exponent}", 26, _SOFT, "mm")
    _write(pen, ((x.start + x.end) / 2, y.start + 78), "learning rate", 26, _SOFT, "mm")
    _stroke(pen, [(x.at(rate), y.at(loss)) for rate, loss in points], _BARK, 4)
    _mark(pen, x, y, points, suggestion)


def _mark(pen: ImageDraw.ImageDraw, x: Axis, y: Axis, points: Sequence[Point], suggestion: float) -> None:
    here = x.at(min(max(suggestion, x.low), x.high))
    level = y.at(value_at(points, suggestion))
    _stroke(pen, [(here, _TOP - 12), (here, y.start)], _LEAF, 2.5)
    box = [(here - 11) * _OVER, (level - 11) * _OVER, (here + 11) * _OVER, (level + 11) * _OVER]
    pen.ellipse(box, fill=_LEAF, outline=_PAPER, width=3 * _OVER)
    on_the_left = here < (x.start + x.end) / 2
    where = (here + 16 if on_the_left else here - 16, _TOP + 4)
    _write(pen, where, f"chosen: {_plain_rate(suggestion)}", 26, _LEAF, "lm" if on_the_left else "rm")


def _plain_rate(value: float) -> str:
    """The rate without raised figures, which Pillow's own font lacks."""
    return wording.rate(value) if value >= 1e-4 else f"{value:.1e}"


def _stroke(pen: ImageDraw.ImageDraw, points: Sequence[Point], colour: str, width: float) -> None:
    pen.line([(a * _OVER, b * _OVER) for a, b in points], fill=colour, width=round(width * _OVER), joint="curve")


def _write(pen: ImageDraw.ImageDraw, at: Point, words: str, size: int, colour: str, anchor: str) -> None:
    from PIL import ImageFont

    font = ImageFont.load_default(size * _OVER)
    pen.text((at[0] * _OVER, at[1] * _OVER), words, font=font, fill=colour, anchor=anchor)

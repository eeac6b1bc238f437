"""The picture of the first screen: every judged record is a tick in the row of its class, short where right and tall
where wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from finegraft.evaluation.recalls import Recall, of_classes
from finegraft.evaluation.result import Evaluation
from finegraft.reporting import axes
from finegraft.reporting.axes import ALARM, HAIR, INK, LEAF, SOFT, Figure
from finegraft.reporting.markup import Html, clean, isolated, tag

WIDTH = 560
_ROWS = 12  # classes with a row of their own; of more, the worst ones, so that the picture stays on the first screen
_COLUMNS = 40  # classes that fit in two columns, where each has few records
_WIDEST, _NARROWEST = 12.0, 2.4  # from tick to tick; closer ones run together at half size, so bars are drawn then
_LINES = 4  # of ticks of all the other classes together
_HIGH, _LINE = 32, 26  # of a row; of every further line in it
_LABEL, _LETTER = 168.0, 9.0  # the widest column of names; the width of a letter in it
_GUTTER = 24  # between two columns


@dataclass(frozen=True, slots=True)
class _Row:
    """One row: whose it is, how many of its records were found, of how many."""

    name: str
    found: int
    judged: int
    lines: int = 1  # that its ticks may take


def strip(evaluation: Evaluation, noun: str) -> Figure:
    """The judged records by class, the class found least first; `noun` is what one record is called."""
    classes = sorted(of_classes(evaluation), key=lambda one: (one.value, -one.judged, one.label))
    title = _title(classes, len(evaluation))
    columns = _in_columns(classes) if _ROWS < len(classes) <= _COLUMNS else None
    parts, high, ticks = columns or _in_rows(classes)
    described = "; ".join(f"{isolated(one.label)} {one.found} of {one.judged}" for one in classes[:_COLUMNS])
    svg = axes.drawing(WIDTH, high + 2, title, f"Found of each class: {described}.", parts)
    return Figure(title, _note(noun, ticks), svg)


def _in_columns(classes: Sequence[Recall]) -> tuple[list[Html], float, bool] | None:
    """Every class, in two columns, down the first and then the second; None where their ticks need more room."""
    wide = (WIDTH - _GUTTER) / 2
    longest = max(one.judged for one in classes)
    pitch = min(_WIDEST, (wide - _LABEL) / longest)
    if pitch < 2 * _NARROWEST:
        return None
    letters = int((wide - 14 - pitch * longest) / _LETTER)
    rows = [_Row(_short(one.label, letters), one.found, one.judged) for one in classes]
    left = min(_LETTER * max(len(row.name) for row in rows) + 14, wide - pitch * longest)
    half = (len(rows) + 1) // 2
    parts: list[Html] = []
    for at, row in enumerate(rows):
        x, y = at // half * (wide + _GUTTER), 4.0 + at % half * _LINE
        drawn, _ = _ticks(row, x + left, y, wide - left, pitch)
        parts += [axes.text(x, y + 22, row.name, INK), *drawn]
    return parts, 4.0 + half * _LINE, True


def _in_rows(classes: Sequence[Recall]) -> tuple[list[Html], float, bool]:
    """A row for each class with its count; of very many the worst, and a row for all the others together."""
    rows = _rows(classes)
    counts = [f"{row.found:,} of {row.judged:,}" for row in rows]
    left = min(_LABEL, _LETTER * max(len(row.name) for row in rows) + 14)
    room = WIDTH - left - _LETTER * max(map(len, counts)) - 10
    fits = [row.judged / row.lines <= room / _NARROWEST for row in rows]
    longest = max((row.judged / row.lines for row, fit in zip(rows, fits, strict=True) if fit), default=1.0)
    pitch = min(_WIDEST, room / max(longest, 1.0))
    parts: list[Html] = []
    y = 4.0
    for row, count, fit in zip(rows, counts, fits, strict=True):
        drawn, high = _ticks(row, left, y, room, pitch) if fit else _bar(row, left, y, room)
        end = left + min(room, row.judged * pitch if fit else room) + 10
        parts += [axes.text(0, y + 22, row.name, INK), *drawn, axes.text(end, y + 22, count, SOFT)]
        y += high
    return parts, y, all(fits)


def _rows(classes: Sequence[Recall]) -> list[_Row]:
    own = list(classes) if len(classes) <= _ROWS else list(classes[: _ROWS - 2])
    rows = [_Row(_short(one.label), one.found, one.judged) for one in own]
    rest = classes[len(own) :]
    if rest:
        found, judged = sum(one.found for one in rest), sum(one.judged for one in rest)
        rows.append(_Row(f"{len(rest):,} other classes", found, judged, _LINES))
    return rows


def _ticks(row: _Row, left: float, y: float, room: float, pitch: float) -> tuple[list[Html], float]:
    """Two paths, the right ones and the wrong ones after them, in as many lines as they need; and their height."""
    a_line = max(1, int(room / pitch + 1e-6))
    places = [(left + at % a_line * pitch, y + at // a_line * _LINE) for at in range(row.judged)]
    right = "".join(f"M{x:.4g} {top + 9:.4g}v14" for x, top in places[: row.found])
    wrong = "".join(f"M{x:.4g} {top + 5:.4g}v22" for x, top in places[row.found :])
    drawn = [_path(right, LEAF, 0.5 * pitch)] if right else []
    drawn += [_path(wrong, ALARM, 0.62 * pitch)] if wrong else []
    return drawn, _HIGH + (row.judged - 1) // a_line * _LINE


def _bar(row: _Row, left: float, y: float, room: float) -> tuple[list[Html], float]:
    """The share found as a length, what was missed taller behind it; and the height."""
    end = room * row.found / row.judged
    drawn = [tag("rect", x=left, y=y + 9, width=room, height=14, fill=HAIR)]
    drawn.append(tag("rect", x=left, y=y + 9, width=end, height=14, fill=LEAF))
    if row.found < row.judged:
        drawn.append(tag("rect", x=left + end, y=y + 5, width=room - end, height=22, fill=ALARM))
    return drawn, float(_HIGH)


def _path(line: str, colour: str, width: float) -> Html:
    return tag("path", d=line, stroke=colour, stroke_width=min(4.0, max(1.2, width)), fill="none")


def _short(label: str, most: int = 17) -> str:
    shown = clean(label)
    return isolated(shown if len(shown) <= most else shown[: most - 1].rstrip() + "…")


def _title(classes: Sequence[Recall], judged: int) -> str:
    wrong = sum(one.judged - one.found for one in classes)
    if wrong == 0:
        return f"All {judged:,} answers are right" if judged > 1 else "The one answer is right"
    first = f"{wrong:,} of {judged:,} answers {'is' if wrong == 1 else 'are'} wrong"
    worst = classes[0]
    return f"{first}; {isolated(worst.label)} is found least, {worst.found:,}\u00a0of\u00a0{worst.judged:,}"


def _note(noun: str, all_ticks: bool) -> str:
    words = f"Each tick is a {noun} of that class: short is right, tall is wrong."
    return words if all_ticks else f"{words} Where there are too many, a bar holds their shares."

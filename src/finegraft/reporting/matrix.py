"""The confusion matrix as a picture: one hue by lightness, every count readable, mistakes linked to their photos."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from finegraft.reporting import axes, cells, wording
from finegraft.reporting.axes import HAIR, INK, Figure
from finegraft.reporting.markup import Html, clean, isolated, tag

MOST = 40  # classes; beyond that the counts would be too small to read
_STEPS = 8
# (fill, text) where the page's tokens are absent; the same values as in tokens.css.
_LIGHT = ("#ecf0ea", "#dae5db", "#c3d6c7", "#a9c5b0", "#8bb099", "#6d9d80", "#357d58", "#1f6f46")
_ON_LIGHT = ("#1c211d",) * 6 + ("#fbfaf6",) * 2


def confusion_matrix(matrix: np.ndarray, labels: Sequence[str], linked: bool = False) -> Figure:
    """Counts, int of shape (k, k), rows the true class.

    Above 40 classes those with the most mistakes are drawn, and the note says so. Where `linked`, the mistakes are
    links to the places of `cells.panels`.
    """
    counts = np.asarray(matrix)
    total, right = int(counts.sum()), int(np.trace(counts))
    title = _title(counts, labels)
    shown = classes_shown(counts)
    note = "Rows: what it is. Columns: what the model said. The darker, the larger the share of its row."
    if len(shown) < len(labels):
        note += f" Of {len(labels)} classes, the {len(shown)} with the most mistakes."
    described = f"Confusion matrix of {len(shown)} classes: {right:,} of {total:,} on the diagonal, which is right."
    return Figure(title, note, _drawn(counts, labels, shown, (title, described), linked and right < total))


def classes_shown(counts: np.ndarray) -> list[int]:
    """The classes that are drawn: all of them, or of very many those with the most mistakes, in their own order."""
    if len(counts) <= MOST:
        return list(range(len(counts)))
    wrong = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts)
    return sorted(np.argsort(-wrong, kind="stable")[:MOST].tolist())


def _drawn(counts: np.ndarray, labels: Sequence[str], shown: list[int], said: tuple[str, str], linked: bool) -> Html:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    cell = 46 if len(shown) <= 12 else 34 if len(shown) <= 20 else 26
    size = 16 if cell >= 34 else 12
    names = [_short(labels[i]) for i in shown]
    longest = max(len(n) for n in names) * size * 0.56
    left, top = longest + 12, longest * 0.72 + 22
    width = left + cell * len(shown) + max(longest * 0.72 - cell / 2, 0) + 8
    parts, links = [_empty(counts, shown, left, top, cell)], []
    for place, name in enumerate(names):
        middle = (place + 0.5) * cell
        parts.append(_label(left - 8, top + middle + size * 0.35, name, size, None))
        parts.append(_label(left + middle, top - 8, name, size, -45))
    for row, i in enumerate(shown):
        for column, j in enumerate(shown):
            if not counts[i, j]:
                continue
            at = (left + column * cell, top + row * cell)
            drawn = _cell(at, cell, size, int(counts[i, j]), float(shares[i, j]), (labels[i], labels[j]))
            if linked and i != j:
                links.append(_link(drawn, (i, j), labels, int(counts[i, j])))
            else:
                parts.append(drawn)
    least = min(50, max(20, 10 * math.ceil(0.6 * width / 160)))  # in rem of 16 px; see page.css
    if linked:  # what is no link is a picture: the title and the description say it
        parts = [tag("g", *parts, aria_hidden="true"), *links]
    role = "group" if linked else "img"
    class_ = f"at-least-{least}" if width > 320 else None  # a small one is not enlarged
    return axes.drawing(width, top + cell * len(shown) + 2, *said, parts, class_=class_, role=role)


def _empty(counts: np.ndarray, shown: Sequence[int], left: float, top: float, cell: int) -> Html:
    """The cells without a count, as one shape: of 37 classes there are more than a thousand."""
    side = cell - 2
    rows, columns = np.nonzero(counts[np.ix_(shown, shown)] == 0)
    squares = (
        f"M{left + column * cell + 1:.1f} {top + row * cell + 1:.1f}h{side}v{side}h-{side}z"
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
    )
    return tag("path", d="".join(squares), fill=HAIR, fill_opacity=0.3)


def _link(drawn: Html, pair: cells.Pair, labels: Sequence[str], count: int) -> Html:
    actual, predicted = (isolated(labels[i]) for i in pair)
    said = f"{actual} taken for {predicted}: {wording.count(count, 'time')}"
    return tag("a", drawn, href=f"#{cells.anchor(pair)}", aria_label=said)


def _cell(at: tuple[float, float], cell: int, size: int, count: int, share: float, pair: tuple[str, str]) -> Html:
    """One count. Colour follows the root of the share, so that rare confusions still show."""
    x, y = at
    step = min(_STEPS, max(1, math.ceil(_STEPS * math.sqrt(share))))
    actual, predicted = (isolated(name) for name in pair)
    words = f"{actual}: {count} right" if actual == predicted else f"{actual} taken for {predicted}: {count}"
    fill = f"var(--heat-{step}, {_LIGHT[step - 1]})"
    on = f"var(--on-heat-{step}, {_ON_LIGHT[step - 1]})"
    return tag(
        "g",
        tag("title", f"{words} ({wording.percent(share)} of its row)"),
        tag("rect", x=x + 1, y=y + 1, width=cell - 2, height=cell - 2, fill=fill),
        tag(
            "text",
            f"{count}" if count < 10_000 else f"{count // 1000}k",
            x=x + cell / 2,
            y=y + cell / 2 + size * 0.35,
            text_anchor="middle",
            font_size=size if count < 1000 else size * 0.8,
            fill=on,
        ),
    )


def _label(x: float, y: float, name: str, size: int, turn: int | None) -> Html:
    return tag(
        "text",
        name,
        x=x,
        y=y,
        fill=INK,
        font_size=size,
        text_anchor="end" if turn is None else "start",
        transform=None if turn is None else f"rotate({turn} {x:.1f} {y:.1f})",
    )


def _short(label: str, most: int = 22) -> str:
    shown = clean(label)
    return isolated(shown if len(shown) <= most else shown[: most - 1].rstrip() + "…")


def _title(counts: np.ndarray, labels: Sequence[str]) -> str:
    wrong = counts - np.diag(np.diag(counts))
    if wrong.sum() == 0:
        return "Every answer was right"
    i, j = divmod(int(wrong.argmax()), len(labels))
    most = int(wrong[i, j])
    if most == 1:
        return "No pair was confused more than once"
    return f"{isolated(labels[i])} was most often taken for {isolated(labels[j])}: {most} times"

"""The curves of a run, each a pure function from numbers to a `Figure` (SVG that needs nothing from outside).

Every title is the answer the curve gives; lines are named where they end. A function returns None where there is
nothing to draw: the page then says so in words.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from finegraft.reporting import axes, measures, wording
from finegraft.reporting.axes import BARK, BOTTOM, HEIGHT, LEAF, LEFT, RIGHT, TOP, WIDTH, Axis, Figure
from finegraft.reporting.markup import Html

Point = tuple[float, float]
Line = tuple[str, list[Point], str, Callable[[float], str]]  # name, points, colour, how its values are written


def lr_curve(
    lrs: Sequence[float], losses: Sequence[float | None], suggestion: float, reason: str = ""
) -> Figure | None:
    """The learning-rate finder (Smith, 2015, arXiv:1506.01186): loss against rate, the chosen rate marked.

    `lrs` and `losses` have one entry per step; `reason` says what on the curve led to
    the chosen rate.
    """
    points = finder_points(lrs, losses)
    if len(points) < 2 or not suggestion > 0:
        return None
    x = Axis(points[0][0], points[-1][0], LEFT, WIDTH - 24, log=True)
    y = loss_axis([loss for _, loss in points])
    title = finder_title(points, suggestion)
    marks = [(10.0**e, wording.power_of_ten(e)) for e in axes.decades(x.low, x.high)]
    parts = [
        axes.vertical(y, x, axes.ticks(y.low, y.high, 4), short, "loss"),
        axes.horizontal(x, HEIGHT - BOTTOM, marks, "learning rate"),
        axes.polyline([(x.at(rate), y.at(loss)) for rate, loss in points], BARK),
        *_chosen(x, y, points, suggestion),
    ]
    lowest = min(points, key=lambda p: p[1])
    described = (
        f"Loss against learning rate: {short(points[0][1])} at {wording.rate(x.low)}, lowest, {short(lowest[1])}, at "
        f"{wording.rate(lowest[0])}. The chosen rate is {wording.rate(suggestion)}."
    )
    return Figure(title, _sentence(reason), axes.drawing(WIDTH, HEIGHT, title, described, parts))


def finder_points(lrs: Sequence[float], losses: Sequence[float | None]) -> list[Point]:
    """The finder's steps worth drawing, in order of rate.

    Steps without a finite loss (None in JSON) are passed over. The curve ends where the loss has left the range of
    its descent: what comes after is divergence, and would flatten all the rest.
    """
    pairs = zip(lrs, losses, strict=False)
    points = sorted((r, v) for r, v in pairs if r > 0 and v is not None and math.isfinite(v))
    if not points:
        return []
    lowest = min(range(len(points)), key=lambda i: points[i][1])
    descent = max(v for _, v in points[: lowest + 1]) - points[lowest][1]
    ceiling = points[lowest][1] + 1.5 * descent if descent > 0 else math.inf
    end = next((i for i in range(lowest, len(points)) if points[i][1] > ceiling), len(points))
    return points[:end]


def finder_title(points: Sequence[Point], suggestion: float, written: str = "") -> str:
    """What the finder's curve says, in one sentence; `written` is how to write the rate, where not as usual."""
    lowest_rate = min(points, key=lambda p: p[1])[0]
    reason = ", where the loss still falls" if points[0][0] < suggestion < lowest_rate else ""
    return f"Rate {written or wording.rate(suggestion)} was chosen{reason}"


def value_at(points: Sequence[Point], rate: float) -> float:
    """The loss at `rate`, on the line between the steps around it (straight in the logarithm of the rate)."""
    if rate <= points[0][0]:
        return points[0][1]
    for (r0, v0), (r1, v1) in itertools.pairwise(points):
        if r0 <= rate <= r1 and r1 > r0:
            return v0 + (v1 - v0) * math.log(rate / r0) / math.log(r1 / r0)
    return points[-1][1]


def loss_axis(losses: Sequence[float], from_zero: bool = False) -> Axis:
    """An upright axis with a little room around the losses, or from zero up."""
    low, high = min(losses), max(losses)
    room = 0.06 * (high - low) or 0.06 * abs(high) or 0.05
    return Axis(0.0 if from_zero and low >= 0 else low - room, high + room, HEIGHT - BOTTOM, TOP)


def loss_curves(history: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Train and validation loss after each epoch, from the rows of `log.jsonl`."""
    train, valid = _series(history, "train_loss"), _series(history, "valid_loss")
    if not train and not valid:
        return None
    y = loss_axis([v for _, v in train + valid], from_zero=True)
    title = _loss_title(train, valid)
    lines: list[Line] = [("train", train, BARK, wording.decimal), ("validation", valid, LEAF, wording.decimal)]
    note = "Loss is how surprised the model is by the right answer; less is better."
    return Figure(title, note, _by_epoch(title, len(history), y, lines, (short, "loss")))


def error_curve(history: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Share of wrong answers after each epoch, on data not learned from (rows of `log.jsonl`)."""
    points = _series(history, "error_rate")
    if not points:
        return None
    title = _error_title(points)
    y = Axis(0, max(0.01, *(v for _, v in points)) * 1.08, HEIGHT - BOTTOM, TOP)
    lines: list[Line] = [("wrong", points, LEAF, wording.percent)]
    note = "The share of wrong answers on data the model does not learn from."
    return Figure(title, note, _by_epoch(title, len(history), y, lines, (_in_percent, "error rate, %")))


def measure_curve(history: Sequence[Mapping[str, Any]], measure: str) -> Figure | None:
    """Another figure after each epoch, on data not learned from: the column `measure` of `log.jsonl`."""
    if measure == "error_rate":
        return error_curve(history)
    points = _series(history, measure)
    if not points:
        return None
    called, written = measures.called(measure), measures.written(measure)
    title = f"{called} after the last epoch: {written(points[-1][1])}"
    y = loss_axis([v for _, v in points], from_zero=True)
    up = (_in_percent, f"{called}, %") if measures.is_share(measure) else (measures.short, called)
    lines: list[Line] = [("now", points, LEAF, written)]
    return Figure(title, "On data the model does not learn from.", _by_epoch(title, len(history), y, lines, up))


def short(value: float) -> str:
    """A loss to three figures at most."""
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}{'' if not words or words.endswith('.') else '.'}"


def _in_percent(share: float) -> str:
    return f"{100 * share:g}"


def _chosen(x: Axis, y: Axis, points: Sequence[Point], suggestion: float) -> list[Html]:
    """The chosen rate: an upright line, a dot on the curve and its name beside them."""
    here = x.at(min(max(suggestion, x.low), x.high))
    on_the_left = here < (x.start + x.end) / 2
    beside, anchor = (here + 10, None) if on_the_left else (here - 10, "end")
    return [
        axes.line(here, 12, here, HEIGHT - BOTTOM, LEAF, 1.5),
        axes.dot(here, y.at(value_at(points, suggestion)), LEAF, 7),
        axes.text(beside, 24, f"chosen: {wording.rate(suggestion)}", LEAF, anchor),  # above the highest mark
    ]


def _by_epoch(title: str, epochs: int, y: Axis, lines: Sequence[Line], up: tuple[Callable[[float], str], str]) -> Html:
    """Lines over epochs, each named, with its last value, where it ends. `up`: how y is written, what it measures."""
    x = Axis(1, epochs, LEFT, WIDTH - RIGHT)
    written, label = up
    parts = [
        axes.vertical(y, x, axes.ticks(y.low, y.high, 4), written, label),
        axes.horizontal(x, HEIGHT - BOTTOM, [(t, f"{t:.0f}") for t in _epoch_ticks(epochs)], "epoch"),
    ]
    drawn = [line for line in lines if line[1]]
    heights = axes.apart([y.at(points[-1][1]) for _, points, _, _ in drawn])
    said = []
    for (called, points, colour, value), height in zip(drawn, heights, strict=True):
        parts.append(axes.polyline([(x.at(epoch), y.at(v)) for epoch, v in points], colour))
        parts.append(axes.dot(x.at(points[-1][0]), y.at(points[-1][1]), colour))
        parts.append(axes.text(x.end + 14, height - 3, called, colour))
        parts.append(axes.text(x.end + 14, height + 15, value(points[-1][1]), colour))
        said.append(f"{called} from {value(points[0][1])} to {value(points[-1][1])}")
    described = f"{label} over {wording.count(epochs, 'epoch')}: {'; '.join(said)}."
    return axes.drawing(WIDTH, HEIGHT, title, described, parts)


def _series(history: Sequence[Mapping[str, Any]], column: str) -> list[Point]:
    """The finite values of one column, each with its place in the log (epochs counted through all stages)."""
    found = ((float(i), row.get(column)) for i, row in enumerate(history, start=1))
    return [(i, float(v)) for i, v in found if isinstance(v, int | float) and math.isfinite(v)]


def _epoch_ticks(epochs: int) -> list[float]:
    """Whole epochs, the first and the last among them, none too close to the last."""
    between = [t for t in axes.ticks(1, epochs, 5, whole=True) if 1 < t < epochs - 0.06 * epochs]
    return sorted({1.0, *between, float(epochs)})


def _loss_title(train: list[Point], valid: list[Point]) -> str:
    if not valid:
        return f"Training loss ends at {wording.decimal(train[-1][1])}"
    best, last = min(valid, key=lambda p: p[1]), valid[-1]
    if len(valid) == 1:
        return f"Validation loss is {wording.decimal(last[1])} after one epoch"
    if best[1] == last[1]:
        return f"Validation loss is lowest at the end: {wording.decimal(last[1])}"
    return f"Validation loss is lowest, {wording.decimal(best[1])}, after epoch {best[0]:.0f} of {last[0]:.0f}"


def _error_title(points: list[Point]) -> str:
    best, last = min(points, key=lambda p: p[1]), points[-1]
    if len(points) == 1:
        return f"{wording.percent(last[1])} wrong after one epoch"
    if best[0] == last[0]:
        return f"{wording.percent(last[1])} wrong after the last epoch, its lowest"
    return f"The error stops falling after epoch {best[0]:.0f}, at {wording.percent(best[1])}"

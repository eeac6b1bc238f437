"""Whether the stated probabilities are true: what was said against how often it was right, and what chance allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finegraft.evaluation.calibration import Reliability, reliability
from finegraft.reporting import axes, wording
from finegraft.reporting.axes import ALARM, HAIR, LEAF, SOFT, Axis, Figure
from finegraft.reporting.markup import Child, Html, tag
from finegraft.reporting.material import Material
from finegraft.reporting.merits import metrics_of
from finegraft.reporting.page import Column, Section, answer, figure, paragraph, section, table, term, unfolding

_DRAWS = 2000  # of what perfectly true probabilities would give: its ends are known to about 0.005
_WIDTH, _HEIGHT = 560, 470
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 24, 40, 56


@dataclass(frozen=True, slots=True, eq=False)
class Chance:
    """What true probabilities would give 95 times in 100: `low` and `high` float64 (b,) shares right per bin, and
    `error`, the calibration error that is exceeded 25 times in 1,000, as by the interval of `intervals.of_ece`.
    """

    low: np.ndarray
    high: np.ndarray
    error: float


def chance(bins: Reliability, seed: int = 0) -> Chance:
    """Simulates answers that are right exactly as often as they say (Bröcker and Smith, 2007)."""
    drawn = np.random.default_rng(seed).binomial(bins.count, bins.confidence, size=(_DRAWS, len(bins.count)))
    low, high = np.quantile(drawn / bins.count, [0.025, 0.975], axis=0)
    errors = np.abs(bins.count * bins.confidence - drawn).sum(axis=1) / bins.count.sum()
    return Chance(low, high, float(np.quantile(errors, 0.975)))


def calibration(material: Material) -> Section:
    """The reliability diagram of the judged records, and where the run has it that of the answers out of fold."""
    judged = reliability(material.evaluation.probabilities, material.evaluation.truth)
    out_of_fold = _stored(material.part("calibration"))
    words = "of the judged answers" if out_of_fold is not None else ""
    drawn = [figure(diagram(judged, words))]
    if out_of_fold is not None:
        drawn.append(figure(diagram(out_of_fold, material.unseen)))
    parts = [tag("div", *drawn, class_="beside"), *_temperature(material)]
    tables = [_table(judged, "The judged answers")]
    if out_of_fold is not None:
        tables.append(_table(out_of_fold, f"The answers {material.unseen}"))
    return section(
        "calibration", "Probabilities", _said(material, judged), *parts, unfolding("The same as a table", *tables)
    )


def diagram(bins: Reliability, whose: str = "") -> Figure:
    """The share right against the stated probability, a dot for each bin, with the bar that chance allows it.

    `whose` goes into the title: "of the judged answers", "out of fold".
    """
    allowed = chance(bins)
    lowest = float(min(bins.confidence.min(), bins.accuracy.min(), allowed.low.min()))
    start = max(0.0, min(0.8, np.floor(lowest * 10 - 1e-9) / 10))
    x = Axis(start, 1, _LEFT, _WIDTH - _RIGHT)
    y = Axis(start, 1, _HEIGHT - _BOTTOM, _TOP)
    marks = axes.ticks(start, 1, 5)
    title = _title(bins, allowed, whose)
    parts = [
        axes.vertical(y, x, marks, _percent, "right, %"),
        axes.horizontal(x, _HEIGHT - _BOTTOM, [(t, _percent(t)) for t in marks], "stated probability, %"),
        axes.line(x.start, y.start, x.end, y.end, SOFT),
        axes.text(x.start + 16, y.end + 24, "more often right than it says", SOFT),
        axes.text(x.end - 8, y.start - 16, "less often right than it says", SOFT, "end"),
        *_dots(bins, allowed, x, y),
    ]
    size = round(float(bins.count.mean()))
    note = f"A dot is {'' if len(set(bins.count.tolist())) == 1 else 'about '}{wording.count(size, 'answer')}; "
    note += "its bar, where it would lie 95 times in 100 if the probabilities were exactly true."
    return Figure(title, note, axes.drawing(_WIDTH, _HEIGHT, title, _described(bins), parts))


def _dots(bins: Reliability, allowed: Chance, x: Axis, y: Axis) -> list[Html]:
    parts = []
    ends = zip(allowed.low.tolist(), allowed.high.tolist(), strict=True)
    for at, (share, (low, high)) in enumerate(zip(bins.accuracy.tolist(), ends, strict=True)):
        here = x.at(float(bins.confidence[at]))
        inside = low - 1e-9 <= share <= high + 1e-9
        parts.append(axes.line(here, y.at(low), here, y.at(high), HAIR, 9))
        parts.append(axes.dot(here, y.at(share), LEAF, 6) if inside else axes.diamond(here, y.at(share), ALARM, 8))
    return parts


def _title(bins: Reliability, allowed: Chance, whose: str) -> str:
    of = f" {whose}" if whose else ""
    gap = float((bins.confidence * bins.count).sum() - bins.right.sum()) / int(bins.count.sum())
    if bins.error <= allowed.error:
        return f"The probabilities{of} are as true as chance lets one see"
    if abs(gap) < bins.error / 3:
        return f"The probabilities{of} are off by {wording.percent(bins.error)}, both ways"
    direction = "promise more than they hold" if gap > 0 else "hold more than they promise"
    return f"The probabilities{of} {direction}: {wording.percent(abs(gap))} on average"


def _said(material: Material, judged: Reliability) -> Html:
    found = metrics_of(material).get("ece")
    value = judged.error if found is None else found.value
    between = "" if found is None or found.interval is None else f" ({wording.percent_range(found.interval)})"
    by_chance = chance(judged).error
    words: list[Child] = [f"A stated probability is off by {wording.percent(value)}{between} on average"]
    if judged.error <= by_chance:
        words.append(f"; chance alone gives up to {wording.percent(by_chance)} on so many answers.")
    else:
        words.append(f", more than the {wording.percent(by_chance)} that chance gives on so many answers.")
    return answer(*words)


def _temperature(material: Material) -> list[Html]:
    stored = material.part("calibration")
    found = stored.get("temperature", material.settings.get("temperature"))
    if not isinstance(found, int | float):
        return []
    words: list[Child] = ["The scores are divided by a ", term("temperature"), f" of {found:.3g}, fitted on answers "]
    words.append(
        "to the records of the training part that were kept aside while the network learned."
        if material.unseen == "kept aside"
        else "to the training part that were given out of fold: by models that had not seen the record."
    )
    ece = (stored.get("out_of_fold") or {}).get("ece") if stored else None
    if isinstance(ece, Mapping):
        between = f" ({wording.percent_range((ece['interval'][0], ece['interval'][1]))})" if ece.get("interval") else ""
        words.append(f" There a stated probability is off by {wording.percent(float(ece['value']))}{between}.")
    return [paragraph(*words)]


def _stored(part: Mapping[str, Any]) -> Reliability | None:
    """The bins of the answers out of fold, where run.json has them."""
    found = (part.get("out_of_fold") or {}).get("reliability")
    if not isinstance(found, Mapping) or not found.get("count"):
        return None
    columns = [np.asarray(found[name], dtype=np.float64) for name in ("count", "right", "confidence")]
    return Reliability(columns[0].astype(np.int64), columns[1].astype(np.int64), columns[2])


def _table(bins: Reliability, caption: str) -> Html:
    allowed = chance(bins)
    rows: list[Sequence[Child]] = [
        [
            wording.percent(float(bins.confidence[at])),
            f"{int(bins.count[at]):,}",
            wording.percent(float(bins.accuracy[at])),
            wording.percent_range((float(allowed.low[at]), float(allowed.high[at]))),
        ]
        for at in range(len(bins.count))
    ]
    columns = [Column("Stated", True), Column("Answers", True), Column("Right", True), Column("By chance", True)]
    return table(caption, columns, rows)


def _described(bins: Reliability) -> str:
    each = zip(bins.confidence.tolist(), bins.accuracy.tolist(), strict=True)
    said = "; ".join(f"{wording.percent(stated)} stated, {wording.percent(right)} right" for stated, right in each)
    return f"Reliability diagram: {said}."


def _percent(share: float) -> str:
    return f"{100 * share:.0f}"

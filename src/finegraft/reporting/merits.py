"""The figures of merit of a run or an evaluation, each with its interval and its meaning."""

from __future__ import annotations

from typing import Any

from finegraft.evaluation.metrics import Metric
from finegraft.reporting import leading, wording
from finegraft.reporting.bars import share_ruler
from finegraft.reporting.leading import unbalanced
from finegraft.reporting.markup import Child, join, tag
from finegraft.reporting.material import Material
from finegraft.reporting.page import Column, Section, section, table, term

# name -> (what it is called, whether it is a share of answers, what it means)
_METRICS: dict[str, tuple[str, bool, str]] = {
    "accuracy": ("Right", True, "Share of right answers."),
    "error_rate": ("Wrong", True, "Share of wrong answers."),
    "top_5_accuracy": ("Right within five", True, "The right class is among its first five answers."),
    "macro_f1": ("Macro F1", False, "From 0 to 1, every class counting the same, however rare."),
    "macro_recall": ("Macro recall", True, "Share found of each class, averaged over the classes."),
    "auroc": ("Ranking", True, "How often, of one record of either class, the right one is ranked first (AUROC)."),
    "average_precision": ("Average precision", True, "Alarms that are right, averaged over all shares found."),
    "ece": ("Calibration error", True, "How far the stated probabilities are from how often they are right (ECE)."),
}


def merits(material: Material) -> Section:
    """The leading figure on a ruler, with what guessing would give, and all of them as a table."""
    found = metrics_of(material)
    if unbalanced(material.evaluation):
        found = {**{key: found[key] for key in ("macro_recall", "macro_f1") if key in found}, **found}
    rows: list[list[Child]] = [_merit(key, metric) for key, metric in found.items()]
    columns = [Column("Measure"), Column("Value", True), Column(term("Interval"), True)]
    first = leading.leading(material.evaluation)
    ruler = share_ruler(first.metric.value, first.metric.interval, first.guess, first.word)
    return section("merits", "How good", tag("div", ruler, class_="ruler"), table("Figures of merit", columns, rows))


def metrics_of(material: Material) -> dict[str, Metric]:
    """The figures by name, as the run has them; computed anew where there is no run."""
    stored = material.part("metrics")
    if not stored:
        return material.evaluation.metrics()
    return {key: _stored(value) for key, value in stored.items()}


def _stored(value: Any) -> Metric:
    interval = value.get("interval")
    return Metric(float(value["value"]), None if interval is None else (float(interval[0]), float(interval[1])))


def _merit(key: str, metric: Metric) -> list[Child]:
    called, is_share, meaning = _METRICS.get(key, (key.replace("_", " ").capitalize(), False, ""))
    head = join([called, tag("span", meaning, class_="note")])
    if is_share:
        between = "–" if metric.interval is None else wording.percent_range(metric.interval)
        return [head, wording.percent(metric.value), between]
    between = "–" if metric.interval is None else "–".join(wording.decimal(end) for end in metric.interval)
    return [head, wording.decimal(metric.value), between]

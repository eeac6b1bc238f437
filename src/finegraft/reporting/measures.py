"""What each metric is called on a page, and how its values are written."""

from __future__ import annotations

import math
from collections.abc import Callable

from finegraft.evaluation.metrics import Metric
from finegraft.reporting import wording

# name -> what it is called; others are called by their names.
_CALLED = {
    "accuracy": "Right",
    "error_rate": "Wrong",
    "macro_f1": "Macro F1",
    "macro_recall": "Macro recall",
    "macro_precision": "Macro precision",
    "micro_f1": "F1 of all tags",
    "ece": "Calibration error",
    "auroc": "AUROC",
    "macro_auroc": "Macro AUROC",
    "exact_match": "All tags right",
    "hamming_loss": "Wrong tags",
    "mae": "Mean error",
    "rmse": "Root mean square error",
    "r2": "R²",
}
_IN_ITS_UNIT = {"mae", "rmse", "median_absolute_error", "mean_error"}
_DECIMAL = {"r2"}


def called(name: str) -> str:
    """The heading of a metric: "Macro F1"."""
    return _CALLED.get(name, name.replace("_", " ").capitalize())


def is_share(name: str) -> bool:
    """Whether it lies in 0..1 and is written in percent."""
    return name not in _IN_ITS_UNIT | _DECIMAL


def written(name: str) -> Callable[[float], str]:
    """How a value of it is written."""
    return wording.percent if is_share(name) else wording.decimal if name in _DECIMAL else short


def between(name: str, metric: Metric) -> str:
    """Its interval as it is written beside the value; a dash where there is none."""
    if metric.interval is None:
        return "–"
    if is_share(name):
        return wording.percent_range(metric.interval)
    return " to ".join(map(written(name), metric.interval))


def short(value: float) -> str:
    """A number to three figures, with a real minus: 0.0123, 12.3, 12,300; the very small and large by powers of ten."""
    if not math.isfinite(value):
        return "–"
    if value and not 1e-3 <= abs(value) < 1e7:
        mantissa, exponent = f"{abs(value):.2e}".split("e")
        text = f"{mantissa}\u00a0×\u00a0{wording.power_of_ten(int(exponent))}"
    else:
        rounded = float(f"{abs(value):.3g}")
        text = f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"
    return f"−{text}" if value < 0 else text

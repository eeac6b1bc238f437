"""How it learned: the curves of the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from finegraft.reporting import measures, wording
from finegraft.reporting.figures import loss_curves, lr_curve, measure_curve
from finegraft.reporting.markup import Html, tag
from finegraft.reporting.material import Material
from finegraft.reporting.page import Column, Section, answer, folded, nothing, section, table, unfolding


def curves(material: Material) -> Section:
    """The curves of the learning-rate finder, of loss and of error by epoch, and the epochs as a table.

    Each is folded under its answer.
    """
    wanted = (measure_curve(material.head_history, _measure(material)), loss_curves(material.head_history))
    drawn = [found for found in wanted if found is not None]
    parts = [_finder(material), *(folded(found) for found in drawn)]
    if drawn:
        parts.append(unfolding("Every epoch, as a table", _epochs(material)))
    else:
        parts.append(nothing("No epoch was recorded: log.jsonl is empty."))
    return section("learning", "How it learned", *_said(material), tag("div", *parts, class_="folds"))


def _measure(material: Material) -> str:
    """The column of `log.jsonl` that says how good it was; in the first runs always the error rate."""
    return str(material.settings.get("metric", "error_rate"))


def _said(material: Material) -> list[Html]:
    """How long it learned, at which rate, and how the training loss came down."""
    epochs = len(material.head_history)
    if not epochs:
        return []
    words = f"It learned for {wording.count(epochs, 'epoch')}"
    rate = material.settings.get("lr") or material.part("settings").get("lr")
    if isinstance(rate, int | float):
        words += f", at a rate of up to {wording.rate(float(rate))}"
    return [answer(f"{words}.")]


def _finder(material: Material) -> Html:
    curve = material.lr_curve
    if curve:
        found = lr_curve(curve["lrs"], curve["losses"], curve["suggestion"], str(curve.get("reason") or ""))
        if found is not None:
            return folded(found)
    rate = material.part("settings").get("lr")
    if isinstance(rate, int | float):
        return nothing(f"The learning rate {wording.rate(rate)} was given, so none was searched for.")
    return nothing("No learning-rate curve was recorded.")


def _epochs(material: Material) -> Html:
    measure = _measure(material)
    columns = [
        Column("Epoch", True),
        Column("Train loss", True),
        Column("Validation loss", True),
        Column(measures.called(measure), True),
        Column("Time", True),
    ]
    rows = [
        [
            f"{place}",
            _written(row, "train_loss", wording.decimal),
            _written(row, "valid_loss", wording.decimal),
            _written(row, measure, measures.written(measure)),
            _written(row, "seconds", wording.duration),
        ]
        for place, row in enumerate(material.head_history, start=1)
    ]
    return table("Every epoch", columns, rows)


def _written(row: Mapping[str, Any], column: str, how: Callable[[float], str]) -> str:
    value = row.get(column)
    return how(float(value)) if isinstance(value, int | float) else "–"

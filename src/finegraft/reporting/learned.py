"""How it learned: the curves of the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from finegraft.reporting import wording
from finegraft.reporting.figures import error_curve, loss_curves, lr_curve
from finegraft.reporting.markup import Html, tag
from finegraft.reporting.material import Material
from finegraft.reporting.page import Column, Section, figure, nothing, section, table, unfolding


def curves(material: Material) -> Section:
    """The curves of loss and error by epoch, the learning-rate finder's, and the epochs as a table."""
    drawn = [found for found in (loss_curves(material.history), error_curve(material.history)) if found is not None]
    if drawn:
        by_epoch = tag("div", *(figure(found) for found in drawn), class_="pair")
        parts = [by_epoch, unfolding("The same, epoch by epoch", _epochs(material))]
    else:
        parts = [nothing("No epoch was recorded: log.jsonl is empty.")]
    return section("learning", "How it learned", _finder(material), *parts)


def _finder(material: Material) -> Html:
    curve = material.lr_curve
    if curve:
        found = lr_curve(curve["lrs"], curve["losses"], curve["suggestion"], str(curve.get("reason") or ""))
        if found is not None:
            return figure(found)
    rate = material.part("settings").get("lr")
    if isinstance(rate, int | float):
        return nothing(f"The learning rate {wording.rate(rate)} was given, so none was searched for.")
    return nothing("No learning-rate curve was recorded.")


def _epochs(material: Material) -> Html:
    columns = [
        Column("Epoch", True),
        Column("Train loss", True),
        Column("Validation loss", True),
        Column("Wrong", True),
        Column("Time", True),
    ]
    rows = [
        [
            f"{place}",
            _written(row, "train_loss", wording.decimal),
            _written(row, "valid_loss", wording.decimal),
            _written(row, "error_rate", wording.percent),
            _written(row, "seconds", wording.duration),
        ]
        for place, row in enumerate(material.history, start=1)
    ]
    return table("Every epoch", columns, rows)


def _written(row: Mapping[str, Any], column: str, how: Callable[[float], str]) -> str:
    value = row.get(column)
    return how(float(value)) if isinstance(value, int | float) else "–"

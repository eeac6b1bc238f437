"""What letting the network learn too has brought, and how it learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from finegraft.reporting import wording
from finegraft.reporting.figures import loss_curves
from finegraft.reporting.markup import Html, tag
from finegraft.reporting.material import Material
from finegraft.reporting.page import Column, Section, answer, folded, paragraph, section, table


def fine_tuning(material: Material) -> Section | None:
    """Whether the network that learned is better than the head alone, by records neither of them learned from.

    None where nothing was to be fine-tuned.
    """
    told = material.part("fine_tuning")
    if not told:
        return None
    parts = [answer(_verdict(told))]
    if told.get("network"):
        parts += [paragraph(_basis(material, told)), _both(told)]
    drawn = loss_curves(material.tuning_history)
    if drawn is not None:
        parts.append(tag("div", folded(drawn), class_="folds"))
    return section("fine-tuning", "Fine-tuning", *parts)


def _verdict(told: Mapping[str, Any]) -> str:
    if not told.get("network"):
        return f"The backbone did not learn: {told['reason']}."
    change = told["network"]["loss"] / told["head"]["loss"] - 1
    by = f"its loss is {wording.percent(abs(change))} {'lower' if change < 0 else 'higher'}"
    if told["better"]:
        return f"The network learned too, and is better than the head alone: {by}."
    return (
        f"The network learned too, and was not surely better than the head alone: {by}. So the model is that head "
        "on the frozen backbone."
    )


def _basis(material: Material, told: Mapping[str, Any]) -> str:
    asked, learned = material.counted(told["asked"]), material.counted(told["learned"])
    words = f"Asked of {asked} that were kept aside; both learned from the other {learned}. "
    if told.get("best_epoch"):
        words += (
            f"The weights are those of epoch {told['best_epoch']} of {told['epochs']}, the best on those kept aside. "
        )
    return words + f"The part judged above chose nothing. {_capital(told['reason'])}."


def _both(told: Mapping[str, Any]) -> Html:
    columns = [Column("Model"), Column("Loss", True), Column("Error", True)]
    rows = [
        [called, wording.decimal(told[key]["loss"]), wording.decimal(told[key]["error"])]
        for called, key in (("Head on the frozen backbone", "head"), ("Network that learned", "network"))
    ]
    return table("Both, asked the same", columns, rows)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]

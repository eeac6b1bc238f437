"""Two runs compared: luck is not taken for skill, and a real difference is found."""

from __future__ import annotations

from typing import Any

from benchmarks.promise import Measured, Promise, at_least, at_most
from benchmarks.workshop import Workshop, json_of
from finegraft.evaluation.intervals import wilson

COMMAND = "python -m benchmarks.rivals $DATA/clothing"


def _compared(workshop: Workshop) -> dict[str, Any]:
    def measure() -> dict[str, Any]:
        return json_of(workshop.python("benchmarks.rivals", workshop.data("clothing"), cache="clothing"))

    return workshop.once("rivals", measure)


def share(found: dict[str, Any], key: str) -> Measured:
    """The share of pairs counted under `key`, with its interval and what the pairs are like."""
    called, pairs = found[key], found["pairs"]
    low, high = wilson(called, pairs)
    one, other = found["one_sided"], 100 * found["apart"]
    words = f"{called / pairs:.3f} ({low:.3f}–{high:.3f}), {called} of {pairs}; of {found['judged']:,} photos each, "
    words += f"{one:.0f} are right in one of the two only and {other:.1f} % answered differently"
    return Measured(called / pairs, words, found)


def _chance(workshop: Workshop) -> Measured:
    return share(_compared(workshop)["chance"], "called")


def _power(workshop: Workshop) -> Measured:
    return share(_compared(workshop)["skill"], "called_b")


ROWS = [
    Promise(
        "score-4-chance",
        "clothing but its test part, 200 pairs of models that are equally good, judged on 1,000: called different",
        at_most(0.05),
        COMMAND,
        _chance,
    ),
    Promise(
        "score-4-power",
        "the same, 200 pairs of which one is better by 3 points: the better one is named",
        at_least(0.8),
        COMMAND,
        _power,
    ),
]

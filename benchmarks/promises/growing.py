"""Would more photos help: what a curve from half of clothing's photos foretells against what all of them give."""

from __future__ import annotations

from typing import Any

from benchmarks.promise import Measured, Promise, at_least, at_most
from benchmarks.workshop import Workshop, json_of

SEEDS = range(10)
COMMAND = "python -m benchmarks.foretelling $DATA/clothing 0 1 2 3 4 5 6 7 8 9"


def _foretold(workshop: Workshop) -> dict[str, Any]:
    def measure() -> dict[str, Any]:
        return json_of(workshop.python("benchmarks.foretelling", workshop.data("clothing"), *map(str, SEEDS)))

    return workshop.once("foretold", measure)


def within(found: dict[str, Any]) -> int:
    """How many rows hold the measured accuracy within their band."""
    return sum(row["low"] <= found["measured"] <= row["high"] for row in found["rows"])


def half_width(row: dict[str, Any]) -> float:
    """Half the length of a row's band, in points."""
    return 50 * float(row["high"] - row["low"])


def _within(workshop: Workshop) -> Measured:
    found = _foretold(workshop)
    held, first = within(found), found["rows"][0]
    bands = ", ".join(f"{row['foretold']:.3f} ({row['low']:.3f}–{row['high']:.3f})" for row in found["rows"])
    words = f"{held} of {len(found['rows'])}; from {first['learned']} photos for {found['photos']}: {bands}"
    words += f"; measured out of ten folds {found['measured']:.4f} of {found['judged']}"
    return Measured(held, words, found)


def _width(workshop: Workshop) -> Measured:
    widths = [half_width(row) for row in _foretold(workshop)["rows"]]
    return Measured(max(widths), f"{max(widths):.2f} points, the widest; the narrowest {min(widths):.2f}")


def _seconds(workshop: Workshop) -> Measured:
    times = [row["seconds"] for row in _foretold(workshop)["rows"]]
    return Measured(max(times), f"{max(times):.1f} s, the longest of {len(times)}: head, rate, fit, calibration, curve")


ROWS = [
    Promise(
        "score-3-foretold",
        "clothing, ten seeds: the curve from half the photos holds the accuracy of all within its 95 % band",
        at_least(9),
        COMMAND,
        _within,
    ),
    Promise("score-3-width", "the same, half the length of the widest band", at_most(3, "points"), COMMAND, _width),
    Promise("score-3-seconds", "the same, from features to forecast", at_most(20, "s"), COMMAND, _seconds),
]

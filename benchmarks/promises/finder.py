"""The rate finder: it always answers, and what it answers is near the best there is."""

from __future__ import annotations

from benchmarks.promise import Measured, Promise, at_least, at_most
from benchmarks.workshop import Workshop, json_of
from finegraft.training.lr_finder import RULE


def _answers(workshop: Workshop) -> Measured:
    found = json_of(workshop.python("benchmarks.finding", workshop.data("clothing") / "train"))
    rows = found["rows"]
    return Measured(100 * found["share"], f"{sum(row['answered'] for row in rows)} of {len(rows)}", found)


def _near_the_best(workshop: Workshop) -> Measured:
    found = json_of(workshop.python("benchmarks.choices_rate", workshop.data("clothing") / "train"))
    by_head = {kind: 100 * rules[RULE] for kind, rules in found["over"].items()}
    words = ", ".join(f"{kind} head {share:+.1f} %" for kind, share in by_head.items())
    return Measured(max(by_head.values()), f"{words}, by the rule {RULE}", found)


ROWS = [
    Promise(
        "loop-3-answers",
        "the rate finder answers: 20, 50, 200 and 3,000 photos, lite0, resnet18 and vit_tiny, head and whole network",
        at_least(100, "%"),
        "python -m benchmarks.finding $DATA/clothing/train",
        _answers,
    ),
    Promise(
        "loop-3-rate",
        "clothing, five seeds, calibrated held-out loss at the finder's rate above that at the best of seven rates",
        at_most(5, "%"),
        "python -m benchmarks.choices_rate $DATA/clothing/train",
        _near_the_best,
    ),
]

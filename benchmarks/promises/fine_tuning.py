"""The network learns too: better than the head alone where photos are many enough, no worse where they are few."""

from __future__ import annotations

from typing import Any

from benchmarks import tuning_folds, unfreezing
from benchmarks.promise import Measured, Promise, Wanted, at_least, at_most
from benchmarks.workshop import Workshop

FOLDS = "python -m benchmarks.tuning_folds $DATA/{} --budget 6m"


def _folds(workshop: Workshop, name: str) -> dict[str, Any]:
    return workshop.once(f"folds-{name}", lambda: tuning_folds.compare(workshop, workshop.data(name)))


def _said(found: dict[str, Any]) -> str:
    low, high = found["interval"]
    used = sum(found["better"])
    return (
        f"{100 * found['difference']:+.2f} points ({100 * low:+.2f} to {100 * high:+.2f}) over {found['photos']:,} "
        f"photos; the network was used in {used} of {len(found['better'])} folds"
    )


def _lower(name: str) -> Any:
    def measure(workshop: Workshop) -> Measured:
        found = _folds(workshop, name)
        return Measured(100 * found["interval"][0], _said(found), found)

    return measure


def _upper(name: str) -> Any:
    def measure(workshop: Workshop) -> Measured:
        found = _folds(workshop, name)
        return Measured(100 * found["interval"][1], _said(found), found)

    return measure


def _seconds(workshop: Workshop) -> Measured:
    times = _folds(workshop, "clothing")["seconds"]
    return Measured(max(times), f"{', '.join(f'{time:.0f}' for time in times)} s", {"seconds": times})


def _unfrozen(workshop: Workshop, how: str) -> Measured:
    found = workshop.once("unfreezing", lambda: unfreezing.compare(workshop.data("pets")))
    words = f"{100 * found['head']:.1f} % wrong with the head alone, {100 * found[how]:.1f} % after unfreezing"
    return Measured(100 * (found[how] - found["head"]), f"{words} at {found['rates'][how]}", found)


ROWS = [
    Promise(
        "loop-1-clothing",
        "all of clothing in 5 folds, fine-tuned within 6 minutes less head alone: lower end of the 95 % interval",
        Wanted("> 0 points", lambda number: number > 0),
        FOLDS.format("clothing"),
        _lower("clothing"),
    ),
    Promise(
        "loop-1-budget",
        "the same, the longest of these commands",
        at_most(360, "s"),
        FOLDS.format("clothing"),
        _seconds,
    ),
    *(
        Promise(
            f"loop-1-{name}",
            f"{name} in 5 folds, the same: upper end of the interval",
            at_least(0, "points"),
            FOLDS.format(name),
            _upper(name),
        )
        for name in ("bears", "pets")
    ),
    Promise(
        "loop-2-naive",
        "pets, a fifth held out: errors more than the head alone after one epoch of all layers at the head's rate",
        Wanted("> 0 points", lambda number: number > 0),
        "python -m benchmarks.unfreezing $DATA/pets",
        lambda workshop: _unfrozen(workshop, "naive"),
    ),
    Promise(
        "loop-2-slice",
        "the same with lower rates below, `slice`",
        at_most(0, "points"),
        "python -m benchmarks.unfreezing $DATA/pets",
        lambda workshop: _unfrozen(workshop, "slice"),
    ),
]

"""The network learns too: better than the head alone where photos are many enough, no worse where they are few."""

from __future__ import annotations

from typing import Any

from benchmarks import tuning_folds, unfreezing
from benchmarks.promise import Measured, Promise, Wanted, at_least, at_most
from benchmarks.workshop import Workshop, json_of

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


def _unfrozen(workshop: Workshop, way: str) -> Measured:
    found = workshop.once("unfreezing", lambda: unfreezing.compare(workshop.data("pets")))[way]
    low, high = found["interval"]
    words = (
        f"{100 * found['before']:.1f} % wrong before, {100 * found['after']:.1f} % after, at {found['rates']}: "
        f"accuracy {100 * found['difference']:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})"
    )
    return Measured(100 * high, words, found)


CHECKS = ("tests/training/test_schedule.py", "tests/training/test_optimizers.py")


def _steps(workshop: Workshop) -> Measured:
    done = workshop.python("pytest", "-q", *CHECKS, "-k", "torch", memory=False)  # raises where one fails
    passed = int(done.stdout.rpartition(" passed")[0].split()[-1])
    return Measured(passed, f"{passed} of {passed}: every optimizer by name, and trainings with one cycle")


def _views(workshop: Workshop) -> Measured:
    found = json_of(workshop.python("benchmarks.same_views", workshop.data("clothing") / "train", memory=False))
    return Measured(found["different"], f"{found['different']} of {found['compared']:,}", found)


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
        "pets, a fifth held out, all layers unfrozen: change of accuracy in an epoch at the head's rate, upper end of "
        "its interval over three splits",
        Wanted("< 0 points", lambda number: number < 0),
        "python -m benchmarks.unfreezing $DATA/pets",
        lambda workshop: _unfrozen(workshop, "naive"),
    ),
    Promise(
        "loop-2-slice",
        "the same in two epochs at `slice(1e-6, 1e-4)`",
        at_least(0, "points"),
        "python -m benchmarks.unfreezing $DATA/pets",
        lambda workshop: _unfrozen(workshop, "slice"),
    ),
    Promise(
        "loop-4-steps",
        "toy networks, weights after our steps and after torch's own equal to 1e-6: how many such checks hold, all",
        at_least(12),
        f"python -m pytest {' '.join(CHECKS)} -k torch",
        _steps,
    ),
    Promise(
        "loop-4-workers",
        "photos of clothing in every set of changes, and maps of them: arrays that differ with 1 or 2 workers from "
        "those with none",
        at_most(0),
        "python -m benchmarks.same_views $DATA/clothing/train",
        _views,
    ),
]

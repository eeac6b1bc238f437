"""fastai on the same photos with the same backbone."""

from __future__ import annotations

import subprocess
from dataclasses import asdict
from pathlib import Path

from benchmarks import tuning_folds
from benchmarks.fastai import compare
from benchmarks.fastai.compare import Comparison
from benchmarks.promise import CannotMeasureError, Measured, Promise, at_least
from benchmarks.workshop import Workshop


def _compared(workshop: Workshop, data: Path, frozen: int, unfrozen: int, budget: str | None = None) -> Comparison:
    try:
        return compare.compare(workshop, data, frozen, unfrozen, budget)
    except subprocess.CalledProcessError as error:  # pip, the only thing run so: no network, most often
        raise CannotMeasureError("fastai's environment could not be installed") from error


def _ratio(workshop: Workshop) -> Measured:
    data = workshop.data("clothing")
    found = _compared(workshop, data, compare.FROZEN, compare.UNFROZEN)
    compare.RESULTS.write_text(compare.section(found, data.name), encoding="utf-8")
    return Measured(found.ratio, compare.words(found), asdict(found))


def _fine_tuned(workshop: Workshop) -> Measured:
    fold = compare.one_fold(workshop.data("clothing"), 0, workshop.empty("one-fold"))
    found = _compared(workshop, fold, 1, 4, tuning_folds.BUDGET)  # `fine_tune(4)` freezes for one epoch first
    return Measured(found.ratio, compare.words(found), asdict(found))


ROWS = [
    Promise(
        "spine-8-fastai",
        "time of fastai to its best accuracy, over ours to the same",
        at_least(20, "times"),
        "make bench",
        _ratio,
    ),
    Promise(
        "loop-1-fastai",
        "one fold of clothing, ours fine-tuned within 6 minutes: time of fastai's `fine_tune(4)` to its best accuracy, "
        "over ours to the same",
        at_least(5, "times"),
        "python -m benchmarks.fastai.compare --fold 0 --frozen 1 --unfrozen 4 --budget 6m",
        _fine_tuned,
    ),
]

"""fastai on the same photos with the same backbone."""

from __future__ import annotations

import subprocess
from dataclasses import asdict

from benchmarks.fastai import compare
from benchmarks.promise import CannotMeasureError, Measured, Promise, at_least
from benchmarks.workshop import Workshop


def _ratio(workshop: Workshop) -> Measured:
    data = workshop.data("clothing")
    try:
        found = compare.compare(workshop, data)
    except subprocess.CalledProcessError as error:  # pip, the only thing run so: no network, most often
        raise CannotMeasureError("fastai's environment could not be installed") from error
    compare.RESULTS.write_text(compare.section(found, data.name), encoding="utf-8")
    return Measured(found.ratio, compare.words(found), asdict(found))


ROWS = [
    Promise(
        "spine-8-fastai",
        "time of fastai to its best accuracy, over ours to the same",
        at_least(20, "times"),
        "make bench",
        _ratio,
    ),
]

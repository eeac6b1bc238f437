"""One photo, cold process: the command against the least any program with that engine can need."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks import bare, watch
from benchmarks.duel import in_turn
from benchmarks.promise import Measured, Promise, at_most
from benchmarks.promises.training import clothing_run
from benchmarks.workshop import CORES, Workshop

ROUNDS = 9
PREDICT = "finegraft predict RUN/model.fg PHOTO --json"


def _times(workshop: Workshop) -> dict[str, float]:
    """Median seconds of the command and of the bare script on each engine, in turn so that drift hits all alike."""

    def measure() -> dict[str, float]:
        model = clothing_run(workshop) / "model.fg"
        photo = next(iter(sorted((workshop.data("clothing") / "test").glob("*/*.jpg"))))
        contenders = {"predict": lambda: workshop.cli("predict", model, photo, "--json", memory=False).seconds}
        contenders |= {engine: partial(_bare, workshop, engine, model) for engine in bare.ENGINES}
        # The round before the first warms the disk cache and compiles the sources.
        taken = in_turn(contenders, ROUNDS)
        return {name: median(times) for name, times in taken.items()}

    return workshop.once("starting", measure)


def _bare(workshop: Workshop, engine: str, model: Path) -> float:
    command: list[str | Path] = [sys.executable, bare.__file__, engine, model]
    return watch.checked(watch.run(command, env=workshop.environment(), cores=CORES, memory=False)).seconds


def _whole(workshop: Workshop) -> Measured:
    times = _times(workshop)
    return Measured(times["predict"], f"{times['predict']:.2f} s, median of {ROUNDS}", dict(times))


def _over_bare(workshop: Workshop) -> Measured:
    times = _times(workshop)
    engine = min(bare.ENGINES, key=lambda name: times[name])
    over = times["predict"] - times[engine]
    each = ", ".join(f"{name} {times[name]:.2f} s" for name in bare.ENGINES)
    return Measured(over, f"{over:.2f} s over the quickest bare script ({each})", dict(times))


ROWS = [
    Promise("spine-4-start", "predict one photo, cold process", at_most(1.0, "s"), PREDICT, _whole),
    Promise(
        "spine-4-over-bare",
        "the same, above a bare script that imports the engine, loads the model and runs once",
        at_most(0.3, "s"),
        "python benchmarks/bare.py onnxruntime RUN/model.fg",
        _over_bare,
    ),
]

"""One photo, cold process: the command against the least any program with that engine can need."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median

from benchmarks import bare, watch
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
        taken: dict[str, list[float]] = {name: [] for name in ("predict", *bare.ENGINES)}
        for _ in range(ROUNDS + 1):
            taken["predict"].append(workshop.cli("predict", model, photo, "--json", memory=False).seconds)
            for engine in bare.ENGINES:
                taken[engine].append(_bare(workshop, engine, model))
        # The first round warms the disk cache and compiles the sources.
        return {name: median(times[1:]) for name, times in taken.items()}

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

"""Small sets, a random fifth held out, mean over five seeds."""

from __future__ import annotations

from collections.abc import Callable
from statistics import mean

from benchmarks.promise import Measured, Promise, at_least
from benchmarks.workshop import Workshop, json_of

SEEDS = range(5)


def _mean_accuracy(name: str) -> Callable[[Workshop], Measured]:
    def measure(workshop: Workshop) -> Measured:
        folder = workshop.data(name)
        runs = [
            json_of(
                workshop.cli("train", folder, "-o", workshop.empty("run"), "--seed", str(seed), "--json", cache=name)
            )
            for seed in SEEDS
        ]
        each = [run["accuracy"] for run in runs]
        words = f"{mean(each):.4f}, seeds: {', '.join(f'{accuracy:.3f}' for accuracy in each)}"
        words += f"; {runs[0]['n_train']} to learn from, {runs[0]['n_judged']} {runs[0]['judged_on']}"
        return Measured(mean(each), words, {"each": each})

    return measure


def _command(name: str) -> str:
    return f"for s in 0 1 2 3 4; do finegraft train $DATA/{name} -o RUN$s --seed $s --json; done"


ROWS = [
    Promise(
        "spine-5-bears", "bears, five seeds, mean accuracy", at_least(0.965), _command("bears"), _mean_accuracy("bears")
    ),
    Promise(
        "spine-5-pets",
        "pets (37 breeds, 8 photos each), five seeds, mean accuracy",
        at_least(0.86),
        _command("pets"),
        _mean_accuracy("pets"),
    ),
]

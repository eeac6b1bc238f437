"""The main job on 3,068 photos of clothes: how good, how fast, how large; from an empty cache and from a full one."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.promise import CannotMeasureError, Measured, Promise, at_least, at_most
from benchmarks.watch import Watched
from benchmarks.workshop import Workshop, beside, json_of

CACHE = "clothing-cache"
REPEATS = 3
TRAIN = "finegraft train $DATA/clothing -o RUN --json"


def clothing_run(workshop: Workshop) -> Path:
    """The RUN folder of one training on clothing with every default, from an empty cache."""
    _cold(workshop)
    return workshop.scratch / "clothing-run"


def _cold(workshop: Workshop) -> Watched:
    def train() -> Watched:
        workshop.empty(CACHE)
        return _train(workshop, workshop.empty("clothing-run"))

    return workshop.once("clothing-cold", train)


def _train(workshop: Workshop, run: Path) -> Watched:
    return workshop.cli("train", workshop.data("clothing"), "-o", run, "--json", cache=CACHE)


def _warm(workshop: Workshop) -> list[Watched]:
    def train() -> list[Watched]:
        _cold(workshop)
        return [_train(workshop, workshop.empty("clothing-again")) for _ in range(REPEATS)]

    return workshop.once("clothing-warm", train)


def _accuracy(workshop: Workshop) -> Measured:
    trained = json_of(_cold(workshop))
    test = workshop.data("clothing") / "test"
    scores = json_of(workshop.cli("eval", clothing_run(workshop), test, "--json", cache=CACHE))
    low, high = scores["accuracy_interval"]
    words = f"{scores['accuracy']:.4f} (95 %: {low:.3f}–{high:.3f}) on {scores['n_judged']} photos"
    words += f"; training itself said {trained['accuracy']:.4f}, judged on {trained['judged_on']}"
    return Measured(scores["accuracy"], words, {"n_judged": scores["n_judged"], "trained": trained["accuracy"]})


def _cold_seconds(workshop: Workshop) -> Measured:
    done = _cold(workshop)
    words = f"{done.seconds:.1f} s ({_stages(json_of(done))}){beside(done)}"
    return Measured(done.seconds, words, {"seconds": json_of(done)["seconds"], "others": done.others})


def _cold_memory(workshop: Workshop) -> Measured:
    done = _cold(workshop)
    if done.peak is None:
        raise CannotMeasureError("memory of a process tree is read from /proc, which is not here")
    return Measured(done.peak / 1e9, f"{done.peak / 1e9:.2f} GB")


def _warm_seconds(workshop: Workshop) -> Measured:
    runs = _warm(workshop)
    times = sorted(done.seconds for done in runs)
    middle = sorted(runs, key=lambda done: done.seconds)[REPEATS // 2]
    words = f"{middle.seconds:.1f} s, median of {REPEATS} ({_stages(json_of(middle))}){beside(middle)}"
    return Measured(middle.seconds, words, {"times": times, "seconds": json_of(middle)["seconds"]})


def _named_share(workshop: Workshop) -> Measured:
    runs = _warm(workshop)
    share = median(sum(_seconds(json_of(done)).values()) / done.seconds for done in runs)
    return Measured(share, f"stages add up to {share:.0%} of the whole process")


def _seconds(summary: dict[str, Any]) -> dict[str, float]:
    return {stage: s for stage, s in summary["seconds"].items() if stage != "total"}


def _stages(summary: dict[str, Any]) -> str:
    return ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in _seconds(summary).items())


ROWS = [
    Promise(
        "spine-2-accuracy",
        "clothing, every default, accuracy on the given test part",
        at_least(0.885),
        "finegraft eval RUN $DATA/clothing/test --json",
        _accuracy,
    ),
    Promise("spine-2-seconds", "the same from an empty cache, whole process", at_most(75, "s"), TRAIN, _cold_seconds),
    Promise(
        "spine-2-memory", "the same, peak memory of the process tree (PSS)", at_most(1.5, "GB"), TRAIN, _cold_memory
    ),
    Promise("spine-3-seconds", "the same with a full cache, whole process", at_most(25, "s"), TRAIN, _warm_seconds),
    Promise(
        "spine-3-stages", "where that time goes: share of it under a stage's name", at_least(0.85), TRAIN, _named_share
    ),
]

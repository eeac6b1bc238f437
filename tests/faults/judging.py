"""What must hold after a command was stopped: a judge for each kind. Every sentence it yields is a fault."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

from tests.faults import following
from tests.faults.ground import Ground
from tests.faults.phases import ENDING, STARTING
from tests.faults.process import Ended
from tests.faults.wholeness import cache_faults, entries, litter, run_faults

Faults = Iterator[str]
_UNFINISHED = frozenset({"unfinished.txt"})
_REPLACING = _UNFINISHED | {".new", ".moving"}


def check(ground: Ground, ended: Ended) -> Faults:
    """After `check`: it says the same as ever, and what it remembers is right."""
    yield from cache_faults(ground.cache, ground.entries)
    again = ground.finegraft(*ground.check())
    yield from following.works(again, "check")
    if again.out != ground.said:
        yield "the next `check` says something else"
    yield from following.clean(ground)


def training(ground: Ground, ended: Ended) -> Faults:
    """After `train` into a new folder: there is a whole run, or none and the same command makes it."""
    yield from _run_or_none(ground)
    yield from following.clean(ground)


def neighbours(ground: Ground, ended: Ended) -> Faults:
    """After one of two trainings on one cache: the other one's run is whole too."""
    yield from run_faults(ground.place / "beside", ground.reference / "beside")
    yield from training(ground, ended)


def replacing(ground: Ground, ended: Ended) -> Faults:
    """After `train --force`: the old run or the new one, whole."""
    yield from following.no_data(ground)
    if not following.listed(ground):
        yield "neither the old run nor the new one is listed"
    old, new = (list(run_faults(ground.run, place, _REPLACING)) for place in (ground.old, ground.whole))
    if old and new:
        yield f"the run is neither the old one ({old[0]}) nor the new one ({new[0]})"
    yield from following.answers(ground)
    yield from following.works(ground.finegraft(*ground.train(ground.run, "--force")), "train --force")
    yield from run_faults(ground.run, ground.whole)
    yield from following.answers(ground)
    yield from following.clean(ground)


def predicting(ground: Ground, ended: Ended) -> Faults:
    """After `predict --html --sort-into`: every copy is whole, the page too, and the same command completes them."""
    yield from _whole_files(ground)
    yield from following.works(ground.finegraft(*ground.sort()), "predict")
    yield from _whole_files(ground)
    yield from _lacking(ground)
    yield from following.clean(ground)


def reporting(ground: Ground, ended: Ended) -> Faults:
    """After `report`: the old page or the new one; nothing else was touched."""
    yield from run_faults(ground.run, ground.whole, _parts(ground.run))
    yield from following.works(ground.finegraft("report", ground.run), "report")
    yield from run_faults(ground.run, ground.whole)
    yield from following.clean(ground)


def clearing(ground: Ground, ended: Ended) -> Faults:
    """After `cache clear`: all is there or nothing, and the cache goes on working."""
    full = entries(ground.full_cache)
    yield from cache_faults(ground.cache, full)
    yield from following.works(ground.finegraft("cache", "--json"), "cache")
    if entries(ground.cache):
        yield from cache_faults(ground.cache, full, complete=True)
    yield from following.works(ground.finegraft(*ground.check()), "check")
    yield from following.works(ground.finegraft("cache", "clear"), "cache clear")
    yield from following.clean(ground)


def interrupted(ground: Ground, ended: Ended) -> Faults:
    """After Ctrl-C on `train`: one sentence, nothing half-written, no litter; then as after any stop.

    Before our first line runs, it is the interpreter that says what it likes.
    """
    before_us = ended.phase.name == STARTING and not any(ground.run.parent.iterdir())
    if ended.code not in (0, 130, -signal.SIGINT) and not before_us:
        yield f"Ctrl-C ended it with {ended.code}: {following.last(ended)}"
    if ended.code == 0 and ended.struck not in ("report", ENDING):
        yield f"Ctrl-C in the phase {ended.struck} was not heard"
    if "Traceback" in ended.err and not before_us:
        yield f"Ctrl-C showed a traceback: {following.last(ended)}"
    if ground.run.exists() and not (ground.run / "run.json").exists():
        yield f"Ctrl-C left a folder with {sorted(path.name for path in ground.run.iterdir())}"
    yield from litter(ground.place)
    yield from training(ground, ended)


def full_disk(ground: Ground, ended: Ended) -> Faults:
    """After `train` on a full disk: one message and no run, or, where only the cache did not fit, a whole run."""
    if ended.code != 0:
        yield from following.refuses(ended, "train", "Free some space")
        if ground.run.exists():
            yield f"a full disk left a folder with {sorted(path.name for path in ground.run.iterdir())}"
    elif not following.listed(ground):
        yield "train ended with 0, and there is no run"
    yield from _run_or_none(ground)
    yield from following.clean(ground, complete=ended.code != 0)  # a run may be whole and its cache not


def no_cache(ground: Ground, ended: Ended) -> Faults:
    """After `train` where nothing can be remembered: a run or none; the next command works without a cache too."""
    if not following.listed(ground):
        yield from following.no_run(ground)
        yield from following.works(ground.finegraft(*ground.train(ground.run)), "train", warned=True)
    yield from run_faults(ground.run, ground.whole, _UNFINISHED)
    yield from following.answers(ground)
    yield from litter(ground.place)


def _run_or_none(ground: Ground) -> Faults:
    yield from cache_faults(ground.cache, ground.entries)
    yield from following.no_data(ground)
    listed = following.listed(ground)
    if listed:
        yield from run_faults(ground.run, ground.whole, _UNFINISHED)
        again = ground.finegraft(*ground.train(ground.run))
        yield from following.refuses(again, "train", "already holds a finished run")
    else:
        yield from following.no_run(ground)
        yield from following.works(ground.finegraft(*ground.train(ground.run)), "train")
        yield from run_faults(ground.run, ground.whole)
    yield from following.answers(ground)


def _whole_files(ground: Ground) -> Faults:
    for path in sorted(path for path in ground.place.rglob("*") if path.is_file()):
        name = path.relative_to(ground.place)
        if name.parts[0] in ("sorted", "page.html") and not path.name.endswith(".part"):
            wanted = ground.reference / name
            if not wanted.exists() or wanted.read_bytes() != path.read_bytes():
                yield f"{name} is not what an undisturbed command writes"


def _lacking(ground: Ground) -> Faults:
    for wanted in sorted(ground.reference.rglob("*")):
        if not (ground.place / wanted.relative_to(ground.reference)).exists():
            yield f"{wanted.relative_to(ground.reference)} is lacking"


def _parts(folder: Path) -> frozenset[str]:
    return frozenset(path.name for path in folder.glob(".*.part"))

"""The commands that follow a stop, and what each must do. Every sentence yielded is a fault."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.faults.ground import Ground
from tests.faults.process import Ended
from tests.faults.wholeness import cache_faults, litter

Faults = Iterator[str]


def works(ended: Ended, what: str, warned: bool = False) -> Faults:
    """It ended well, and without a warning about the cache unless it may have `warned`."""
    if ended.code != 0:
        yield f"the next `{what}` ended with {ended.code}: {last(ended)}"
    elif "The cache" in ended.err and not warned:
        yield f"the next `{what}` warned: {last(ended)}"


def refuses(ended: Ended, what: str, said: str) -> Faults:
    """It ended with one message, and `said` is in it."""
    errors = [line for line in _lines(ended.err) if line.startswith("Error: ")]
    if ended.code != 1 or len(errors) != 1 or said not in errors[0] or "Traceback" in ended.err:
        yield f"`{what}` should have said {said!r}, and ended with {ended.code}: {last(ended)}"


def listed(ground: Ground) -> bool:
    """Whether `finegraft runs` knows the run."""
    found = ground.finegraft("runs", ground.place, "--json")
    return found.code == 0 and str(ground.run) in [row["path"] for row in json.loads(found.out)["rows"]]


def no_run(ground: Ground) -> Faults:
    """Nothing takes what lies there for a run."""
    if ground.run.exists():
        said = "was not finished" if any(ground.run.iterdir()) else "is not a run"
        yield from refuses(ground.finegraft("predict", ground.run, ground.one_photo), "predict", said)


def no_data(ground: Ground) -> Faults:
    """Nothing takes what lies there for photos."""
    yield from refuses(ground.finegraft("check", ground.run.parent), "check", "holds no files")


def answers(ground: Ground) -> Faults:
    """The run predicts and shows its report."""
    page = ground.root / "page.html"
    yield from works(ground.finegraft("predict", ground.run, ground.one_photo, "--json"), "predict", warned=True)
    yield from works(ground.finegraft("report", ground.run, "-o", page), "report")


def clean(ground: Ground, complete: bool = True) -> Faults:
    """The cache opens, holds all there is to remember if it should, and nothing is left lying about."""
    yield from works(ground.finegraft("cache", "--json"), "cache")
    yield from cache_faults(ground.cache, ground.entries, complete)
    yield from litter(ground.place)


def last(ended: Ended) -> str:
    """The last line of what it said."""
    return (_lines(ended.err) or _lines(ended.out) or ["no word"])[-1]


def _lines(said: str) -> list[str]:
    """What a person sees: a counter is erased and written over."""
    lines = [line.rpartition("\x1b[2K")[2] for line in said.splitlines()]
    return [line for line in lines if line.strip()]

"""The table: what lies there, which command is stopped and how, what must hold afterwards. A row for every command."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from tests.faults import judging
from tests.faults.ground import Ground
from tests.faults.process import Ended

How = Literal["kill", "interrupt", "terminate", "full disk"]


@dataclass(frozen=True)
class Scenario:
    """One row. `prepare` makes `ground.place` anew, `words` is the command, `how` it is stopped.

    `judge` gets what ended and yields a sentence for everything that should not be; it runs the next commands too.
    `beside` is a second command that is started first and left alone: it must end well.
    """

    name: str
    prepare: Callable[[Ground], None]
    words: Callable[[Ground], tuple[str, ...]]
    judge: Callable[[Ground, Ended], Iterator[str]]
    how: How = "kill"
    beside: Callable[[Ground], tuple[str, ...]] | None = None


def _train(ground: Ground) -> tuple[str, ...]:
    return ground.train(ground.run)


def _full_cache(ground: Ground) -> None:
    """The cache of a training and no run."""

    def make() -> None:
        ground.must(*ground.train(ground.run))
        shutil.rmtree(ground.run)

    ground.kept("full cache", make)


def _old_run(ground: Ground) -> None:
    """A finished run of another seed, and a full cache."""
    ground.kept("old run", lambda: ground.must(*ground.train(ground.run, "--seed", "1")))


def _finished(ground: Ground) -> None:
    """The run that the same command makes, and a full cache."""
    ground.kept("finished", lambda: ground.must(*ground.train(ground.run)))


def _no_cache(ground: Ground) -> None:
    """A file where the cache folder should be: nothing can be kept, whoever the user is."""
    ground.clear()
    ground.cache.touch()


CHECK = Scenario("check, empty cache", Ground.clear, Ground.check, judging.check)
TRAIN = Scenario("train, empty cache", Ground.clear, _train, judging.training)
TRAIN_AGAIN = Scenario("train, full cache", _full_cache, _train, judging.training)
REPLACE = Scenario("train --force", _old_run, lambda ground: ground.train(ground.run, "--force"), judging.replacing)
ALL = (
    CHECK,
    TRAIN,
    TRAIN_AGAIN,
    REPLACE,
    Scenario("predict --html --sort-into", _finished, Ground.sort, judging.predicting),
    Scenario("report", _finished, lambda ground: ("report", str(ground.run)), judging.reporting),
    Scenario("cache clear", _full_cache, lambda _: ("cache", "clear"), judging.clearing),
    Scenario(
        "one of two trainings on one cache",
        Ground.clear,
        _train,
        judging.neighbours,
        beside=lambda ground: ground.train(ground.place / "beside"),
    ),
    Scenario("Ctrl-C on train", Ground.clear, _train, judging.interrupted, "interrupt"),
    Scenario("SIGTERM on train", _full_cache, _train, judging.training, "terminate"),
    Scenario("full disk under train", Ground.clear, _train, judging.full_disk, "full disk"),
    Scenario("train without a cache", _no_cache, _train, judging.no_cache),
)

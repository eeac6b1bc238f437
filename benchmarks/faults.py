"""Stop real processes at many moments and judge what they leave: `make faults`.

    python -m benchmarks.faults --kills 100 --changes 100 --seed 0
    python -m benchmarks.faults --only "train --force" --changes 1000 --kills 0
    python -m benchmarks.faults --data ../shared/data/pets --only check "train, empty cache" --changes 0

Every scenario (`--list`) gets its part of the kills, at random moments, and those that end by a kill their part of the
changes: they die before their n-th change to the disk. What is stopped is started as a person starts it. Prints which
phases were hit and what was under way, then every fault; ends with 1 where there is one.
"""

from __future__ import annotations

import argparse
import random
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.faults.ground import Ground
from tests.faults.moments import shares
from tests.faults.preloaded import Preloaded
from tests.faults.scenarios import ALL, Scenario
from tests.faults.sitting import Hit, Sitting, stopped
from tests.making import folder_of_photos

FAST = ("--weights", "none", "--size", "64", "--epochs", "1", "--head", "linear")


def chosen(names: Sequence[str]) -> list[Scenario]:
    """The scenarios whose name begins with one of `names`; all where there are none. Raises `ValueError`."""
    for name in names:
        if not any(scenario.name.startswith(name) for scenario in ALL):
            raise ValueError(f"No scenario is called {name!r}: --list shows those there are.")
    return [scenario for scenario in ALL if not names or scenario.name.startswith(tuple(names))]


def described(sitting: Sitting) -> str:
    """A paragraph: how often which phase was hit, what was under way, and the faults."""
    before = len(sitting.hits) - sitting.at_random
    lines = [f"{sitting.scenario.name}: stopped {sitting.at_random} times at random, {before} times before a change"]
    lines.append(f"  phases hit: {listed(sitting.phases) or 'none'}")
    if sitting.under_way:
        lines.append(f"  under way: {listed(sitting.under_way)}")
    if sitting.missed:
        lines.append(f"  blows after the end: {sitting.missed}")
    return "\n".join([*lines, *(f"  FAULT {fault}" for fault in sitting.faults)])


def listed(counts: dict[str, int]) -> str:
    """ "check 3, features 12"."""
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def sittings(ground: Ground, scenarios: Sequence[Scenario], kills: int, changes: int, seed: int) -> list[Sitting]:
    """Stop every scenario; each paragraph is printed when it is known."""
    rng = random.Random(seed)
    at_random = shares({scenario.name: 1.0 for scenario in scenarios}, kills)
    before = shares({scenario.name: 1.0 for scenario in scenarios if scenario.how == "kill"}, changes)
    done = []
    for scenario in scenarios:
        sitting = stopped(ground, scenario, at_random[scenario.name], before.get(scenario.name, 0), rng, _dot)
        print(f"\r{described(sitting)}", flush=True)
        done.append(sitting)
    return done


def _dot(hit: Hit) -> None:
    print("!" if hit.faults else ".", end="", file=sys.stderr, flush=True)


def main(words: Sequence[str] | None = None) -> int:
    """The command. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make faults", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=100, help="stops at random moments, in all")
    parser.add_argument("--changes", type=int, default=100, help="deaths before a change to the disk, in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="scenarios whose name begins so")
    parser.add_argument("--data", type=Path, help="a folder of photos; default: 40 made ones, and a quick training")
    parser.add_argument("--train", default="", metavar="OPTIONS", help="options of every training, with --data")
    parser.add_argument("--list", action="store_true", help="only print the scenarios")
    given = parser.parse_args(words)
    try:
        scenarios = chosen(given.only)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if given.list:
        print("\n".join(scenario.name for scenario in scenarios))
        return 0
    with tempfile.TemporaryDirectory(prefix="finegraft-faults-") as folder, Preloaded() as server:
        root = Path(folder)
        photos, options = (
            (given.data.resolve(), tuple(shlex.split(given.train))) if given.data else (_made(root / "photos"), FAST)
        )
        ground = Ground(root / "ground", photos, options, server, executed=True)
        done = sittings(ground, scenarios, given.kills, given.changes, given.seed)
    faults = sum(len(sitting.faults) for sitting in done)
    print(f"{sum(len(sitting.hits) for sitting in done)} stops, {faults} faults")
    return 1 if faults else 0


def _made(folder: Path) -> Path:
    return folder_of_photos(folder, {"rose": 20, "tulip": 20}, size=(64, 48))


if __name__ == "__main__":
    sys.exit(main())

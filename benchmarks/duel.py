"""Things side by side in one sitting: in turn, round after round, medians and ranges.

    python -m benchmarks.duel --rounds 5 "finegraft predict RUN photo.jpg" "python other.py photo.jpg"

The first round warms up and does not count. Every second round goes backwards, so that nothing always comes after the
same. A speed that drifts hits all alike, and the ratio is judged round by round.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

from benchmarks import watch

T = TypeVar("T")


def in_turn(contenders: Mapping[str, Callable[[], T]], rounds: int, warm_up: int = 1) -> dict[str, list[T]]:
    """What each contender returned in `rounds` rounds, by name and in order; `warm_up` rounds before count for nothing.

    Raises `ValueError` where there is nothing to run, and whatever a contender raises.
    """
    if not contenders or rounds < 1:
        raise ValueError("A comparison needs something to run and a round at least.")
    found: dict[str, list[T]] = {name: [] for name in contenders}
    for number in range(-warm_up, rounds):
        for name in sorted(contenders, key=list(contenders).index, reverse=number % 2 == 1):
            answer = contenders[name]()
            if number >= 0:
                found[name].append(answer)
    return found


def timed(work: Callable[[], object]) -> Callable[[], float]:
    """`work` as a contender: its seconds."""

    def seconds() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return seconds


@dataclass(frozen=True)
class Ratio:
    """How many times as much one takes as another: of the medians, and the least and the most of any round.

    The range of n rounds holds the true median of the rounds' ratios with probability 1 - 2^(1 - n), 94 % for five,
    whatever their distribution (all n lie on one side of it otherwise).
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Duel:
    """`numbers`: for each name one per round, the same number for all. `others`: see `watch.Watched`."""

    numbers: dict[str, list[float]]
    others: float

    def median(self, name: str) -> float:
        """The middle of a contender's rounds."""
        return median(self.numbers[name])

    def ratio(self, name: str, to: str) -> Ratio:
        """`name` over `to`."""
        each = [one / other for one, other in zip(self.numbers[name], self.numbers[to], strict=True)]
        return Ratio(self.median(name) / self.median(to), min(each), max(each))

    def lines(self, unit: str = "s") -> list[str]:
        """For people: a line for each, then each against the first."""
        first, *rest = self.numbers
        width = max(map(len, self.numbers))
        lines = []
        for name, numbers in self.numbers.items():
            lines.append(
                f"{name:<{width}}  {self.median(name):.3g} {unit} ({min(numbers):.3g} to {max(numbers):.3g}), "
                f"median of {len(numbers)}"
            )
        for name in rest:
            ratio = self.ratio(name, first)
            lines.append(
                f"{name} takes {ratio.value:.3g} times as much as {first}; {ratio.low:.3g} to {ratio.high:.3g}"
            )
        return [*lines, f"Other programs took {self.others:.0%} of the processors."]


def duel(contenders: Mapping[str, Callable[[], float]], rounds: int = 5, warm_up: int = 1) -> Duel:
    """Run `contenders`, each of which returns its number; see `in_turn` and, for functions to be timed, `timed`."""
    start, neighbours = time.perf_counter(), watch.Neighbours()
    numbers = in_turn(contenders, rounds, warm_up)
    return Duel(numbers, neighbours.share(time.perf_counter() - start))


def command(line: str, cores: int | None = None) -> Callable[[], float]:
    """A line of sh as a contender: the seconds of its whole process. Raises `CommandFailedError` when it fails."""

    def seconds() -> float:
        return watch.checked(watch.run(["sh", "-c", line], cores=cores, memory=False)).seconds

    return seconds


def main(words: Sequence[str] | None = None) -> int:
    """The command. Returns the exit code: 1 where a command fails."""
    parser = argparse.ArgumentParser(prog="benchmarks.duel", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("commands", nargs="+", metavar="COMMAND", help="lines of sh")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--warm-up", type=int, default=1, help="rounds that do not count")
    parser.add_argument("--cores", type=int, help="processors that each command may use")
    parser.add_argument("--json", action="store_true", dest="as_json", help="print every round's seconds")
    given = parser.parse_args(words)
    lines = {chr(ord("a") + number): line for number, line in enumerate(given.commands)}
    try:
        found = duel({name: command(line, given.cores) for name, line in lines.items()}, given.rounds, given.warm_up)
    except (ValueError, watch.CommandFailedError) as error:
        print(error, file=sys.stderr)
        return 1
    if given.as_json:
        print(json.dumps({"seconds": found.numbers, "others": found.others}))
    else:
        print("\n".join([*(f"{name}: {line}" for name, line in lines.items()), *found.lines()]))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What changing photos costs: `python -m benchmarks.augmenting PHOTOS [--size 288] [--count 200]`.

The same photos are read and changed by every set in turn, on one thread, `ROUNDS` times. Printed is a Markdown table:
milliseconds for a photo, medians over the rounds, and as a multiple of what reading it unchanged takes.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import finegraft as fg
from finegraft.vision.changing import Changing
from finegraft.vision.preprocess import Preprocess
from finegraft.vision.sets import SETS

ROUNDS = 5


def milliseconds(contents: list[bytes], size: int) -> dict[str, float]:
    """For a photo, by set."""
    ways = {name: Changing(Preprocess(size), 0, how) for name, how in SETS.items()}
    rounds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            started = time.perf_counter()
            for number, content in enumerate(contents):
                way.load(content, str(number), 1)
            rounds[name].append(1000 * (time.perf_counter() - started) / len(contents))
    return {name: statistics.median(times) for name, times in rounds.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--size", type=int, default=288)
    parser.add_argument("--count", type=int, default=200)
    asked = parser.parse_args()
    data = fg.vision.read(asked.photos)
    step = max(1, len(data.usable) // asked.count)
    contents = [(data.root / record.key).read_bytes() for record in data.usable[::step][: asked.count]]
    found = milliseconds(contents, asked.size)
    print("| set | ms a photo | times `none` |\n|---|---|---|")
    for name, took in found.items():
        print(f"| {name} | {took:.1f} | {took / found['none']:.2f} |")


if __name__ == "__main__":
    main()

"""When to strike: random moments, spread so that no phase is left out."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence


def shares(weights: Mapping[str, float], count: int) -> dict[str, int]:
    """`count` divided over the names of `weights`, so that all get their part, and each one at least if it suffices.

    Half is divided evenly and half by weight, rounded so that the sum is right (largest remainders).
    """
    if not weights:
        return {}
    total = sum(weights.values())
    even = 1 / len(weights)
    wanted = {name: count * (even + (weight / total if total else even)) / 2 for name, weight in weights.items()}
    if count >= len(weights):
        spare = count - len(weights)
        wanted = {name: 1 + spare * share / count for name, share in wanted.items()}
    given = {name: math.floor(share) for name, share in wanted.items()}
    by_rest = sorted(wanted, key=lambda name: given[name] - wanted[name])
    for name in by_rest[: count - sum(given.values())]:
        given[name] += 1
    return given


def spread(count: int, rng: random.Random) -> list[float]:
    """`count` random numbers in [0, 1), one in each of `count` equal parts."""
    return [(i + rng.random()) / count for i in range(count)]


def moments(lengths: Mapping[str, float], count: int, rng: random.Random) -> list[tuple[str, float]]:
    """`count` times (phase, seconds after its begin) for phases of `lengths` seconds, in random order."""
    chosen = [
        (name, share * lengths[name]) for name, some in shares(lengths, count).items() for share in spread(some, rng)
    ]
    rng.shuffle(chosen)
    return chosen


def positions(names: Sequence[str], count: int, rng: random.Random) -> list[int]:
    """`count` positions in `names`, sorted; all of them where there are no more. Every name gets its part."""
    if count >= len(names):
        return list(range(len(names)))
    places: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        places.setdefault(name, []).append(position)
    given = shares({name: len(of_name) for name, of_name in places.items()}, count)
    chosen = {
        of_name[int(share * len(of_name))] for name, of_name in places.items() for share in spread(given[name], rng)
    }
    rest = sorted(set(range(len(names))) - chosen)  # a name that occurs less often than its part
    return sorted(chosen | set(rng.sample(rest, count - len(chosen))))

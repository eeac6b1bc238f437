"""500 near copies planted among 3,781 photos of clothes: found, kept together, and what they would have been worth."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.planting import WAYS, plant, pooled
from benchmarks.promise import Measured, Promise, at_least, at_most
from benchmarks.workshop import Workshop, json_of

COPIES = 500
SEEDS = range(5)
CACHE = "near-copies"
Pair = frozenset[str]


def _planted(workshop: Workshop) -> tuple[Path, dict[str, tuple[str, str]], set[Pair]]:
    """The folder, copy -> (original, way), and the pairs that were there before the planting."""

    def prepare() -> tuple[Path, dict[str, tuple[str, str]], set[Pair]]:
        folder = workshop.empty("near-copies-photos")
        photos = pooled(workshop.data("clothing"), folder)
        before = _pairs(json_of(workshop.cli("check", folder, "--json", cache=CACHE)))
        planted = plant(photos, COPIES)
        named = {
            copy.relative_to(folder).as_posix(): (original.relative_to(folder).as_posix(), way)
            for copy, (original, way) in planted.items()
        }
        return folder, named, before

    return workshop.once("near-copies-planted", prepare)


def _pairs(checked: dict[str, Any]) -> set[Pair]:
    return {frozenset((f["key"], f["other"])) for f in checked["findings"] if f["kind"] in ("near-copy", "exact-copy")}


def _checked(workshop: Workshop) -> set[Pair]:
    folder, _, _ = _planted(workshop)
    return workshop.once(
        "near-copies-found", lambda: _pairs(json_of(workshop.cli("check", folder, "--json", cache=CACHE)))
    )


def _found(workshop: Workshop) -> Measured:
    _, planted, _ = _planted(workshop)
    pairs = _checked(workshop)
    hits = Counter(way for copy, (original, way) in planted.items() if frozenset((copy, original)) in pairs)
    each = ", ".join(f"{way} {hits[way]} of {COPIES // len(WAYS)}" for way in WAYS)
    total = sum(hits.values())
    return Measured(total / COPIES, f"{total} of {COPIES} ({each})", dict(hits))


def _false(workshop: Workshop) -> Measured:
    _, planted, before = _planted(workshop)
    wrong = []
    for pair in _checked(workshop) - before:
        originals = frozenset(planted[key][0] if key in planted else key for key in pair)
        if len(originals) == 2 and originals not in before:  # not a copy and its original, nor a copy of a known pair
            wrong.append(sorted(pair))
    return Measured(
        len(wrong) / COPIES, f"{len(wrong)} pairs of different photos; {len(before)} pairs were there before"
    )


def _straddling(workshop: Workshop) -> Measured:
    import finegraft as fg

    folder, planted, _ = _planted(workshop)
    data = fg.vision.read(folder)
    apart, pairs = 0, _checked(workshop)
    found = [(copy, original) for copy, (original, _) in planted.items() if frozenset((copy, original)) in pairs]
    for seed in SEEDS:
        side = {record.key: record.split for record in data.split(0.2, seed).records}
        apart += sum(side[copy] != side[original] for copy, original in found)
    return Measured(apart, f"{apart} of {len(found)} pairs found, in {len(SEEDS)} splits together")


def _optimism(workshop: Workshop) -> Measured:
    """Accuracy of a stratified random split that knows nothing of copies, and of ours, over five seeds."""
    done = workshop.python("benchmarks.optimism", _planted(workshop)[0], *map(str, SEEDS), cache=CACHE)
    rows = json_of(done)["rows"]
    naive, ours, without = (mean(row[name] for row in rows) for name in ("naive", "ours", "naive_without"))
    leaked = sum(row["leaked"] for row in rows)
    right = sum(row["leaked_right"] for row in rows)
    words = (
        f"random split {naive:.4f}, ours {ours:.4f} (means of {len(rows)} seeds). Of {leaked} judged photos whose copy "
        f"was learned from {right / leaked:.4f} were right; without them the random split says {without:.4f}"
    )
    return Measured(naive - without, words, {"rows": rows})


CHECK = "finegraft check PHOTOS --json"

ROWS = [
    Promise("dirt-2-found", f"{COPIES} near copies planted in clothing: share found", at_least(0.95), CHECK, _found),
    Promise("dirt-2-false", "the same, false pairs as a share of the planted", at_most(0.01), CHECK, _false),
    Promise(
        "dirt-2-straddle",
        "the same, found pairs of which one is learned from and the other judged",
        at_most(0),
        "finegraft train PHOTOS -o RUN --seed 0..4",
        _straddling,
    ),
    Promise(
        "dirt-2-optimism",
        "the same, how much accuracy a random split gains by its leaked copies",
        at_least(0),
        "python -m benchmarks.optimism PHOTOS 0 1 2 3 4",
        _optimism,
    ),
]

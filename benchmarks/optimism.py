"""What copies on both sides of a split are worth: a random split against one that keeps copies together.

`python -m benchmarks.optimism PHOTOS 0 1 2` prints one JSON object with a row for each seed: accuracy under either
split, and under the random one without the judged photos of which a copy was learned from.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line sets it

import json
import random
import sys
from dataclasses import replace

import finegraft as fg
from finegraft.data.dataset import Dataset
from finegraft.evaluation.result import Evaluation
from finegraft.features.memory import CheckMemory
from finegraft.features.store import Store

VALID = 0.2


def naive(data: Dataset, seed: int) -> Dataset:
    """A stratified random split of the single files, copies or not."""
    order = random.Random(seed)
    held: set[str] = set()
    for label in data.classes:
        keys = [record.key for record in data.usable if record.label == label]
        held.update(order.sample(keys, round(VALID * len(keys))))
    records = tuple(replace(r, split="held-out" if r.key in held else "train") for r in data.records)
    return replace(data, records=records)


def evaluated(data: Dataset, seed: int, store: Store) -> Evaluation:
    """What training with the defaults makes of this split."""
    learner = fg.vision.learner(data, seed=seed, store=store, show=False)
    learner.fit_one_cycle(learner.default_epochs)
    return learner.evaluate()


def row(data: Dataset, seed: int, store: Store) -> dict[str, float]:
    """The figures of one seed."""
    split = naive(data, seed)
    learned = {record.together for record in split.part("train")}
    leaked = {record.key for record in split.part("held-out") if record.together in learned}
    judged = evaluated(split, seed, store)
    right = dict(zip(judged.keys, (judged.predicted == judged.truth).tolist(), strict=True))
    rest = [right[key] for key in right if key not in leaked]
    return {
        "seed": seed,
        "naive": judged.accuracy.value,
        "ours": evaluated(data.split(VALID, seed), seed, store).accuracy.value,
        "naive_without": sum(rest) / len(rest),
        "leaked": len(leaked),
        "leaked_right": sum(right[key] for key in leaked),
    }


def main(words: list[str]) -> None:
    """Print the rows."""
    folder, *seeds = words
    with Store.open() as store:
        data = fg.vision.read(folder, memory=CheckMemory(store))
        print(json.dumps({"rows": [row(data, int(seed), store) for seed in seeds]}))


if __name__ == "__main__":
    main(sys.argv[1:])

"""Does the learning curve of half the photos foretell the accuracy that all of them give?

`python -m benchmarks.foretelling PHOTOS 0 1 2` prints one JSON object. PHOTOS has given splits; its test part is left
alone. What is not test is cut into ten folds, so that a training on nine of them learns from about as many photos as
the given training part holds: `photos`. `measured` is the share of right answers out of fold to all `judged` of them.
Each row of a seed is a learner with every default on photos drawn by that seed, half as many: what its curve foretells
for `photos`, with the chance of `judged` answers in its interval, and the seconds from features to forecast.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Collection
from dataclasses import replace

import numpy as np

import finegraft as fg
from finegraft.data.dataset import Dataset
from finegraft.data.splits import folds, hold_out
from finegraft.features.memory import CheckMemory
from finegraft.features.store import Store

FOLDS = 10


def pool_of(data: Dataset) -> Dataset:
    """All that is not in the given test part, in no split."""
    records = tuple(replace(record, split=None) for record in data.usable if record.split != "test")
    return replace(data, records=records, traits={})


def learned_from(pool: Dataset, keys: Collection[str]) -> Dataset:
    """`pool` with the records `keys` to learn from; the others are held out."""
    records = (replace(record, split="train" if record.key in keys else "held-out") for record in pool.records)
    return replace(pool, records=tuple(records))


def measured(pool: Dataset, store: Store) -> tuple[float, int]:
    """(the share of right answers out of ten folds, the mean number of photos learned from)."""
    labels = np.unique([str(record.label) for record in pool.records], return_inverse=True)[1]
    fold_of = folds(labels, [record.together for record in pool.records], FOLDS, seed=0)
    right = 0
    for fold in range(FOLDS):
        keys = {record.key for record, other in zip(pool.records, fold_of, strict=True) if other != fold}
        learner = fg.vision.learner(learned_from(pool, keys), store=store, show=False)
        learner.fit_one_cycle(learner.default_epochs)
        evaluation = learner.evaluate()
        right += int((evaluation.predicted == evaluation.truth).sum())
    return right / len(pool.records), round(len(pool.records) * (1 - 1 / FOLDS))


def row(pool: Dataset, seed: int, photos: int, store: Store) -> dict[str, float]:
    """What half of `photos`, drawn by `seed`, foretell for all of them."""
    keys = hold_out(pool.records, photos / 2 / len(pool.records), seed)
    learner = fg.vision.learner(learned_from(pool, keys), seed=seed, store=store, show=False)
    started = time.perf_counter()
    learner.fit_one_cycle(learner.default_epochs)
    found = learner.learning_curve().at(photos, judged=len(pool.records))
    seconds = time.perf_counter() - started
    if found is None:
        raise ValueError(f"Nothing was foretold from {len(keys)} photos.")
    low, high = found.interval
    return {
        "seed": seed,
        "learned": len(keys),
        "foretold": found.accuracy,
        "low": low,
        "high": high,
        "seconds": seconds,
    }


def main(words: list[str]) -> None:
    """Print the rows."""
    folder, *seeds = words
    with Store.open() as store:
        pool = pool_of(fg.vision.read(folder, memory=CheckMemory(store)))
        share, photos = measured(pool, store)
        print(f"measured {share:.4f} with {photos}", file=sys.stderr)
        rows = []
        for seed in seeds:
            rows.append(row(pool, int(seed), photos, store))
            print(rows[-1], file=sys.stderr)
    print(json.dumps({"measured": share, "photos": photos, "judged": len(pool.records), "rows": rows}))


if __name__ == "__main__":
    main(sys.argv[1:])

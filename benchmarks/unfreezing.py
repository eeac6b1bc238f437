"""What unfreezing does at the head's rate, and with lower rates below: `python -m benchmarks.unfreezing PHOTOS`.

As a course on fine-tuning shows it: the head learns, all of the network is unfrozen, and one epoch more at the same
rate makes the result worse; two with the course's own `SLICE` of rates, lower the deeper a layer lies, do not. Both are
held against the same network before its first step, on the records that were held out, over `SEEDS` splits. Prints one
JSON object: for each way the share of wrong answers before and after, and by how much accuracy changed, paired by
photo, with its 95 % interval.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line sets it

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import finegraft as fg
from finegraft.evaluation.paired import of_shares
from finegraft.features.store import Store
from finegraft.targets import Category
from finegraft.training.learner import Learner
from finegraft.vision.assembly import learner as make_learner

SEEDS = 3
SLICE = slice(1e-6, 1e-4)
WAYS = {"naive": 1, "slice": 2}  # epochs of each


def compare(photos: Path) -> dict[str, Any]:
    """By way: `before`, `after`, `difference`, `interval`, and `rates`, the last ones."""
    return {way: _compared(photos, way) for way in WAYS}


def _compared(photos: Path, way: str) -> dict[str, Any]:
    before, after, rates = [], [], ""
    with Store.in_memory() as store:
        for seed in range(SEEDS):
            learner = _unfrozen(photos, seed, store)
            rate = learner.lr
            assert rate is not None
            rates = f"{rate:.1e}" if way == "naive" else f"slice({SLICE.start}, {SLICE.stop})"
            before.append(_right(learner))
            learner.fit_one_cycle(WAYS[way], lr=rate if way == "naive" else SLICE)
            after.append(_right(learner))
            print(f"seed {seed}, {way}: {before[-1].mean():.4f}, then {after[-1].mean():.4f} right", file=sys.stderr)
    first, last = np.concatenate(before), np.concatenate(after)
    found = of_shares(last.astype(int) - first.astype(int))
    errors = {"before": 1 - float(first.mean()), "after": 1 - float(last.mean())}
    return {**errors, "difference": found.value, "interval": list(found.interval), "rates": rates}


def _unfrozen(photos: Path, seed: int, store: Store) -> Learner:
    """One whose head has learned, and whose whole network is about to."""
    data = fg.vision.read(photos).split(valid=0.2, seed=seed)
    learner = make_learner(data, seed=seed, store=store, show=False)
    learner.fit_one_cycle(learner.default_epochs)
    learner.unfreeze()
    return learner


def _right(learner: Learner) -> np.ndarray:
    """Whether each held-out photo is answered rightly by the network as it stands."""
    tuning, records = learner._stage.tuning, learner.data.part("held-out")
    assert tuning is not None
    assert isinstance(learner.target, Category)
    truth = learner.target.encode([str(record.label) for record in records])
    return np.asarray(tuning.scores(records).argmax(1).numpy() == truth)


if __name__ == "__main__":
    print(json.dumps(compare(Path(sys.argv[1]))))

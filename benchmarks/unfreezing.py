"""What unfreezing does at the head's rate, and with lower rates below: `python -m benchmarks.unfreezing PHOTOS`.

As a course on fine-tuning shows it: the head learns, all of the network is unfrozen, and one epoch more at the same
rate makes the result worse; with the course's own `SLICE` of rates, lower the deeper a layer lies, it does not. Mean
error on the records that were held out, over `SEEDS` splits; prints one JSON object.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line sets it

import json
import sys
from pathlib import Path
from typing import Any

import finegraft as fg
from finegraft.evaluation.result import Evaluation
from finegraft.features.store import Store
from finegraft.training.learner import Learner
from finegraft.training.rates import Rates
from finegraft.vision.assembly import learner as make_learner

SEEDS = 3
SLICE = slice(1e-6, 1e-4)


def compare(photos: Path) -> dict[str, Any]:
    """`head`, `naive` and `slice`: shares of wrong answers on photos held out; `rates` says at which."""
    wrong: dict[str, list[float]] = {"head": [], "naive": [], "slice": []}
    rates: dict[str, str] = {}
    with Store.in_memory() as store:
        for seed in range(SEEDS):
            for how in ("naive", "slice"):
                learner = _with_head(photos, seed, store)
                if how == "naive":
                    wrong["head"].append(_error(learner))
                rate = _rate(learner)
                chosen: Rates = rate if how == "naive" else SLICE
                rates[how] = f"{rate:.1e}" if how == "naive" else f"slice({SLICE.start}, {SLICE.stop})"
                learner.unfreeze()
                learner.fit_one_cycle(1, lr=chosen)
                wrong[how].append(_error(learner))
                print(f"seed {seed}, {how}: {wrong[how][-1]:.4f}, head {wrong['head'][-1]:.4f}", file=sys.stderr)
    return {**{how: sum(errors) / len(errors) for how, errors in wrong.items()}, "rates": rates, "each": wrong}


def _with_head(photos: Path, seed: int, store: Store) -> Learner:
    data = fg.vision.read(photos).split(valid=0.2, seed=seed)
    learner = make_learner(data, seed=seed, store=store, show=False)
    learner.fit_one_cycle(learner.default_epochs)
    return learner


def _rate(learner: Learner) -> float:
    if learner.lr is None:
        raise TypeError("The head has not learned.")
    return learner.lr


def _error(learner: Learner) -> float:
    evaluation = learner.evaluate()
    if not isinstance(evaluation, Evaluation):
        raise TypeError(f"Photos with one class each are needed, got a {type(evaluation).__name__}.")
    return 1 - evaluation.accuracy.value


if __name__ == "__main__":
    print(json.dumps(compare(Path(sys.argv[1]))))

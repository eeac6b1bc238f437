"""The evidence behind the defaults of fine-tuning: `python -m benchmarks.choices_tuning [SET …] [--ways a,b]`.

For each set (bears, pets, clothing; of clothing only the part called train) a fifth is held out, and every alternative
trains the layers above the cut of lite0 for four epochs from the same head. Printed: the share of wrong answers on the
held-out part and the mean loss after the best single temperature, for the head alone, for the defaults, and for one
thing changed at a time; means over `SEEDS` splits (clothing: one). On two cores clothing takes an hour.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line sets it

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from finegraft.features.store import Store
from finegraft.models.heads import HeadKind
from finegraft.training.fine_tuning import head_alone, trial
from finegraft.training.grafted import Grafted
from finegraft.training.ground import Examples, Ground
from finegraft.training.learner import Learner
from finegraft.training.objective import of_categories
from finegraft.training.rates import default_rate
from finegraft.training.schedule import one_cycle
from finegraft.training.tuning import BATCH_SIZE, Tuning
from finegraft.vision.assembly import learner as make_learner
from finegraft.vision.grafting import PhotoGrafting
from finegraft.vision.sources import read

DATA = Path(os.environ.get("FINEGRAFT_SHARED_DATA", "../shared/data"))
SETS = {"bears": ("bears", 4), "pets": ("pets", 4), "clothing": ("clothing/train", 1)}
EPOCHS = 4


@dataclass(frozen=True)
class Way:
    """One alternative; None: the default."""

    rate: float | None = None
    head_times: float = 1.0  # the head's rate over that of the other layers
    size: int | None = None  # pixels of the photos learned from
    resize_from: int | None = None  # pixels of the photos of the first epoch
    averages: bool = False  # whether batch norms below the head learn their averages
    head: HeadKind = "linear"
    smoothing: float = 0.0
    epochs: int = EPOCHS


WAYS = {
    "defaults": Way(),
    "rate 3e-5": Way(rate=3e-5),
    "rate 1e-4": Way(rate=1e-4),
    "rate 3e-4": Way(rate=3e-4),
    "rate 6e-4": Way(rate=6e-4),
    "rate 1e-3": Way(rate=1e-3),
    "head at 10 times the rate": Way(head_times=10.0),
    "learned from at 224 pixels": Way(size=224),
    "first at 160 pixels then larger": Way(resize_from=160),
    "norms with averages of batches": Way(averages=True),
    "from a head with a hidden layer": Way(head="mlp"),
    "label smoothing 0.1": Way(smoothing=0.1),
    "8 epochs": Way(epochs=8),
}


def ground_of(learner: Learner) -> Ground:
    """All of the training part to learn from, and what is held out to be asked about."""
    parts = []
    for split in ("train", "held-out"):
        records = learner.data.part(split)  # type: ignore[arg-type]
        table = learner._tables["train"] if split == "train" else learner._judged.opened(0)
        parts.append((Examples(records, table.truth), table))
    (learn, learned), (aside, asked) = parts
    return Ground(learn, aside, learned, asked)


def asked(learner: Learner, ground: Ground, way: Way) -> tuple[float, float]:
    """(share wrong, loss) of the held-out records, trained in this way."""
    recipe, origin = learner._recipe, learner.origin
    if not isinstance(origin, PhotoGrafting):
        raise TypeError("There are no photos to learn from.")
    if way.size is not None:
        origin = replace(
            origin, changing=replace(origin.changing, preprocess=replace(origin.changing.preprocess, size=way.size))
        )
    if way.resize_from is not None:
        origin = replace(origin, resize_from=way.resize_from)
    head, _ = head_alone(recipe, way.head, ground)
    trunk, below = origin.trunk(origin.usual)
    objective = of_categories(way.smoothing) if way.smoothing else recipe.objective
    size = min(BATCH_SIZE, recipe.batch_size)
    tuning = Tuning(
        trunk, head, objective, recipe.task, ground.learn, ground.aside, batch_size=size, seed=recipe.seed, below=below
    )
    if way.averages:
        tuning.network = Grafted(trunk.network, head, averages=True)
    rate = way.rate or default_rate(len(ground.learn.records))
    scales = [1 / way.head_times] * (len(tuning.learning) - 1) + [1.0]
    tuning.fit(one_cycle(rate * way.head_times), way.epochs, scales, [_Last(tuning)])
    found = trial(recipe, tuning.scores(ground.aside.records).numpy(), ground.aside.truth)
    return found.error, found.loss


class _Last:
    """Keeps the last epoch instead of the best: what is asked about here must choose nothing."""

    def __init__(self, tuning: Tuning) -> None:
        tuning.best.on_epoch_end = lambda _: None  # type: ignore[method-assign]


def main(given: Sequence[str] | None = None) -> None:
    """Print a table for each of the sets."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"of {', '.join(SETS)} (default: all)")
    parser.add_argument("--ways", default=",".join(WAYS), help="names with commas between (default: all)")
    wanted = parser.parse_args(given)
    ways = {called: WAYS[called] for called in wanted.ways.split(",")}
    for name in wanted.sets or list(SETS):
        folder, seeds = SETS[name]
        rows: dict[str, list[tuple[float, float]]] = {}
        with Store.open() as store:
            for seed in range(seeds):
                data = read(DATA / folder)
                data = replace(data, records=tuple(replace(r, split=None) for r in data.records)).split(0.2, seed)
                learner = make_learner(data, seed=seed, store=store, show=False)
                ground = ground_of(learner)
                for kind in ("linear", "mlp"):
                    alone = head_alone(learner._recipe, kind, ground)[1]  # type: ignore[arg-type]
                    rows.setdefault(f"{kind} head alone", []).append((alone.error, alone.loss))
                for called, way in ways.items():
                    rows.setdefault(called, []).append(asked(learner, ground, way))
                    print(f"{name}, split {seed}, {called}: {rows[called][-1]}", file=sys.stderr, flush=True)
        print(f"\n{name}, {seeds} splits\n| | wrong | loss |\n|---|---|---|")
        for called, found in rows.items():
            wrong, loss = np.mean(found, axis=0)
            print(f"| {called} | {wrong:.4f} | {loss:.4f} |", flush=True)


if __name__ == "__main__":
    main()

"""Which rule of the rate finder? Each one's suggestion against a grid of rates, judged by the held-out loss.

    python -m benchmarks.choices_rate            clothing, about 5 minutes on one core
    python -m benchmarks.choices_rate bears pets other data sets

For each of five seeds a fifth of the training photos is held out and a head is made; the curve of one sweep is read by
all rules, and the head is trained with one cycle at every suggestion and at every rate of the grid. `loss` is the mean
over the seeds after the best single temperature, as models are used, `raw` before it; `over` says how much the loss is
above that of the best rate of the grid. Of clothing only the part called train is used.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line sets it

import copy
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit
from torch import nn

from benchmarks.choices import SETS, table_of
from finegraft.evaluation.calibration import fit_temperature
from finegraft.models.heads import HeadKind
from finegraft.targets import softmax
from finegraft.training.lr_finder import find_lr
from finegraft.training.lr_rules import RULES
from finegraft.training.objective import of_categories
from finegraft.training.recipe import Fit, Recipe, Table, default_batch_size, default_epochs, default_hidden, scores_of
from finegraft.training.schedule import one_cycle

SEEDS = 5
GRID = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
Losses = tuple[float, float]  # after the best temperature, and before


@dataclass(frozen=True)
class Seed:
    """What one seed says: the losses at each rate of the grid, and at what each rule suggests, with that rate."""

    grid: dict[float, Losses]
    rules: dict[str, tuple[float, Losses]]


def of_seed(seed: int, kind: HeadKind, table: Table, classes: int) -> Seed:
    """A fifth held out and a head made by `seed`."""
    split = StratifiedShuffleSplit(1, test_size=0.2, random_state=seed).split(table.truth, table.truth)
    ((learned, held_out),) = split
    learn, rest = table.rows(learned), table.rows(held_out)
    n = len(learned)
    recipe = Recipe(classes, of_categories(), default_batch_size(n), seed, hidden=default_hidden(n))
    fresh = recipe.fresh(kind, learn)
    curve = find_lr(fresh, recipe.batches(learn), recipe.objective)

    def at(rate: float) -> Losses:
        network: nn.Sequential = copy.deepcopy(fresh)
        recipe.train(network, learn, Fit(one_cycle(rate), default_epochs(n)))
        scores, truth = scores_of(network, rest), rest.truth.numpy()
        return _loss(scores, truth, fit_temperature(scores, truth)), _loss(scores, truth, 1.0)

    suggested = {name: rule(curve.lrs, curve.losses)[0] for name, rule in RULES.items()}
    return Seed({rate: at(rate) for rate in GRID}, {name: (rate, at(rate)) for name, rate in suggested.items()})


def rows(seeds: Sequence[Seed]) -> Iterator[str]:
    """Lines of a Markdown table."""
    grid = {rate: np.mean([seed.grid[rate] for seed in seeds], axis=0) for rate in GRID}
    best, raw = min(found[0] for found in grid.values()), min(found[1] for found in grid.values())
    yield "| rate | loss | over | raw | over |"
    yield "|---|---|---|---|---|"
    for rate, (loss, own) in grid.items():
        yield f"| {rate:g} | {loss:.4f} | {loss / best - 1:+.1%} | {own:.4f} | {own / raw - 1:+.1%} |"
    for name in RULES:
        loss, own = np.mean([seed.rules[name][1] for seed in seeds], axis=0)
        rates = [seed.rules[name][0] for seed in seeds]
        title = f"{name}, {min(rates):.2g} to {max(rates):.2g}"
        yield f"| {title} | {loss:.4f} | {loss / best - 1:+.1%} | {own:.4f} | {own / raw - 1:+.1%} |"


def _loss(scores: np.ndarray, truth: np.ndarray, temperature: float) -> float:
    probabilities = softmax(scores, temperature)[np.arange(len(truth)), truth]
    return -math.fsum(np.log(probabilities.clip(1e-12))) / len(truth)


def main(words: Sequence[str]) -> None:
    """The command."""
    unknown = sorted(set(words) - set(SETS))
    if unknown:
        sys.exit(f"There is no data set called {unknown[0]!r}. There are: {', '.join(SETS)}.")
    for name in words or ["clothing"]:
        table, classes = table_of(name)
        kinds: tuple[HeadKind, ...] = ("linear", "mlp")
        for kind in kinds:
            print(f"\n{name}, {kind}\n")
            for line in rows([of_seed(seed, kind, table, classes) for seed in range(SEEDS)]):
                print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

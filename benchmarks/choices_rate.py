"""Which rule of the rate finder? `python -m benchmarks.choices_rate PHOTOS` (clothing: 5 minutes on one core).

For each of five seeds a fifth of the photos is held out and a head is made; the curve of one sweep is read by all
rules, and the head is trained with one cycle at every suggestion and at every rate of a grid. A Markdown table for each
kind of head goes to stderr: `loss` is the mean over the seeds after the best single temperature, as models are used,
`raw` before it; `over` says how much that is above the best rate of the grid. One JSON object goes to stdout, `over`
and `raw_over` by head and rule. Give photos that judge nothing else, of clothing the part called train.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line sets it

import copy
import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit
from torch import nn

from benchmarks.choices import table_of
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


def means(seeds: Sequence[Seed]) -> tuple[dict[float, Losses], dict[str, Losses]]:
    """The mean losses over the seeds, at each rate of the grid and at what each rule suggests."""
    grid = {rate: _mean([seed.grid[rate] for seed in seeds]) for rate in seeds[0].grid}
    return grid, {name: _mean([seed.rules[name][1] for seed in seeds]) for name in seeds[0].rules}


def over(seeds: Sequence[Seed]) -> dict[str, Losses]:
    """How much the mean loss at each rule's suggestion is above that at the best rate of the grid, as a share of it."""
    grid, rules = means(seeds)
    best = [min(found[i] for found in grid.values()) for i in (0, 1)]
    return {name: (found[0] / best[0] - 1, found[1] / best[1] - 1) for name, found in rules.items()}


def rows(seeds: Sequence[Seed]) -> Iterator[str]:
    """Lines of a Markdown table."""
    grid, rules = means(seeds)
    best = [min(found[i] for found in grid.values()) for i in (0, 1)]
    titled = {f"{rate:g}": found for rate, found in grid.items()}
    for name, found in rules.items():
        rates = [seed.rules[name][0] for seed in seeds]
        titled[f"{name}, {min(rates):.2g} to {max(rates):.2g}"] = found
    yield "| rate | loss | over | raw | over |"
    yield "|---|---|---|---|---|"
    for title, (loss, raw) in titled.items():
        yield f"| {title} | {loss:.4f} | {loss / best[0] - 1:+.1%} | {raw:.4f} | {raw / best[1] - 1:+.1%} |"


def measure(photos: Path) -> dict[str, dict[str, Losses]]:
    """`over` by head."""
    table, classes = table_of(photos)
    kinds: tuple[HeadKind, ...] = ("linear", "mlp")
    found = {}
    for kind in kinds:
        seeds = [of_seed(seed, kind, table, classes) for seed in range(SEEDS)]
        print(f"\n{kind}\n", *rows(seeds), sep="\n", file=sys.stderr, flush=True)
        found[kind] = over(seeds)
    return {str(kind): shares for kind, shares in found.items()}


def _mean(losses: Sequence[Losses]) -> Losses:
    first, second = np.mean(losses, axis=0).tolist()
    return first, second


def _loss(scores: np.ndarray, truth: np.ndarray, temperature: float) -> float:
    probabilities = softmax(scores, temperature)[np.arange(len(truth)), truth]
    return -math.fsum(np.log(probabilities.clip(1e-12))) / len(truth)


if __name__ == "__main__":
    measured = measure(Path(sys.argv[1]))
    print(
        json.dumps(
            {
                "over": {kind: {name: pair[0] for name, pair in rules.items()} for kind, rules in measured.items()},
                "raw_over": {kind: {name: pair[1] for name, pair in rules.items()} for kind, rules in measured.items()},
            }
        )
    )

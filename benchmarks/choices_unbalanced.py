"""The evidence behind class weights: sets made unbalanced, trained with and without, by the way chosen and by others.

    python -m benchmarks.choices_unbalanced               all three tables, about 40 minutes on two cores
    python -m benchmarks.choices_unbalanced ratio         with and without, by how unbalanced the classes are
    python -m benchmarks.choices_unbalanced ways          other weights, caps, centres and means
    python -m benchmarks.choices_unbalanced calibration   plain and weighted loss for head and temperature

Means over six seeds; `benchmarks.unbalanced_sets` says what the sets are and how they are judged.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line sets it

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from benchmarks.unbalanced_sets import Unbalanced, as_mixed, drawn, figures
from finegraft.data.splits import folds
from finegraft.evaluation.calibration import expected_calibration_error, fit_temperature
from finegraft.models.heads import HeadKind
from finegraft.targets import softmax
from finegraft.training.class_weights import weights_of
from finegraft.training.folds import out_of_fold
from finegraft.training.lr_finder import find_lr
from finegraft.training.objective import of_categories
from finegraft.training.recipe import Fit, Recipe, Table, default_batch_size, default_epochs, scores_of
from finegraft.training.schedule import one_cycle

SEEDS = 6
Weigh = Callable[[np.ndarray], np.ndarray | None]


def trained(table: Table, recipe: Recipe, head: HeadKind) -> tuple[nn.Module, Fit]:
    """A head trained on `table` as the learner does it, and how."""
    network = recipe.fresh(head, table)
    rate = find_lr(network, recipe.batches(table), recipe.objective).suggestion
    fit = Fit(one_cycle(rate), default_epochs(len(table.truth)))
    recipe.train(network, table, fit)
    return network, fit


def recipe_of(draw: Unbalanced, weights: np.ndarray | None, centre: bool = True, torch_mean: bool = False) -> Recipe:
    """The learner's recipe with these class weights; `centre` False leaves the plain mean in place."""
    weigh = None if weights is None else torch.from_numpy(weights).float()
    objective = nn.CrossEntropyLoss(weight=weigh) if torch_mean else of_categories(weights=weigh)
    size = default_batch_size(len(draw.learn.truth))
    return Recipe(len(draw.counts), objective, size, draw.seed, weights if centre else None)


@dataclass(frozen=True)
class Way:
    """One way of making up for unbalanced classes."""

    weigh: Weigh
    centre: bool = True
    torch_mean: bool = False


def _power(exponent: float) -> Weigh:
    return lambda counts: counts**-exponent * counts.sum() / (counts * counts**-exponent).sum()


NONE, CHOSEN = Way(lambda _: None), Way(weights_of)
WAYS = {
    "no weights": NONE,
    "as chosen": CHOSEN,
    "inverse root": Way(_power(0.5)),
    "inverse, no cap": Way(_power(1.0)),
    "plain centre": Way(weights_of, centre=False),
    "torch's mean": Way(weights_of, torch_mean=True),
}
RATIOS = (
    "bears/60", "two/longsleeve/318", "pets/4", "two/longsleeve/212", "two/shirt/200", "two/pants/shorts/125", "pets/3",
    "pets/2", "bears/30", "two/longsleeve/127", "two/pants/shorts/75", "clothing", "two/longsleeve/70", "bears/12",
    "tail/20", "two/longsleeve/20", "bears/4", "two/longsleeve/10",
)  # fmt: skip


def measured(name: str, way: Way, head: HeadKind) -> np.ndarray:
    """`figures` for each seed, float64 (seeds, 4)."""
    found = []
    for seed in range(SEEDS):
        draw = drawn(name, seed)
        network, _ = trained(draw.learn, recipe_of(draw, way.weigh(draw.counts), way.centre, way.torch_mean), head)
        found.append(figures(draw, scores_of(network, draw.judged).argmax(axis=1)))
    return np.array(found)


def ratio() -> Iterator[str]:
    """With and without weights, from nearly balanced to hardly any photo; a hidden layer."""
    yield "| set | largest : smallest | accuracy without | with | macro recall | with | macro F1 | with |"
    yield "|---|---|---|---|---|---|---|---|"
    for name in RATIOS:
        counts = drawn(name, 0).counts
        plain, weighed = (measured(name, way, "mlp").mean(axis=0) for way in (NONE, CHOSEN))
        numbers = " | ".join(f"{plain[i]:.4f} | {weighed[i]:.4f}" for i in range(3))
        yield f"| {name} | {counts.max()} : {counts.min()} = {counts.max() / counts.min():.1f} | {numbers} |"


def ways() -> Iterator[str]:
    """Every way on five sets with both heads; the worst accuracy shows a training that broke down."""
    yield "| set | head | way | accuracy | worst | macro recall | macro F1 | rare classes found |"
    yield "|---|---|---|---|---|---|---|---|"
    for name in ("bears/12", "bears/4", "two/longsleeve/20", "tail/20", "two/shirt/1"):
        for head in ("linear", "mlp"):
            for title, way in WAYS.items():
                each = measured(name, way, head)
                mean = " | ".join(f"{value:.4f}" for value in each.mean(axis=0)[1:])
                yield f"| {name} | {head} | {title} | {each[:, 0].mean():.4f} | {each[:, 0].min():.3f} | {mean} |"


def calibration() -> Iterator[str]:
    """The temperature from plain and from weighted out-of-fold scores, and what it makes of the probabilities."""
    yield "| set | temperature | its value | calibration error, as mixed as learned from |"
    yield "|---|---|---|---|"
    for name in ("bears/12", "two/dress/skirt/12", "tail/20"):
        found = np.array([_calibrated(drawn(name, seed)) for seed in range(SEEDS)]).mean(axis=0)
        for title, (temperature, error) in zip(("plain", "weighted"), found, strict=True):
            yield f"| {name} | {title} | {temperature:.2f} | {error:.4f} |"


def _calibrated(draw: Unbalanced) -> list[tuple[float, float]]:
    weights = weights_of(draw.counts)
    recipe = recipe_of(draw, weights)
    network, fit = trained(draw.learn, recipe, "mlp")

    def learn_and_score(learn: np.ndarray, rest: np.ndarray) -> np.ndarray:
        part = draw.learn.rows(learn)
        other = recipe.fresh("mlp", part)
        recipe.train(other, part, fit)
        return scores_of(other, draw.learn.rows(rest))

    truth = draw.learn.truth.numpy()
    scores = out_of_fold(folds(truth, [str(i) for i in range(len(truth))], 5, 0), learn_and_score)
    # A record of weight w is as good as w records: drawn so, plain fitting is weighted fitting.
    often = np.random.default_rng(0).choice(len(truth), 20 * len(truth), p=weights[truth] / weights[truth].sum())
    found = []
    judged = as_mixed(draw)
    for rows in (np.arange(len(truth)), often):
        temperature = fit_temperature(scores[rows], truth[rows])
        probabilities = softmax(scores_of(network, draw.judged.rows(judged)), temperature)
        found.append((temperature, expected_calibration_error(probabilities, draw.judged.truth.numpy()[judged])))
    return found


TABLES = {"ratio": ratio, "ways": ways, "calibration": calibration}


def main(words: list[str]) -> None:
    """The command."""
    unknown = sorted(set(words) - set(TABLES))
    if unknown:
        sys.exit(f"There is no table called {unknown[0]!r}. There are: {', '.join(TABLES)}.")
    for word in words or TABLES:
        print(f"\n{word}\n", flush=True)
        for line in TABLES[word]():
            print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

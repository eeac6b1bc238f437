"""Does a comparison of two runs tell skill from luck? Pairs of real heads, judged on the same photos.

`python -m benchmarks.rivals PHOTOS` prints one JSON object. PHOTOS has given splits; its test part is left alone.

`chance` tells of 200 pairs that differ by chance. Each draws 1,000 photos to learn from and 1,000 others to judge; both
heads learn from the same photos with the same settings and differ in their seed: where they start, and in which order
they see the photos.

`skill` tells of 200 pairs of which B is better by 3 points. For that the truth must be known: a head that learned from
1,000 photos and one that learned from a fourth of them answer for all the others, and B takes the first one's answers
to as many photos, drawn at random, as it needs to get 3 points more of them right than A, the second one. So both find
the same photos hard, as real models do. From these photos 1,000 are drawn with replacement for each pair; after ten
pairs the heads are trained anew. `measured` is by how much the heads themselves differ.

`called` is how many pairs were called different, `called_b` in how many B was called better, `apart` the mean share of
photos with another answer, `one_sided` the mean number of photos that only one of the two has right.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line sets it

import json
import sys
from dataclasses import dataclass

import numpy as np
import torch

import finegraft as fg
from benchmarks.foretelling import pool_of
from finegraft.evaluation.comparison import Comparison, compare
from finegraft.evaluation.result import Evaluation
from finegraft.features.memory import CheckMemory
from finegraft.features.store import Store
from finegraft.targets import Category, softmax
from finegraft.training.lr_finder import find_lr
from finegraft.training.objective import of_categories
from finegraft.training.recipe import Fit, Recipe, Table, default_batch_size, default_epochs, scores_of
from finegraft.training.schedule import one_cycle
from finegraft.vision.body import body, features_of

PAIRS = 200
LEARNED, JUDGED = 1000, 1000  # photos of a pair
GAIN = 0.03  # by how much the better one of a pair is better
FEWER = 4  # the worse one learns from so many times fewer photos
DRAWS = 10  # pairs from the same two heads


@dataclass(frozen=True)
class Shelf:
    """Features and classes of all photos that may be used."""

    table: Table
    target: Category

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Rows to learn from, and all others."""
        order = rng.permutation(len(self.table.truth))
        return order[:LEARNED], order[LEARNED:]


def shelf_of(folder: str) -> Shelf:
    """The photos of `folder` without those of its test part."""
    with Store.open() as store:
        pool = pool_of(fg.vision.read(folder, memory=CheckMemory(store)))
        features = features_of(pool.usable, pool.root, body("lite0", store), store, None).values
    names = [str(record.label) for record in pool.usable]
    target = Category.of(names)
    return Shelf(Table(torch.from_numpy(features), torch.from_numpy(target.encode(names))), target)


def answers(shelf: Shelf, learn: np.ndarray, judge: np.ndarray, seed: int, rate: float) -> Evaluation:
    """What a linear head that learned from the rows `learn` answers for the rows `judge`."""
    table = shelf.table.rows(learn)
    recipe = Recipe(len(shelf.target), of_categories(), default_batch_size(len(learn)), seed)
    head = recipe.fresh("linear", table)
    recipe.train(head, table, Fit(one_cycle(rate), default_epochs(len(learn))))
    rows = shelf.table.rows(judge)
    return Evaluation(tuple(map(str, judge.tolist())), shelf.target, rows.truth.numpy(), softmax(scores_of(head, rows)))


def rate_of(shelf: Shelf, learn: np.ndarray) -> float:
    """The learning rate that training would find on these rows."""
    table = shelf.table.rows(learn)
    recipe = Recipe(len(shelf.target), of_categories(), default_batch_size(len(learn)), 0)
    return float(find_lr(recipe.fresh("linear", table), recipe.batches(table), recipe.objective).suggestion)


def by_chance(shelf: Shelf, pairs: int = PAIRS) -> list[Comparison]:
    """Pairs of heads that differ in their seed only."""
    rng = np.random.default_rng(0)
    rate = rate_of(shelf, shelf.draw(rng)[0])
    found = []
    for pair in range(pairs):
        learn, others = shelf.draw(rng)
        a, b = (answers(shelf, learn, others[:JUDGED], seed, rate) for seed in (2 * pair, 2 * pair + 1))
        found.append(compare(a, b))
    return found


def by_skill(shelf: Shelf, pairs: int = PAIRS) -> tuple[list[Comparison], list[float]]:
    """Pairs of which B is better by `GAIN`, and by how much the heads behind them differ."""
    rng = np.random.default_rng(1)
    few = LEARNED // FEWER
    rates = [rate_of(shelf, shelf.draw(rng)[0][:learned]) for learned in (few, LEARNED)]
    found, measured = [], []
    while len(found) < pairs:
        learn, others = shelf.draw(rng)
        seed = int(rng.integers(2**31))
        a, b = (
            answers(shelf, rows, others, seed, rate) for rows, rate in zip((learn[:few], learn), rates, strict=True)
        )
        measured.append(b.accuracy.value - a.accuracy.value)
        b = mixed(a, b, rng)
        for _ in range(min(DRAWS, pairs - len(found))):
            rows = rng.integers(0, len(others), JUDGED)
            found.append(compare(drawn(a, rows), drawn(b, rows)))
    return found, measured


def mixed(a: Evaluation, b: Evaluation, rng: np.random.Generator) -> Evaluation:
    """`a` with the answers of `b` to so many photos, drawn at random, that `GAIN` more of all are right.

    Raises `ValueError` where `b` itself is not so much better.
    """
    order = rng.permutation(len(a))
    gained = np.cumsum((b.predicted == b.truth).astype(int)[order] - (a.predicted == a.truth)[order])
    reached = np.flatnonzero(gained >= round(GAIN * len(a)))
    if not len(reached):
        raise ValueError(f"B gets only {gained[-1]} more of {len(a)} right than A.")
    probabilities = a.probabilities.copy()
    taken = order[: reached[0] + 1]
    probabilities[taken] = b.probabilities[taken]
    return Evaluation(a.keys, a.target, a.truth, probabilities)


def drawn(side: Evaluation, rows: np.ndarray) -> Evaluation:
    """The records at `rows`, which may repeat, each under a name of its own."""
    keys = tuple(map(str, range(len(rows))))
    return Evaluation(keys, side.target, side.truth[rows], side.probabilities[rows])


def told(pairs: list[Comparison]) -> dict[str, object]:
    """The figures of some pairs."""
    return {
        "pairs": len(pairs),
        "judged": len(pairs[0]),
        "called": sum(pair.better is not None for pair in pairs),
        "called_b": sum(pair.better == "B" for pair in pairs),
        "p": [round(pair.accuracy.p, 4) for pair in pairs],
        "apart": float(np.mean([1 - pair.agreement.value for pair in pairs])),
        "one_sided": float(np.mean([pair.counts["only_a"] + pair.counts["only_b"] for pair in pairs])),
    }


def main(words: list[str]) -> None:
    """Print the figures."""
    (folder,) = words
    shelf = shelf_of(folder)
    skilled, measured = by_skill(shelf)
    print(json.dumps({"chance": told(by_chance(shelf)), "skill": {**told(skilled), "measured": measured}}))


if __name__ == "__main__":
    main(sys.argv[1:])

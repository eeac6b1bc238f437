"""Does a comparison of two runs tell skill from luck? Pairs of real heads, judged on the same photos.

`python -m benchmarks.rivals PHOTOS` prints one JSON object. PHOTOS has given splits; its test part is left alone.

Whether a comparison is right can only be said where the truth is known. So two linear heads answer for all photos that
neither learned from, which counts as all there is, and B, the second one, is set right: it gives the answer of A, the
first one, to as many photos, drawn at random among those that only one of the two has right, as it must to be exactly
as much better as wanted. From these photos 1,000 are drawn with replacement for each of 200 pairs; after ten pairs the
heads are trained anew. So both are real models and find the same photos hard, as models do.

`chance`: both heads learned from 1,000 photos, other ones each, and B is exactly as good as A: what is found is luck.
`skill`: A learned from a fourth of the 1,000 photos of B, and B is better by exactly 3 points.

`called` is how many pairs were called different, `called_b` in how many B was called better; that goes by accuracy,
which is what was set right, also where `compare` would decide by macro recall. `apart` is the mean share of photos with
another answer, `one_sided` the mean number of photos that only one of the two has right, `p` the p values, `heads` by
how much the heads themselves differ.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line sets it

import json
import sys
from collections.abc import Callable
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
Rows = np.ndarray  # int64 (m,)


@dataclass(frozen=True)
class Shelf:
    """Features and classes of all photos that may be used."""

    table: Table
    target: Category


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


def by_chance(shelf: Shelf, pairs: int = PAIRS) -> tuple[list[Comparison], list[float]]:
    """Pairs that are equally good, and by how much the heads behind them differ."""

    def parts(order: Rows) -> tuple[Rows, Rows, Rows]:
        return order[:LEARNED], order[LEARNED : 2 * LEARNED], order[2 * LEARNED :]

    return _pairs(shelf, parts, 0.0, pairs)


def by_skill(shelf: Shelf, pairs: int = PAIRS) -> tuple[list[Comparison], list[float]]:
    """Pairs of which B is better by `GAIN`, and by how much the heads behind them differ."""

    def parts(order: Rows) -> tuple[Rows, Rows, Rows]:
        return order[: LEARNED // FEWER], order[:LEARNED], order[LEARNED:]

    return _pairs(shelf, parts, GAIN, pairs)


def _pairs(
    shelf: Shelf, parts: Callable[[Rows], tuple[Rows, Rows, Rows]], gain: float, pairs: int
) -> tuple[list[Comparison], list[float]]:
    """Pairs of heads that learn from the first two of the `parts` of a random order and are judged on the third."""
    rng = np.random.default_rng(0)
    found: list[Comparison] = []
    heads: list[float] = []
    while len(found) < pairs:
        *learn, others = parts(rng.permutation(len(shelf.table.truth)))
        a, b = (answers(shelf, rows, others, int(rng.integers(2**31)), rate_of(shelf, rows)) for rows in learn)
        heads.append(b.accuracy.value - a.accuracy.value)
        b = set_right(a, b, gain, rng)
        for _ in range(min(DRAWS, pairs - len(found))):
            rows = rng.integers(0, len(others), JUDGED)
            found.append(compare(drawn(a, rows), drawn(b, rows)))
    return found, heads


def set_right(a: Evaluation, b: Evaluation, gain: float, rng: np.random.Generator) -> Evaluation:
    """`b` with the answers of `a` to so many photos that it gets exactly `gain` more of all of them right than `a`.

    They are drawn among those that only one of the two has right. Raises `ValueError` where these are too few.
    """
    change = (b.predicted == b.truth).astype(int) - (a.predicted == a.truth)
    surplus = int(change.sum()) - round(gain * len(a))
    one_sided = np.flatnonzero(change == np.sign(surplus))
    if surplus and len(one_sided) < abs(surplus):
        raise ValueError(f"B gets {change.sum():+} of {len(a)} more right than A; {gain:.0%} cannot be made of it.")
    rows = rng.choice(one_sided, abs(surplus), replace=False)
    probabilities = b.probabilities.copy()
    probabilities[rows] = a.probabilities[rows]
    return Evaluation(a.keys, a.target, a.truth, probabilities)


def drawn(side: Evaluation, rows: np.ndarray) -> Evaluation:
    """The records at `rows`, which may repeat, each under a name of its own."""
    keys = tuple(map(str, range(len(rows))))
    return Evaluation(keys, side.target, side.truth[rows], side.probabilities[rows])


def told(pairs: list[Comparison], heads: list[float]) -> dict[str, object]:
    """The figures of some pairs. Their accuracy is asked: that is what was set right."""
    found = [pair.accuracy for pair in pairs]
    return {
        "pairs": len(pairs),
        "judged": len(pairs[0]),
        "called": sum(difference.real for difference in found),
        "called_b": sum(difference.real and difference.value > 0 for difference in found),
        "p": [round(difference.p, 4) for difference in found],
        "apart": float(np.mean([1 - pair.agreement.value for pair in pairs])),
        "one_sided": float(np.mean([pair.counts["only_a"] + pair.counts["only_b"] for pair in pairs])),
        "heads": [round(difference, 4) for difference in heads],
    }


def main(words: list[str]) -> None:
    """Print the figures."""
    (folder,) = words
    shelf = shelf_of(folder)
    print(json.dumps({"chance": told(*by_chance(shelf)), "skill": told(*by_skill(shelf))}))


if __name__ == "__main__":
    main(sys.argv[1:])

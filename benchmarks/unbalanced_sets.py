"""Sets of photos made unbalanced, and how well their rare classes are found.

A set is drawn anew for each seed; what is not learned from is judged, each class counting in accuracy and precision by
its share of what is learned from. Of clothing only the part called train is used. "two/shirt/20" are 636 T-shirts and
20 shirts, "two/pants/shorts/30" 30 shorts beside the pants, "tail/20" ten classes of clothing of 100 photos down to
5, "bears/12" has 12 teddies to learn from, "pets/2" has two of each of 18 breeds and eight of the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from benchmarks.choices import DATA, SETS
from finegraft.features.store import Store
from finegraft.targets import Category
from finegraft.training.recipe import Table
from finegraft.vision.body import body, features_of
from finegraft.vision.sources import read


@dataclass(frozen=True)
class Unbalanced:
    """Rows to learn from and rows to judge of one table, the `counts` of the classes learned from, those that are
    `rare`, and the seed it was drawn with.
    """

    learn: Table
    judged: Table
    counts: np.ndarray
    rare: np.ndarray
    seed: int


@cache
def _labelled(name: str) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Features, class numbers and class names of one of `choices.SETS`."""
    data = read(DATA / SETS[name][0])
    with Store.open() as store:
        features = features_of(data.usable, data.root, body("lite0", store), store, None).values
    names = [str(record.label) for record in data.usable]
    target = Category.of(names)
    return features, target.encode(names), target.labels


def drawn(name: str, seed: int) -> Unbalanced:
    """The set called `name` (see above), drawn with `seed`."""
    kind, *words = name.split("/")
    features, truth, labels = _labelled({"two": "clothing", "tail": "clothing"}.get(kind, kind))
    rng = np.random.default_rng(seed)
    wanted = _wanted(kind, words, labels, np.bincount(truth), rng)
    learn, judged = [], []
    for label, most in wanted:
        rows = rng.permutation(np.flatnonzero(truth == label))
        count = min(most, len(rows) - len(rows) // 5)
        learn.append(rows[:count])
        judged.append(rows[count:])
    counts = np.array([len(rows) for rows in learn])
    rare = np.flatnonzero(counts <= max(counts.min(), counts.max() // 8))
    return Unbalanced(_table(features, learn), _table(features, judged), counts, rare, seed)


def _table(features: np.ndarray, rows: list[np.ndarray]) -> Table:
    """The table of the rows of each class, numbered in their order."""
    truth = np.repeat(np.arange(len(rows)), [len(part) for part in rows])
    return Table(torch.from_numpy(features[np.concatenate(rows)]), torch.from_numpy(truth))


def _wanted(
    kind: str, words: list[str], labels: tuple[str, ...], sizes: np.ndarray, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """(class of the source, how many to learn from at most) for every class of the set."""
    everything = int(sizes.max())
    if kind == "two":
        common, rare = ("t-shirt", words[0]) if len(words) == 2 else words[:2]
        return [(labels.index(common), everything), (labels.index(rare), int(words[-1]))]
    few = int(words[0]) if words else everything
    if kind == "bears":
        return [(0, everything), (1, everything), (2, few)]
    if kind == "pets":
        chosen = set(rng.permutation(37)[:18].tolist())
        return [(label, few if label in chosen else everything) for label in range(37)]
    if kind == "tail":
        return [(int(label), round(100 * few ** (-rank / 9))) for rank, label in enumerate(rng.permutation(10))]
    return [(label, everything) for label in range(len(labels))]


def figures(drawn: Unbalanced, predicted: np.ndarray) -> tuple[float, float, float, float]:
    """Accuracy, macro recall, macro F1 and the mean recall of the rare classes."""
    k, truth = len(drawn.counts), drawn.judged.truth.numpy()
    rates = np.bincount(truth * k + predicted, minlength=k * k).reshape(k, k) / np.bincount(truth)[:, None]
    shares = rates * (drawn.counts / drawn.counts.sum())[:, None]
    right, recall = np.diag(shares), np.diag(rates)
    f1 = 2 * right / (shares.sum(axis=0) + shares.sum(axis=1))
    return float(right.sum()), float(recall.mean()), float(f1.mean()), float(recall[drawn.rare].mean())


def as_mixed(drawn: Unbalanced) -> np.ndarray:
    """Judged rows drawn so that the classes are mixed as in what was learned from."""
    truth = drawn.judged.truth.numpy()
    share = (drawn.counts / drawn.counts.sum() / np.bincount(truth))[truth]
    return np.random.default_rng(0).choice(len(truth), 5_000, p=share / share.sum())

"""How accuracy grows with the photos learned from, measured within the training part alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from finegraft.data.balance import lopsided
from finegraft.data.splits import folds
from finegraft.evaluation.growth import FewPhotos, LearningCurve, Point, curve_of
from finegraft.models.heads import HeadKind
from finegraft.training import class_weights
from finegraft.training.confidence import FOLDS
from finegraft.training.objective import of_categories
from finegraft.training.recipe import Fit, Recipe, Table, default_batch_size, default_epochs, scores_of
from finegraft.training.span import train_in_span

# Photos of each class in the table of small sets.
EACH = (5, 10, 20, 50)
# Rows to learn from, in such an order that every beginning holds all classes evenly, and rows to ask about.
Turn = tuple[np.ndarray, np.ndarray]
_SIZES = 3  # of the curve, beside the whole, whose answers calibration has left
_STEPS = 2.0, 3.0  # from size to size, at least and at most
_SMALLEST = 16  # records to learn from, and two of each class
_DIFFERENT = 10  # groups, of which every fold then asks about two
_MOST_LEARNED = 1_500  # by a head of the curve; the cost of a curve stops growing with these two
_MOST_ASKED = 4_000
# Further folds are not asked. Ten halves of clothing foretold the error of all of it to within 0.6 points (root of the
# mean square), whether the smaller heads were asked about 300, 600 or 1,000 records.
_ENOUGH_ASKED = 500


@dataclass(frozen=True)
class Trainer:
    """How the head that is judged was trained: the arguments of `confidence.calibrate`."""

    recipe: Recipe
    kind: HeadKind
    fits: Sequence[Fit]
    train: Table

    def answers(self, learn: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """Class numbers (m,) for the rows `asked` of a head that learned from the rows `learn` alone.

        Batches, epochs and class weights are those that as many records would get by themselves.
        """
        part = self.train.rows(learn)
        recipe = self._recipe(part.truth.cpu().numpy())
        network = recipe.fresh(self.kind, part)
        train_in_span(recipe, network, part, self._fits(len(learn)))
        return np.asarray(scores_of(network, self.train.rows(asked)).argmax(axis=1))

    def _fits(self, n: int) -> list[Fit]:
        more = default_epochs(n) / default_epochs(len(self.train.truth))
        return [replace(fit, epochs=max(1, round(fit.epochs * more))) for fit in self.fits]

    def _recipe(self, truth: np.ndarray) -> Recipe:
        smaller = default_batch_size(len(truth)) / default_batch_size(len(self.train.truth))
        recipe = replace(self.recipe, batch_size=max(2, round(self.recipe.batch_size * smaller)))
        if self.recipe.weights is None:
            return recipe
        counts = np.bincount(truth, minlength=recipe.classes).clip(min=1)
        values = class_weights.weights_of(counts) if lopsided(counts.tolist()) else None
        weights = None if values is None else torch.from_numpy(values).to(self.train.truth.device, torch.float32)
        return replace(recipe, weights=values, objective=of_categories(weights=weights))


def learning_curve(
    trainer: Trainer, groups: Sequence[str], labels: Sequence[str], probabilities: np.ndarray, seed: int
) -> LearningCurve:
    """Train heads on parts of the training records and ask them about others of these.

    `groups` and `seed` are what `confidence.calibrate` was given, `probabilities` (n, k) what it found out of fold:
    the last point of the curve, for nothing. The folds are the same. Each smaller head learns from a part of a fold's
    training records, the same share of every class, and a smaller part lies within the larger ones.
    """
    truth = trainer.train.truth.cpu().numpy()
    whole = round(len(truth) * (1 - 1 / FOLDS))
    sizes = _sizes(whole, len(labels))
    if not sizes or len(set(groups)) < _DIFFERENT:
        return LearningCurve(len(truth), reason=_too_few(len(truth), len(set(groups)), len(labels)))
    turns = list(_turns(truth, groups, seed))
    wrong = np.full((len(sizes) + 1, len(truth)), np.nan)
    wrong[-1] = probabilities.argmax(axis=1) != truth
    for learn, asked in turns:
        for row, size in enumerate(sizes):
            wrong[row, asked] = trainer.answers(learn[:size], asked) != truth[asked]
    few = [found for each in EACH if (found := _few(trainer, truth, turns, each)) is not None]
    return curve_of(labels, truth, groups, [*sizes, whole], wrong, few)


def _sizes(whole: int, classes: int) -> list[int]:
    """Rising sizes below `whole`, the training records of a fold; none where there is no room for them."""
    smallest = _smallest(classes)
    step = float(np.clip((whole / smallest) ** (1 / _SIZES), *_STEPS))
    largest = min(whole / step, max(_MOST_LEARNED, smallest))
    return [n for i in reversed(range(_SIZES)) if (n := round(largest / step**i)) >= smallest]


def _smallest(classes: int) -> int:
    return max(_SMALLEST, 2 * classes)


def _turns(truth: np.ndarray, groups: Sequence[str], seed: int) -> Iterator[Turn]:
    """A turn for each fold, until enough rows are asked about."""
    rng = np.random.default_rng(seed)
    fold_of, done = folds(truth, groups, FOLDS, seed), 0
    for fold in range(FOLDS):
        asked = rng.permutation(np.flatnonzero(fold_of == fold))[:_MOST_ASKED]
        yield _evenly(np.flatnonzero(fold_of != fold), truth, groups, rng), asked
        done += len(asked)
        if done >= _ENOUGH_ASKED:
            return


def _evenly(rows: np.ndarray, truth: np.ndarray, groups: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """`rows` shuffled by group, then dealt so that any beginning holds the same share of every class, rounded up."""
    names, group = np.unique([groups[row] for row in rows], return_inverse=True)
    order = np.argsort(rng.permutation(len(names))[group], kind="stable")
    rows = rows[order]
    place = np.empty(len(rows))
    for kind in np.unique(truth[rows]):
        own = np.flatnonzero(truth[rows] == kind)
        place[own] = np.arange(len(own)) / len(own)
    return np.asarray(rows[np.lexsort((rng.permutation(len(rows)), place))])


def _few(trainer: Trainer, truth: np.ndarray, turns: Sequence[Turn], each: int) -> FewPhotos | None:
    """Accuracy with at most `each` records of every class; None where fewer than half of the classes have as many, or
    these are more in all than a head of the curve may learn from twice over.
    """
    counts = np.bincount(truth[turns[0][0]])
    short = int((counts < each).sum())
    if short > len(counts) / 2 or counts.clip(max=each).sum() > 2 * _MOST_LEARNED:
        return None
    right = sum(
        int((trainer.answers(_first(learn, truth, each), asked) == truth[asked]).sum()) for learn, asked in turns
    )
    point = Point(int(counts.clip(max=each).sum()), sum(len(asked) for _, asked in turns), right)
    return FewPhotos(each, short, point)


def _first(rows: np.ndarray, truth: np.ndarray, each: int) -> np.ndarray:
    """The first `each` of `rows` of every class."""
    return np.concatenate([rows[truth[rows] == kind][:each] for kind in np.unique(truth[rows])])


def _too_few(photos: int, different: int, classes: int) -> str:
    wanted = math.ceil(_smallest(classes) * _STEPS[0] * FOLDS / (FOLDS - 1))
    if photos >= wanted:
        return (
            f"The {photos:,} photos are {different} when copies and groups count once, too few to tell what more would "
            f"bring; it takes {_DIFFERENT}."
        )
    return (
        f"{photos:,} photos are too few to tell what more would bring; it takes about {wanted:,} of these {classes:,} "
        "classes."
    )

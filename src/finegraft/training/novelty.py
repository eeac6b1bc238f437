"""What "unlike the training data" means, learned from the training part alone: see `finegraft.models.novelty`."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from finegraft.models.novelty import Likeness, Novelty
from finegraft.training.recipe import Table

# What the three signs are worth alone and together: `python -m benchmarks.choices_novelty`, docs/architecture.md.
# The share of items like those learned from that may be called unlike them.
ALLOWED = 0.03
RANK = 128
_PER_DIMENSION = 4  # records for each dimension of the subspace: with fewer it passes through them all
_SHRINK = 0.1  # towards the sphere, so that directions seen in few records do not decide
_BY_SCORE = 2  # column of `Likeness.signs`
_FEWEST = 24  # records below which nothing can be said
# Records that the likeness is taken of, drawn by chance, and of each class at least: a hundred thousand would cost
# minutes and gigabytes. On clothing 1,000, 1,500 and 3,000 tell strangers and classes held back equally well.
MOST, _OF_EACH = 1500, 8


def novelty(
    table: Table,
    scores: np.ndarray,
    folds: np.ndarray,
    seed: int,
    kinds: np.ndarray | None = None,
    by_score: bool = True,
) -> tuple[Novelty, np.ndarray] | None:
    """The measure of `table`, and how novel each of its n records is to the others, float64 (n,).

    `scores` float (n, k) are out of fold, `folds` int (n,) the folds they are from. A record is compared with what is
    learned from the other folds, as a new item is: compared with itself it would always look familiar. `kinds` int (n,)
    in 0..m take the place of the classes where the truth of the table is none: the rarest tag, the fifth of the range
    of numbers. Without `by_score` the best score is no sign: that of a photo without any tag is low, and that of a
    number means nothing. None for fewer than 24 records.
    """
    kinds = table.truth.cpu().numpy() if kinds is None else kinds
    if len(table.truth) < _FEWEST:
        return None
    signs = np.empty((len(scores), 3))
    for fold in np.unique(folds):
        rest = np.flatnonzero(folds == fold)
        others = np.flatnonzero(folds != fold)
        apart = likeness(table.rows(others), seed, kinds[others])
        signs[rest] = apart.signs(table.features[torch.from_numpy(rest)].cpu().numpy(), scores[rest])
    return _measured(likeness(table, seed, kinds), signs, by_score)


def novelty_aside(
    learned: Table,
    kinds: np.ndarray,
    aside: np.ndarray,
    scores: np.ndarray,
    seed: int,
    by_score: bool = True,
) -> tuple[Novelty, np.ndarray] | None:
    """As `novelty`, where one network was `learned` from a table of n records and others were kept aside.

    `kinds` int (n,) are those of the records learned from, `aside` float32 (m, d) the features of the others and
    `scores` float (m, k) what the network says of them. None where either are fewer than 24.
    """
    if min(len(learned.truth), len(aside)) < _FEWEST:
        return None
    like = likeness(learned, seed, kinds)
    return _measured(like, like.signs(aside, scores), by_score)


def _measured(like: Likeness, signs: np.ndarray, by_score: bool) -> tuple[Novelty, np.ndarray]:
    """The measure by `like` at which few of the records with these `signs` (m, 3) are unlike it, and what it says."""
    middle, spread = np.median(signs, axis=0), signs.std(axis=0)
    weights = 1 / np.where(spread > 0, spread, np.inf)
    if not by_score:
        weights[_BY_SCORE] = 0
    together = (signs - middle) @ weights
    limit = float(np.quantile(together, 1 - ALLOWED))
    limit = limit if limit > 0 else 1.0
    return Novelty(like, weights / limit, float(-middle @ weights / limit)), together / limit


def likeness(table: Table, seed: int, kinds: np.ndarray | None = None) -> Likeness:
    """The subspace of the features of `table` and the spread of its classes in it, from some of its records.

    `kinds` as in `novelty`.
    """
    kinds = table.truth.cpu().numpy() if kinds is None else kinds
    chosen = some_of(kinds, seed)
    table, kind = table.rows(chosen), torch.from_numpy(kinds[chosen]).to(table.features.device)
    mean, deviation = table.features.mean(0), table.features.std(0, correction=0) + 1e-3
    standard = (table.features - mean) / deviation
    rank = max(1, min(RANK, len(standard) // _PER_DIMENSION, standard.shape[1]))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        _, _, basis = torch.svd_lowrank(standard, q=rank, niter=2)  # Halko et al., 2011, arXiv 0909.4061
    inside = standard @ basis
    present = torch.unique(kind)
    centres = torch.stack([inside[kind == number].mean(0) for number in present])
    place = torch.searchsorted(present, kind)
    within = _whitening(inside - centres[place])
    return Likeness(*map(_array, (mean, deviation, basis, within, _whitening(inside), centres @ within)))


def some_of(truth: np.ndarray, seed: int) -> np.ndarray:
    """Rows of about `MOST` records, in order: `_OF_EACH` of every class or all it has, the others by chance."""
    order = np.random.default_rng(seed).permutation(len(truth))
    by_class = np.argsort(truth[order], kind="stable")
    counts = np.bincount(truth)
    place = np.empty(len(truth), dtype=np.int64)  # of each record within its class, in the drawn order
    place[order[by_class]] = np.arange(len(truth)) - np.repeat(np.cumsum(counts) - counts, counts)
    first = order[np.argsort(place[order] >= _OF_EACH, kind="stable")]
    return np.sort(first[: max(MOST, int(counts.clip(max=_OF_EACH).sum()))])


def _whitening(x: Tensor) -> Tensor:
    """The (r, r) matrix that makes the spread of x (n, r) alike in all directions, nearly."""
    spread = (x.T @ x / len(x)).double()
    size = spread.shape[0]
    sphere = torch.eye(size, dtype=spread.dtype, device=spread.device) * (spread.trace() / size)
    least = 1e-12 * torch.eye(size, dtype=spread.dtype, device=spread.device)  # where all records are the same
    lower: Tensor = torch.linalg.cholesky((1 - _SHRINK) * spread + _SHRINK * sphere + least)
    inverse: Tensor = torch.linalg.inv(lower)
    return inverse.T.to(x.dtype)


def _array(tensor: Tensor) -> np.ndarray:
    return np.ascontiguousarray(tensor.cpu().numpy(), dtype=np.float32)

"""Features with a pattern in them, and a dataset and an origin around them: what a learner needs, without photos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from finegraft.data.dataset import Dataset
from finegraft.data.record import Record, Split
from finegraft.inference.predictor import Predictor
from finegraft.training.learner import Learner
from finegraft.training.recipe import Table


def blobs(n: int, classes: int = 3, width: int = 8, spread: float = 1.0, seed: int = 0) -> tuple[np.ndarray, ...]:
    """`n` float32 features around a centre for each class, in turn, and their class numbers."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(1).normal(0, 1, (classes, width))
    truth = np.arange(n) % classes
    return (centres[truth] + rng.normal(0, spread, (n, width))).astype(np.float32), truth


def table(n: int = 60, classes: int = 3, width: int = 8, spread: float = 1.0, seed: int = 0) -> Table:
    """`blobs` as a table."""
    features, truth = blobs(n, classes, width, spread, seed)
    return Table(torch.from_numpy(features), torch.from_numpy(truth))


def dataset(truth: Sequence[int], splits: Sequence[Split | None]) -> Dataset:
    """A record for each class number, in its split; the label of class 0 is "a"."""
    rows = zip(truth, splits, strict=True)
    records = (Record(f"{i:04}.jpg", f"digest {i}", "abcdefgh"[kind], split) for i, (kind, split) in enumerate(rows))
    return Dataset(tuple(records), Path("nowhere"), "vision")


class Nowhere:
    """An origin without a backbone: nothing here packs a predictor."""

    def predictor(self, layers: Sequence[tuple[np.ndarray, np.ndarray]], learner: Learner) -> Predictor:
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        return {}


def learner(n: int = 90, judged: int = 30, spread: float = 1.0, **options: Any) -> Learner:
    """A silent learner of three classes, the last `judged` of `n` records held out."""
    features, truth = blobs(n, spread=spread)
    splits: list[Split | None] = ["train"] * (n - judged) + ["held-out"] * judged
    return Learner(dataset(truth.tolist(), splits), features, Nowhere(), show=False, **options)

"""How much a record of each class counts in training, where some classes have far fewer records than others.

The weight of a record is inversely proportional to the records of its class, so that every class counts the same. The
loss is weighed so (`objective.of_categories`), and features are centred so (`centred`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from finegraft.data.balance import LOPSIDED, lopsided
from finegraft.errors import UsageError
from finegraft.models.heads import Standardise

Wanted = Literal["auto", "no"]
# No record counts more than so many times another. Beside 636 photos of one class, the only photo of a second one would
# count 636 times: one batch with it then undoes what was learned, and in one of six trials half of all answers were
# wrong. Up to 100 times, 95.6 % were right in the worst of the six.
MOST = 100.0


@dataclass(frozen=True)
class ClassWeights:
    """What was chosen: `values` float64 (k,), the weight of a record of each class, 1 on average over the records; None
    where all count the same. `reason` says in one sentence what was chosen and why. `unbalanced` is whether there was
    anything to choose.
    """

    values: np.ndarray | None
    reason: str
    unbalanced: bool

    def to_json(self, labels: Sequence[str]) -> dict[str, Any]:
        """`class_weights` (null, or label -> weight) and `class_weights_reason`, for run.json."""
        values = None if self.values is None else dict(zip(labels, self.values.round(4).tolist(), strict=True))
        return {"class_weights": values, "class_weights_reason": self.reason}


def choose(counts: Mapping[str, int], wanted: Wanted = "auto") -> ClassWeights:
    """The weights for classes with so many records to learn from, each at least one.

    "auto" weighs where the largest class has four times the records of the smallest or more (`balance.LOPSIDED`).
    Raises `UsageError` for another word.
    """
    if wanted not in get_args(Wanted):
        raise UsageError(f"Class weights are 'auto' or 'no', got {wanted!r}.")
    sizes = sorted((count, label) for label, count in counts.items())
    (small, rare), (large, common) = sizes[0], sizes[-1]
    if not lopsided(counts.values()):
        even = f"All records count the same: no class has {LOPSIDED} times the records of another."
        return ClassWeights(None, even, False)
    numbers = f"Class {common!r} has {large:,} to learn from, {rare!r} only {small:,}"
    if wanted == "no":
        return ClassWeights(None, f"{numbers}; all records count the same nonetheless, as was asked for.", True)
    values = weights_of(np.array(list(counts.values())))
    why = "as much as is safe" if large > MOST * small else "so that every class counts the same"
    times = values.max() / values.min()
    said = f"{numbers}: a record of {rare!r} counts {times:.3g} times one of {common!r}, {why}."
    return ClassWeights(values, said, True)


def none(wanted: Wanted) -> ClassWeights:
    """The weights where what is learned is no class: every record counts the same. Raises as `choose` does."""
    if wanted not in get_args(Wanted):
        raise UsageError(f"Class weights are 'auto' or 'no', got {wanted!r}.")
    return ClassWeights(None, "All records count the same: only classes are weighed.", False)


def weights_of(counts: np.ndarray) -> np.ndarray:
    """Weights float64 (k,) in inverse proportion to `counts` int (k,), at least 1 each; 1 on average over the records.

    None is more than 100 times another.

    >>> weights_of(np.array([300, 100])).round(3).tolist()
    [0.667, 2.0]
    """
    inverse = 1 / counts
    inverse = np.minimum(inverse, MOST * inverse.min())
    return np.asarray(inverse * counts.sum() / (inverse * counts).sum())


def centred(standardise: Standardise, features: Tensor, weight: Tensor) -> Standardise:
    """`standardise` around the mean of `features` (n, d) where every record has its `weight` (n,).

    A linear head that starts at zero and stops early parts two classes near the origin. The plain mean lies amidst the
    common class, much of which is then taken for the rare one: with 636 T-shirts and 20 longsleeves 64 % of all answers
    were right around the plain mean, 98 % around the weighted one. Batch norm behind a hidden layer undoes any shift,
    so there it changes nothing.
    """
    share = (weight / weight.sum())[:, None]
    return Standardise((share * features).sum(0), standardise.get_buffer("deviation"))


def of_records(values: np.ndarray, truth: Tensor) -> Tensor:
    """The weight of each record, float32 (n,), for class weights (k,) and class numbers `truth` (n,)."""
    return torch.from_numpy(values).to(truth.device, torch.float32)[truth]

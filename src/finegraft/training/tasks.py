"""What differs by what is predicted: a row of plain functions for classes, for tags and for numbers.

Everything else of a training, the rate finder, the loop, folds, the head's layers, is the same for all three.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from finegraft.errors import DataError
from finegraft.evaluation.calibration import fit_temperature
from finegraft.evaluation.platt import fit_each
from finegraft.evaluation.spread import centre_and_spread
from finegraft.evaluation.tag_thresholds import probabilities_of
from finegraft.models.heads import Rescale
from finegraft.targets import Number, Target, softmax
from finegraft.training import objective
from finegraft.training.category_calibration import Calibration
from finegraft.training.folds import OutOfFold
from finegraft.training.number_calibration import NumberCalibration
from finegraft.training.objective import Objective
from finegraft.training.tag_calibration import TagCalibration

AnyCalibration = Calibration | TagCalibration | NumberCalibration

_SMALLEST = 1e-12  # a probability below it counts as this
_PARTS = 5  # of equal size, that stand in for the classes of numbers, as in `finegraft.data.splits`
# Scores are single precision, seven digits: of numbers further from 0 than so many times their spread three are left.
_FARTHEST = 1e4
_HIGHEST = 1e30  # its square is no single-precision number any more, but still a double


@dataclass(frozen=True)
class Task:
    """One row. Scores are (n, k) before softmax or sigmoid; `truth` is what the target encodes, (n,) or (n, k).

    - `error` gives the mean error of scores, the figure `error_name` of a live table and of `log.jsonl`
    - `objective` makes what is minimised from the truth learned from and the weights of the classes, or None
    - `start` completes an untrained head, by the truth it will learn
    - `strata` says of each record (n,) what kind of record it is: what folds spread evenly, and what is compared with
      its like to tell what is unlike the training data
    - `losses` compare heads: the loss of each of n records by its scores float (n, k), as well calibrated as one number
      can; `loss` is their mean
    - `calibration` and `unknown` say how sure answers may be: from out-of-fold scores, and where there are none
    - `weighs` is whether records of rare classes may count more, `doubts_by_score` whether a low best score is a sign
      of something unlike the training data
    """

    kind: str
    error_name: str
    error: Callable[[Tensor, Tensor], float]
    objective: Callable[[Tensor, Tensor | None], Objective]
    start: Callable[[nn.Sequential, Tensor], nn.Sequential]
    strata: Callable[[np.ndarray], np.ndarray]
    losses: Callable[[np.ndarray, np.ndarray], np.ndarray]
    calibration: Callable[[OutOfFold, float], AnyCalibration]
    unknown: Callable[[np.ndarray, int, Sequence[str]], AnyCalibration]
    weighs: bool = False
    doubts_by_score: bool = False

    def loss(self, scores: np.ndarray, truth: np.ndarray) -> float:
        """The mean of `losses`."""
        return float(self.losses(scores, truth).mean())


def of(target: Target) -> Task:
    """The row for `target`."""
    return TASKS[target.kind]


def outputs_of(target: Target) -> int:
    """How many scores a head for `target` gives: one for a number, else one for each label."""
    return 1 if isinstance(target, Number) else len(target)


def _wrong_classes(scores: Tensor, truth: Tensor) -> float:
    return (scores.argmax(1) != truth).double().mean().item()


def _wrong_tags(scores: Tensor, truth: Tensor) -> float:
    """The share of wrong tags among all of records times tags, every tag answered from a probability of a half on."""
    return ((scores > 0) != (truth > 0)).double().mean().item()


def _distance(scores: Tensor, truth: Tensor) -> float:
    """The mean distance of answers and truth, in the user's unit."""
    return (scores[:, 0] - truth).abs().mean().item()


def _as_made(head: nn.Sequential, truth: Tensor) -> nn.Sequential:  # noqa: ARG001 - as the others have it
    return head


def _from_shares(head: nn.Sequential, truth: Tensor) -> nn.Sequential:
    """Every tag starts at the share of records that have it, so that rare tags need not be unlearned first.

    Lin et al., 2017, "Focal loss for dense object detection", section 4.1. One record with and one without are added:
    no tag starts as impossible. Ten tags on photos of clothing: from a half on, a linear head ends at a held-out loss
    of 3.10 after 1,000 photos and 5.08 after 200, so at 1.71 and 2.42.
    """
    share = (truth.sum(0) + 1) / (len(truth) + 2)
    with torch.no_grad():
        cast(nn.Linear, head[-1]).bias.copy_(share.logit())
    return head


def _in_its_unit(head: nn.Sequential, truth: Tensor) -> nn.Sequential:
    """The head learns the standardised number; a last layer puts it back into the user's unit."""
    centre, spread = centre_and_spread(truth.cpu().numpy())
    return head.append(Rescale(torch.tensor([centre]).float(), torch.tensor([spread]).float()).to(truth.device))


def _classes(truth: np.ndarray) -> np.ndarray:
    return truth


def _rarest_tags(truth: np.ndarray) -> np.ndarray:
    """The rarest tag of each record, int64 (n,); k for one without any."""
    rank = np.argsort(np.argsort(truth.sum(axis=0), kind="stable"), kind="stable")  # 0 is the rarest
    k = truth.shape[1]
    rarest = np.where(truth > 0, rank, k).min(axis=1)
    return np.asarray(np.append(np.argsort(rank, kind="stable"), k)[rarest], dtype=np.int64)


def _fifths(truth: np.ndarray) -> np.ndarray:
    """The fifth of the range that each number lies in, int64 (n,) in 0..4."""
    bounds = np.unique(np.quantile(truth, np.arange(1, _PARTS) / _PARTS))
    return np.asarray(np.searchsorted(bounds, truth, side="right"), dtype=np.int64)


def _class_losses(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Cross-entropy after the best single temperature.

    Plain, also where the recipe weighs the classes: a weighted mean hangs on the few records of the rarest one. Macro
    F1 after choosing by the plain and by the weighted loss: bears with 12 teddies 0.963 and 0.963, with 4 0.943 and
    0.943, clothing with a long tail 0.776 and 0.768, dresses with 12 skirts 0.809 and 0.803.
    """
    probabilities = softmax(scores, fit_temperature(scores, truth))
    return np.asarray(-np.log(probabilities[np.arange(len(truth)), truth].clip(_SMALLEST)))


def _tag_losses(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Binary cross-entropy, summed over the tags, after the best slopes and shifts."""
    probabilities = probabilities_of(scores, fit_each(scores, truth.astype(np.int64)))
    own = np.where(truth > 0, probabilities, 1 - probabilities)
    return np.asarray(-np.log(own.clip(_SMALLEST)).sum(axis=1))


def _number_losses(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The distance of each answer and the truth."""
    return np.asarray(np.abs(scores[:, 0] - truth))


def _of_categories(truth: Tensor, weights: Tensor | None) -> Objective:  # noqa: ARG001 - as the others have it
    return objective.of_categories(weights=weights)


def _of_tags(truth: Tensor, weights: Tensor | None) -> Objective:  # noqa: ARG001
    return objective.of_tags()


def _of_numbers(truth: Tensor, weights: Tensor | None) -> Objective:  # noqa: ARG001
    return objective.of_numbers(centre_and_spread(truth.cpu().numpy())[1])


def check_numbers(numbers: np.ndarray, all_of_them: np.ndarray) -> None:
    """Raise `DataError` unless `numbers` float64 (n,) can be learned in single precision, and `all_of_them` told."""
    low, high = float(numbers.min()), float(numbers.max())
    if low == high:
        raise DataError(
            f"All numbers to learn from are {low:g}: there is nothing to tell apart.",
            "Add records with other numbers to the training part.",
        )
    centre, spread = centre_and_spread(numbers)
    low, high = float(all_of_them.min()), float(all_of_them.max())
    if max(abs(low), abs(high)) > _HIGHEST or abs(centre) > _FARTHEST * spread:
        raise DataError(
            f"The numbers to learn lie from {low:g} to {high:g}: their differences are lost in the seven digits that a "
            "model computes with.",
            "Give them in another unit, or take a round number from all of them.",
        )


CATEGORY = Task(
    "category",
    "error_rate",
    _wrong_classes,
    _of_categories,
    _as_made,
    _classes,
    _class_losses,
    Calibration.of,
    Calibration.unknown,
    weighs=True,
    doubts_by_score=True,
)
TAGS = Task(
    "tags",
    "hamming_loss",
    _wrong_tags,
    _of_tags,
    _from_shares,
    _rarest_tags,
    _tag_losses,
    TagCalibration.of,
    TagCalibration.unknown,
)
NUMBER = Task(
    "number",
    "mae",
    _distance,
    _of_numbers,
    _in_its_unit,
    _fifths,
    _number_losses,
    NumberCalibration.of,
    NumberCalibration.unknown,
)
TASKS = {task.kind: task for task in (CATEGORY, TAGS, NUMBER)}

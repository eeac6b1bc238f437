"""Scores to answers, one way for each kind of target: a class, a set of tags, a number."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from finegraft.errors import UsageError
from finegraft.evaluation import tag_thresholds
from finegraft.inference.choice import Choice, everything
from finegraft.inference.prediction import (
    CLOSE_CALL,
    UNLIKE_TRAINING,
    AnyPrediction,
    NumberPrediction,
    Prediction,
    TagsPrediction,
)
from finegraft.targets import Category, Tags, Target


class Answering(Protocol):
    """What a predictor asks of a target."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The possible answers; none where a number is answered."""
        ...

    def values(self, scores: np.ndarray) -> np.ndarray:
        """Scores (k,) as the probabilities of `labels`, float64 (k,), or as the number, float64 (1,)."""
        ...

    def prediction(self, scores: np.ndarray, strange: bool, path: str | None) -> AnyPrediction:
        """The answer; `strange` is whether the item is unlike the training data."""
        ...


@dataclass(frozen=True)
class OneClass:
    """One class of `choice`; a close call where its probability among all classes is below `unsure_below`."""

    choice: Choice
    temperature: float
    unsure_below: float

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes to choose among."""
        return self.choice.labels

    def values(self, scores: np.ndarray) -> np.ndarray:
        """The probability of each class."""
        return self.choice.probabilities(scores, self.temperature)

    def prediction(self, scores: np.ndarray, strange: bool, path: str | None) -> Prediction:
        """The answer with its ranking. What is unlike anything learned from has no class to be close to."""
        probabilities = self.values(scores)
        answer = self.choice.answer(scores, probabilities)
        order = np.argsort(-probabilities, kind="stable")
        if order[0] != answer:  # yes or no: the answer may have the smaller part
            order = order[::-1]
        ranking = _ranking(self.labels, probabilities, order)
        close = self.choice.certainty(scores, self.temperature) < self.unsure_below
        return Prediction(*ranking[0], ranking, _doubt(strange, close), path)


@dataclass(frozen=True)
class SeveralTags:
    """Every tag of `target` whose probability reaches its threshold.

    A close call where any tag lies nearer to its threshold than `unsure_below` (`tag_thresholds.certainty`).
    """

    target: Tags
    platt: tuple[tuple[float, float], ...]
    thresholds: tuple[float, ...]
    unsure_below: float

    def __post_init__(self) -> None:
        if len(self.platt) != len(self.target):
            raise UsageError(f"{len(self.target)} tags need as many slopes and shifts, got {len(self.platt)}.")
        if len(self.thresholds) != len(self.target) or not all(0 < cut < 1 for cut in self.thresholds):
            raise UsageError(
                f"{len(self.target)} tags need as many thresholds between 0 and 1, got {list(self.thresholds)}."
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """All tags."""
        return self.target.labels

    @cached_property
    def _cuts(self) -> np.ndarray:
        return np.array(self.thresholds)

    @cached_property
    def _scale(self) -> np.ndarray:
        return np.array(self.platt)

    def values(self, scores: np.ndarray) -> np.ndarray:
        """The probability of each tag; they do not sum to one."""
        return tag_thresholds.probabilities_of(scores, self._scale)

    def prediction(self, scores: np.ndarray, strange: bool, path: str | None) -> TagsPrediction:
        """The tags answered, by falling probability; there may be none."""
        probabilities = self.values(scores)
        order = np.argsort(-probabilities, kind="stable")
        ranking = _ranking(self.labels, probabilities, order)
        given = (probabilities >= self._cuts)[order]
        labels = tuple(row for row, there in zip(ranking, given.tolist(), strict=True) if there)
        close = bool(tag_thresholds.certainty(probabilities[None], self._cuts)[0] < self.unsure_below)
        return TagsPrediction(labels, ranking, _doubt(strange, close), path)


@dataclass(frozen=True)
class OneNumber:
    """The score itself, with an interval of `half_width` to either side; None where none is known."""

    half_width: float | None

    @property
    def labels(self) -> tuple[str, ...]:
        """None: any number may be answered."""
        return ()

    def values(self, scores: np.ndarray) -> np.ndarray:
        """The number."""
        return scores.astype(np.float64)

    def prediction(self, scores: np.ndarray, strange: bool, path: str | None) -> NumberPrediction:
        """The number and its interval."""
        value = float(scores[0])
        interval = None if self.half_width is None else (value - self.half_width, value + self.half_width)
        return NumberPrediction(value, interval, _doubt(strange, close=False), path)


def answering_of(
    target: Target,
    temperature: float,
    unsure_below: float,
    thresholds: tuple[float, ...] | None,
    platt: tuple[tuple[float, float], ...] | None,
    half_width: float | None,
) -> Answering:
    """The way of `target`; see `Predictor` for the others. Raises `UsageError` for what does not fit the tags."""
    if isinstance(target, Category):
        return OneClass(everything(target), temperature, unsure_below)
    if isinstance(target, Tags):
        cuts = (tag_thresholds.PLAIN,) * len(target) if thresholds is None else tuple(thresholds)
        scale = ((1.0, 0.0),) * len(target) if platt is None else tuple(platt)
        return SeveralTags(target, scale, cuts, unsure_below)
    return OneNumber(half_width)


def _ranking(labels: tuple[str, ...], probabilities: np.ndarray, order: np.ndarray) -> tuple[tuple[str, float], ...]:
    names = map(labels.__getitem__, order.tolist())
    return tuple(zip(names, probabilities[order].tolist(), strict=True))


def _doubt(strange: bool, close: bool) -> str | None:
    """The reason to ask a person."""
    return UNLIKE_TRAINING if strange else CLOSE_CALL if close else None

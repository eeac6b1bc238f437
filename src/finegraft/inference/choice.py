"""Which classes may be answered: all, some of them, or yes and no to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from finegraft.errors import UsageError
from finegraft.targets import Category, softmax

YES_NO = ("yes", "no")


@dataclass(frozen=True)
class Choice:
    """The classes of `target` in `columns`, in that order; a single one makes the question "is it this?"."""

    target: Category
    columns: tuple[int, ...]

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The possible answers."""
        return YES_NO if self._asks_one else tuple(self.target.labels[column] for column in self.columns)

    def probabilities(self, scores: np.ndarray, temperature: float) -> np.ndarray:
        """The probability of each of `labels`, from the scores (k,) of all classes.

        Several classes share the whole probability among them. One class keeps what it has among all classes, so
        "yes" and "no" say how likely it is that the item is of that class at all.
        """
        if self._asks_one:
            own = softmax(scores, temperature)[self.columns[0]]
            return np.array([own, 1 - own])
        return softmax(scores[list(self.columns)], temperature)

    def answer(self, scores: np.ndarray, probabilities: np.ndarray) -> int:
        """Which of `labels` is the answer: the most likely one. "yes" where the class comes first among all.

        With 1,000 classes the first one may well have less than half of the probability.
        """
        if self._asks_one:
            return 0 if int(scores.argmax()) == self.columns[0] else 1
        return int(probabilities.argmax())

    def certainty(self, scores: np.ndarray, temperature: float) -> float:
        """What the threshold for "unsure" is compared with: a probability among all classes, where it was learned.

        For several classes it is that of the answer, so it is small for an item like none of them. Yes and no both
        say which class comes first, so there it is that of the first one.
        """
        whole = softmax(scores, temperature)
        return float(whole.max() if self._asks_one else whole[list(self.columns)].max())

    @property
    def is_whole(self) -> bool:
        """Whether every class may be answered."""
        return self == everything(self.target)

    @property
    def _asks_one(self) -> bool:
        return len(self.columns) == 1


def everything(target: Category) -> Choice:
    """Every class may be answered."""
    return Choice(target, tuple(range(len(target))))


def among(target: Category, names: Sequence[str]) -> Choice:
    """Only the classes in `names`; upper and lower case mean the same unless both are classes.

    Raises `UsageError` for no name, and for one that is not a class, with the nearest one that is.
    """
    if not names:
        raise UsageError("No class was given to choose among.", "Name at least one.")
    return Choice(target, tuple(dict.fromkeys(_column(target, name) for name in names)))


def _column(target: Category, name: str) -> int:
    if name in target.labels:
        return target.labels.index(name)
    folded = [label.casefold() for label in target.labels]
    if folded.count(name.casefold()) == 1:
        return folded.index(name.casefold())
    raise UsageError(f"The model has no class {name!r}.", _nearest(target, folded, name))


def _nearest(target: Category, folded: list[str], name: str) -> str:
    import difflib  # 10 ms that no right answer should pay

    near = difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.6)
    if near:
        return f"Did you mean {' or '.join(repr(target.labels[folded.index(label)]) for label in near)}?"
    shown = ", ".join(target.labels[:10])
    return f"It knows: {shown}{', …' if len(target) > 10 else ''}."

"""What is predicted: labels to numbers, and scores back to labels. NumPy only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finegraft.errors import DataError


@dataclass(frozen=True)
class Category:
    """One label of several: `labels[i]` is the name of column i of every score matrix.

    >>> Category.of(["rose", "tulip", "rose"]).encode(["tulip", "rose"]).tolist()
    [1, 0]
    """

    labels: tuple[str, ...]
    kind = "category"

    def __post_init__(self) -> None:
        if len(set(self.labels)) != len(self.labels):
            raise DataError(f"Class names must differ, got {list(self.labels)}.")

    @classmethod
    def of(cls, labels: Iterable[str]) -> Category:
        """The classes that occur in `labels`, in sorted order."""
        return cls(tuple(sorted(set(labels))))

    def __len__(self) -> int:
        return len(self.labels)

    def encode(self, labels: Sequence[str]) -> np.ndarray:
        """Labels to class numbers, int64 of shape (n,). Raises `DataError` on a label not known."""
        index = {name: i for i, name in enumerate(self.labels)}
        unknown = sorted(set(labels) - set(index))
        if unknown:
            raise DataError(
                f"These labels are not classes of the model: {', '.join(unknown[:5])}"
                f"{', …' if len(unknown) > 5 else ''}.",
                f"It knows: {', '.join(self.labels[:10])}{', …' if len(self.labels) > 10 else ''}.",
            )
        return np.array([index[name] for name in labels], dtype=np.int64)

    def to_json(self) -> dict[str, Any]:
        """The JSON form stored in a bundle."""
        return {"kind": self.kind, "labels": list(self.labels)}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Category:
        """The inverse of `to_json`."""
        return cls(tuple(stored["labels"]))


def softmax(scores: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Probabilities of scores, float64, along the last axis; rows sum to one.

    `temperature` divides the scores first (Guo et al., 2017, "On Calibration of Modern Neural Networks").
    """
    scaled = np.asarray(scores, dtype=np.float64) / temperature
    scaled = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(scaled / scaled.sum(axis=-1, keepdims=True))

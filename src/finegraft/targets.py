"""What is predicted: labels to numbers, and scores back to labels. NumPy only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finegraft.errors import DataError

# As `finegraft.data.record.Label`, which lies above: one class, several tags, or a number.
_Label = str | tuple[str, ...] | float


@dataclass(frozen=True)
class Category:
    """One label of several: `labels[i]` is the name of column i of every score matrix.

    >>> Category.of(["rose", "tulip", "rose"]).encode(["tulip", "rose"]).tolist()
    [1, 0]
    """

    labels: tuple[str, ...]
    kind = "category"

    def __post_init__(self) -> None:
        _must_differ(self.labels, "Class names")

    @classmethod
    def of(cls, labels: Iterable[str]) -> Category:
        """The classes that occur in `labels`, in sorted order."""
        return cls(tuple(sorted(set(labels))))

    def __len__(self) -> int:
        return len(self.labels)

    def encode(self, labels: Sequence[str]) -> np.ndarray:
        """Labels to class numbers, int64 of shape (n,). Raises `DataError` on a label not known."""
        index = _columns(self.labels, labels, "classes")
        return np.array([index[name] for name in labels], dtype=np.int64)

    def to_json(self) -> dict[str, Any]:
        """The JSON form stored in a bundle."""
        return {"kind": self.kind, "labels": list(self.labels)}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Category:
        """The inverse of `to_json`."""
        return cls(tuple(stored["labels"]))


@dataclass(frozen=True)
class Tags:
    """Any number of labels at once, none too: `labels[i]` is the name of column i of every score matrix.

    >>> Tags.of([("red", "round"), ()]).encode([("round",), ()]).tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """

    labels: tuple[str, ...]
    kind = "tags"

    def __post_init__(self) -> None:
        _must_differ(self.labels, "Tags")

    @classmethod
    def of(cls, labels: Iterable[tuple[str, ...]]) -> Tags:
        """The tags that occur in `labels`, in sorted order."""
        return cls(tuple(sorted({tag for tags in labels for tag in tags})))

    def __len__(self) -> int:
        return len(self.labels)

    def encode(self, labels: Sequence[tuple[str, ...]]) -> np.ndarray:
        """Tags to ones and zeros, float32 of shape (n, k). Raises `DataError` on a tag not known."""
        index = _columns(self.labels, (tag for tags in labels for tag in tags), "tags")
        encoded = np.zeros((len(labels), len(self.labels)), dtype=np.float32)
        for row, tags in enumerate(labels):
            encoded[row, [index[tag] for tag in tags]] = 1
        return encoded

    def to_json(self) -> dict[str, Any]:
        """The JSON form stored in a bundle."""
        return {"kind": self.kind, "labels": list(self.labels)}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Tags:
        """The inverse of `to_json`."""
        return cls(tuple(stored["labels"]))


@dataclass(frozen=True)
class Number:
    """A number: scores have one column, the number itself.

    >>> Number().encode([0.5, 3]).tolist()
    [0.5, 3.0]
    """

    kind = "number"

    def encode(self, labels: Sequence[float]) -> np.ndarray:
        """Labels as they are, float64 of shape (n,). Raises `DataError` for one that is not finite."""
        encoded = np.array(labels, dtype=np.float64).reshape(len(labels))
        if not np.isfinite(encoded).all():
            raise DataError("Numbers to learn must be finite, got nan or infinity.", "Leave those records out.")
        return encoded

    def to_json(self) -> dict[str, Any]:
        """The JSON form stored in a bundle."""
        return {"kind": self.kind}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Number:  # noqa: ARG003 - as the others have it
        """The inverse of `to_json`."""
        return cls()


Target = Category | Tags | Number
_KINDS: dict[str, type[Category] | type[Tags] | type[Number]] = {kind.kind: kind for kind in (Category, Tags, Number)}


def of(labels: Sequence[_Label]) -> Target:
    """The target that `labels` are of: their kind decides. Raises `DataError` where there are none, or several kinds.

    >>> of(["rose", "tulip"])
    Category(labels=('rose', 'tulip'))
    """
    names = [label for label in labels if isinstance(label, str)]
    tags = [label for label in labels if isinstance(label, tuple)]
    if not labels or 0 < len(names) < len(labels) or 0 < len(tags) < len(labels):
        got = sorted({type(label).__name__ for label in labels}) or ["none"]
        raise DataError(f"The labels must all be of one kind, got {', '.join(got)}.", "Give each record a label.")
    return Category.of(names) if names else Tags.of(tags) if tags else Number()


def from_json(stored: dict[str, Any]) -> Target:
    """The target that any `to_json` wrote. Raises `DataError` for a kind not known."""
    kind = stored.get("kind", Category.kind)
    if kind not in _KINDS:
        raise DataError(f"There is no target of the kind {kind!r}.", f"Known: {', '.join(_KINDS)}. Upgrade finegraft.")
    return _KINDS[kind].from_json(stored)


def softmax(scores: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Probabilities of scores, float64, along the last axis; rows sum to one.

    `temperature` divides the scores first (Guo et al., 2017, "On Calibration of Modern Neural Networks").
    """
    scaled = np.asarray(scores, dtype=np.float64) / temperature
    scaled = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(scaled / scaled.sum(axis=-1, keepdims=True))


def _must_differ(labels: Sequence[str], what: str) -> None:
    if len(set(labels)) != len(labels):
        raise DataError(f"{what} must differ, got {list(labels)}.")


def _columns(labels: Sequence[str], names: Iterable[str], what: str) -> dict[str, int]:
    """Name -> column. Raises `DataError` where one of `names` has none."""
    index = {name: i for i, name in enumerate(labels)}
    unknown = sorted(set(names) - set(index))
    if unknown:
        raise DataError(
            f"These labels are not {what} of the model: {', '.join(unknown[:5])}{', …' if len(unknown) > 5 else ''}.",
            f"It knows: {', '.join(labels[:10])}{', …' if len(labels) > 10 else ''}.",
        )
    return index

"""What a model answered on records with a known truth: one row per record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from finegraft.display import html_of
from finegraft.errors import DataError
from finegraft.evaluation import binary, influence, metrics, tables
from finegraft.evaluation import rows as jsonl
from finegraft.evaluation.clusters import Clusters, basis
from finegraft.evaluation.metrics import Metric, PerClass
from finegraft.evaluation.rounding import rounded
from finegraft.evaluation.traits import trait_to_json, traits_of_rows
from finegraft.targets import Category

_SMALLEST = 1e-12  # a probability below it counts as this: the worst loss is 27.6, not infinite
_ALONE = "shares have Wilson's interval, macro F1 and calibration error a bootstrap"


@dataclass(frozen=True, slots=True)
class Judged:
    """One judged record: its true `label`, the `predicted` one with its `probability`, and the `loss`."""

    key: str
    label: str
    predicted: str
    probability: float
    loss: float


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """The answers to n records of known truth, on which nothing was trained or chosen.

    `keys` names the records, `truth` int64 (n,) holds their class numbers, `probabilities` float (n, k) the answers,
    rows summing to one; column i belongs to `target.labels[i]`. The arrays are read-only.

    What more may be known of the records, in their order: `groups` says which belong together, such as the photos of
    one person, and so are no independent evidence (empty: each stands alone). `traits` maps the name of a trait to
    float (n,), nan where it is unknown, or texts (n,) of dtype object, "" where unknown. `novelty` float (n,) says
    how unlike the training data each is; above 1 it is called so (`finegraft.training.novelty`).

    `looks` counts how often these records were judged by then, each time after more training: with every look after
    the first, what was chosen may fit just these records, and the numbers flatter.

    Raises `DataError` when these do not fit together, or when there is no record.

    >>> target = Category(("rose", "tulip"))
    >>> Evaluation(("a.jpg", "b.jpg"), target, np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]]))
    <Evaluation: accuracy 1.000 (0.342 to 1.000) on 2 records, 2 classes>
    """

    keys: tuple[str, ...]
    target: Category
    truth: np.ndarray
    probabilities: np.ndarray
    groups: tuple[str, ...] = ()
    traits: Mapping[str, np.ndarray] = field(default_factory=dict)
    novelty: np.ndarray | None = None
    looks: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", tuple(self.keys))
        object.__setattr__(self, "truth", jsonl.read_only(np.asarray(self.truth)))
        object.__setattr__(self, "probabilities", jsonl.read_only(np.asarray(self.probabilities)))
        object.__setattr__(self, "groups", tuple(self.groups))
        object.__setattr__(self, "traits", {name: jsonl.read_only(values) for name, values in self.traits.items()})
        if self.novelty is not None:
            object.__setattr__(self, "novelty", jsonl.read_only(np.asarray(self.novelty)))
        _check_rows(self.keys, self.target, self.truth, self.probabilities)
        _check_more(self)

    def __len__(self) -> int:
        return len(self.keys)

    def __repr__(self) -> str:
        return f"<Evaluation: accuracy {self.accuracy} on {len(self)} records, {len(self.target)} classes>"

    def _repr_html_(self) -> str:
        return html_of(self)

    @property
    def labels(self) -> tuple[str, ...]:
        """The class names, in the order of the columns."""
        return self.target.labels

    @cached_property
    def predicted(self) -> np.ndarray:
        """The class number answered for every record, int64 (n,)."""
        return jsonl.read_only(self.probabilities.argmax(axis=1))

    @cached_property
    def losses(self) -> np.ndarray:
        """The cross-entropy of every record, -log of the probability of the truth: float64 (n,), at most 27.6."""
        own = self.probabilities[np.arange(len(self)), self.truth].astype(np.float64)
        return jsonl.read_only(-np.log(own.clip(_SMALLEST, 1.0)))

    @property
    def accuracy(self) -> Metric:
        """The share of right answers."""
        return metrics.accuracy(self.truth, self.predicted, self.clusters)

    @property
    def error_rate(self) -> Metric:
        """The share of wrong answers."""
        return metrics.error_rate(self.truth, self.predicted, self.clusters)

    @property
    def macro_f1(self) -> Metric:
        """The mean F1 of the classes."""
        return self._metrics["macro_f1"]

    def metrics(self) -> dict[str, Metric]:
        """All headline numbers by name; see `metrics.of_categories`, and for two classes `binary.of_two`.

        With `groups` every interval is by cluster.
        """
        return dict(self._metrics)

    @cached_property
    def _metrics(self) -> dict[str, Metric]:
        found = metrics.of_categories(self.truth, self.probabilities, self.groups)
        if len(self.target) == 2:
            positive = binary.positive_of(self.labels, self.truth)
            found |= binary.of_two(self.probabilities, self.truth, positive, self.clusters)
        return found

    @cached_property
    def clusters(self) -> Clusters | None:
        """Which records belong together; None where each stands alone."""
        return Clusters.of(self.groups)

    def confusion_matrix(self) -> np.ndarray:
        """How often class i (row, the truth) was answered as class j (column): int64 (k, k)."""
        return tables.confusion_matrix(self.truth, self.predicted, len(self.target))

    def per_class(self) -> PerClass:
        """Precision, recall, F1 and support of every class, in the order of `labels`."""
        return metrics.per_class(self.confusion_matrix())

    def most_confused(self, min_val: int = 2) -> list[tuple[str, str, int]]:
        """Pairs (actual, predicted, count) confused at least `min_val` times, the most frequent first."""
        return tables.most_confused(self.confusion_matrix(), self.labels, min_val)

    def top_losses(self, k: int = 9) -> list[Judged]:
        """The `k` records with the largest loss, largest first: wrong and sure of it, or a wrong label."""
        return [self._judged(int(i)) for i in tables.top_losses(self.losses, k)]

    def _judged(self, i: int) -> Judged:
        answer = int(self.predicted[i])
        return Judged(
            key=self.keys[i],
            label=self.labels[int(self.truth[i])],
            predicted=self.labels[answer],
            probability=float(self.probabilities[i, answer]),
            loss=float(self.losses[i]),
        )

    def subset(self, rows: np.ndarray) -> Evaluation:
        """The evaluation of the records at `rows`, int (m,), in that order. Raises `DataError` where there are none."""
        return replace(
            self,
            keys=tuple(self.keys[row] for row in rows.tolist()),
            truth=self.truth[rows],
            probabilities=self.probabilities[rows],
            groups=tuple(self.groups[row] for row in rows.tolist()) if self.groups else (),
            traits={name: values[rows] for name, values in self.traits.items()},
            novelty=None if self.novelty is None else self.novelty[rows],
        )

    def summary_json(self) -> dict[str, Any]:
        """What `train --json` and `eval --json` say of the judged records; all values are plain JSON."""
        found = self._metrics
        return {
            "metrics": {name: metric.to_json() for name, metric in found.items()},
            "intervals": basis(self.clusters, influence.of_share(self.truth == self.predicted), _ALONE),
            "accuracy": found["accuracy"].value,
            "accuracy_interval": found["accuracy"].to_json()["interval"],
            "error_rate": found["error_rate"].value,
            "macro_f1": found["macro_f1"].value,
            "macro_recall": found["macro_recall"].value,
            "ece": found["ece"].value,
            "n_judged": len(self),
            "classes": list(self.labels),
        }

    def rows(self) -> Iterator[dict[str, Any]]:
        """The lines of `evaluation.jsonl`, one per record, in order."""
        for i, row in enumerate(rounded(self.truth, self.probabilities)):
            judged = self._judged(i)
            known: dict[str, Any] = {"group": self.groups[i]} if self.groups else {}
            if self.novelty is not None:
                known["novelty"] = jsonl.short(self.novelty[i])
            if self.traits:
                known["traits"] = {name: trait_to_json(values[i]) for name, values in self.traits.items()}
            yield {
                "key": judged.key,
                "label": judged.label,
                "predicted": judged.predicted,
                "probability": float(row[self.predicted[i]]),
                "loss": jsonl.short(judged.loss),
                **known,
                "probabilities": row.tolist(),
            }

    def save(self, path: Path) -> None:
        """Write `evaluation.jsonl`, whole or not at all."""
        jsonl.write(path, self.rows())

    @classmethod
    def load(cls, path: Path, target: Category) -> Evaluation:
        """The inverse of `save`: every count and rank is the same, probabilities are rounded to 6 digits.

        Raises `StorageError` when the file cannot be read, `DataError` when it is damaged or of other classes.
        """
        found = jsonl.read(path, _Row.of)
        sizes = {len(row.probabilities) for row in found}
        if sizes - {len(target)}:
            raise DataError(
                f"{path} holds rows of {', '.join(map(str, sorted(sizes)))} probabilities, "
                f"but there are {len(target)} classes.",
                "It belongs to another run, or was edited.",
            )
        novelty = [row.novelty for row in found if row.novelty is not None]
        return cls(
            tuple(row.key for row in found),
            target,
            target.encode([row.label for row in found]),
            np.array([row.probabilities for row in found], dtype=np.float64),
            jsonl.groups_of([row.group for row in found]),
            traits_of_rows([row.traits for row in found]),
            np.array(novelty) if found and len(novelty) == len(found) else None,
        )


class _Row(NamedTuple):
    """One line of `evaluation.jsonl`; those of before have but the first three."""

    key: str
    label: str
    probabilities: list[float]
    group: str | None
    traits: dict[str, Any]
    novelty: float | None

    @classmethod
    def of(cls, row: dict[str, Any]) -> _Row:
        key, label = str(row["key"]), str(row["label"])
        probabilities = [float(p) for p in row["probabilities"]]
        novelty = row.get("novelty")
        known = dict(row.get("traits", {}))
        return cls(key, label, probabilities, jsonl.group_of(row), known, None if novelty is None else float(novelty))


def _check_rows(keys: tuple[str, ...], target: Category, truth: np.ndarray, probabilities: np.ndarray) -> None:
    """Raise `DataError` unless the parts of an evaluation fit together."""
    n, k = len(keys), len(target)
    jsonl.check_keys(keys, ())
    if truth.shape != (n,) or probabilities.shape != (n, k):
        raise DataError(
            f"{n} keys and {k} classes need truth of shape ({n},) and probabilities of shape ({n}, {k}), "
            f"got {truth.shape} and {probabilities.shape}."
        )
    if truth.dtype.kind not in "iu" or truth.min() < 0 or truth.max() >= k:
        raise DataError(
            f"The truth must be class numbers in 0..{k - 1}, got {truth.dtype} in {truth.min()}..{truth.max()}.",
            "Category.encode makes them from labels.",
        )
    sums = probabilities.sum(axis=1)
    if not (np.abs(sums - 1) < 1e-3).all() or probabilities.min() < 0:  # NaN fails the first comparison
        worst = int(np.argmax(~(np.abs(sums - 1) < 1e-3) | (probabilities.min(axis=1) < 0)))
        raise DataError(
            f"Probabilities must be at least 0 and sum to one, but those of {keys[worst]!r} sum to {sums[worst]:.4g}.",
            "finegraft.targets.softmax makes them from scores.",
        )


def _check_more(evaluation: Evaluation) -> None:
    """Raise `DataError` unless what is known besides has a value for every record."""
    n = len(evaluation)
    shapes = {f"trait {name!r}": values.shape for name, values in evaluation.traits.items()}
    if evaluation.groups:
        shapes["groups"] = (len(evaluation.groups),)
    if evaluation.novelty is not None:
        shapes["novelty"] = evaluation.novelty.shape
    for what, shape in shapes.items():
        if shape != (n,):
            raise DataError(f"{n} records need {what} of shape ({n},), got {shape}.")

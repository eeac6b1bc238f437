"""What a model answered on records that may have several tags: one row per record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from finegraft.display import html_of
from finegraft.errors import DataError
from finegraft.evaluation import influence, rows, tag_metrics
from finegraft.evaluation.clusters import Clusters, basis
from finegraft.evaluation.metrics import Metric
from finegraft.evaluation.rows import read_only
from finegraft.evaluation.tag_metrics import TagScore
from finegraft.targets import Tags

THRESHOLD = 0.5
_ALONE = "every interval is Wilson's, for as many answers as are independent of each other"


@dataclass(frozen=True, eq=False, repr=False)
class TagsEvaluation:
    """The answers to n records with known tags, on which nothing was trained or chosen.

    `keys` names the records; `truth` 0 or 1 (n, k) says which tags each has, `probabilities` float (n, k) in 0..1 what
    was answered; column i belongs to `target.labels[i]`. A tag counts as answered where its probability is at or above
    its threshold: `thresholds` float (k,), one for all, 0.5 unless given. `groups` says which records belong together
    (empty: each stands alone). The arrays are read-only.

    Raises `DataError` when these do not fit together, or when there is no record.

    >>> TagsEvaluation(("a.jpg", "b.jpg"), Tags(("red", "round")), np.eye(2), np.array([[0.9, 0.2], [0.3, 0.4]]))
    <TagsEvaluation: micro F1 0.667 (0.173 to 0.950) on 2 records, 2 tags>
    """

    keys: tuple[str, ...]
    target: Tags
    truth: np.ndarray
    probabilities: np.ndarray
    thresholds: np.ndarray | float = THRESHOLD
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", tuple(self.keys))
        object.__setattr__(self, "groups", tuple(self.groups))
        object.__setattr__(self, "thresholds", read_only(_thresholds(self.thresholds, len(self.target))))
        object.__setattr__(self, "truth", read_only(np.asarray(self.truth)))
        object.__setattr__(self, "probabilities", read_only(np.asarray(self.probabilities)))
        _check(self)

    def __len__(self) -> int:
        return len(self.keys)

    def __repr__(self) -> str:
        f1 = self._metrics["micro_f1"]
        return f"<TagsEvaluation: micro F1 {f1} on {len(self)} records, {len(self.target)} tags>"

    def _repr_html_(self) -> str:
        return html_of(self)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the tags, in the order of the columns."""
        return self.target.labels

    @cached_property
    def clusters(self) -> Clusters | None:
        """Which records belong together; None where each stands alone."""
        return Clusters.of(self.groups)

    @cached_property
    def answered(self) -> np.ndarray:
        """Which tags were answered, int64 0 or 1 (n, k)."""
        return read_only((self.probabilities >= self.thresholds).astype(np.int64))

    def metrics(self) -> dict[str, Metric]:
        """All headline numbers by name; see `tag_metrics.headline`. With `groups` every interval is by cluster."""
        return dict(self._metrics)

    @cached_property
    def _metrics(self) -> dict[str, Metric]:
        return tag_metrics.headline(self._truth, self.probabilities, self.answered, self.clusters)

    def per_tag(self) -> tuple[TagScore, ...]:
        """Every tag on its own, in the order of `labels`."""
        return tag_metrics.per_tag(self.labels, self._truth, self.probabilities, self.answered, self.clusters)

    def wrong(self, k: int = 12) -> list[int]:
        """The rows with the most wrong tags, at most `k`, the worst first; none that is right in all."""
        errors = (self._truth != self.answered).sum(axis=1)
        return [int(row) for row in np.argsort(-errors, kind="stable")[:k] if errors[row]]

    def tags_of(self, row: int, answered: bool = False) -> tuple[str, ...]:
        """The tags that the record in `row` has, or with `answered` those it was given."""
        present = (self.answered if answered else self._truth)[row]
        return tuple(label for label, there in zip(self.labels, present.tolist(), strict=True) if there)

    def subset(self, kept: np.ndarray) -> TagsEvaluation:
        """The evaluation of the records at `kept`, int (m,), in that order. Raises `DataError` where there are none."""
        return replace(
            self,
            keys=tuple(self.keys[row] for row in kept.tolist()),
            truth=self.truth[kept],
            probabilities=self.probabilities[kept],
            groups=tuple(self.groups[row] for row in kept.tolist()) if self.groups else (),
        )

    def summary_json(self) -> dict[str, Any]:
        """What `--json` says of the judged records; all values are plain JSON."""
        found = self._metrics
        exact = influence.of_share((self._truth == self.answered).all(axis=1))
        return {
            "metrics": {name: metric.to_json() for name, metric in found.items()},
            "intervals": basis(self.clusters, exact, _ALONE),
            "micro_f1": found["micro_f1"].value,
            "exact_match": found["exact_match"].value,
            "n_judged": len(self),
            "classes": list(self.labels),
            "thresholds": [rows.short(threshold) for threshold in np.asarray(self.thresholds).tolist()],
        }

    def rows(self) -> Iterator[dict[str, Any]]:
        """The lines of `evaluation.jsonl`, one per record, in order."""
        exact = np.asarray(self.probabilities, dtype=np.float64)
        rounded = np.vectorize(rows.short, otypes=[float])(exact)
        moved = (rounded >= self.thresholds) != (exact >= self.thresholds)  # rounding must not change an answer
        rounded[moved] = exact[moved]
        for i, key in enumerate(self.keys):
            yield {
                "key": key,
                "label": list(self.tags_of(i)),
                "predicted": list(self.tags_of(i, answered=True)),
                **({"group": self.groups[i]} if self.groups else {}),
                "probabilities": rounded[i].tolist(),
            }

    def save(self, path: Path) -> None:
        """Write `evaluation.jsonl`, whole or not at all; the thresholds are not in it."""
        rows.write(path, self.rows())

    @classmethod
    def load(cls, path: Path, target: Tags, thresholds: np.ndarray | float = THRESHOLD) -> TagsEvaluation:
        """The inverse of `save`; probabilities are rounded to 6 digits.

        Raises `StorageError` when the file cannot be read, `DataError` when it is damaged or of other tags.
        """
        found = rows.read(path, _parsed)
        sizes = {len(probabilities) for _, _, probabilities, _ in found}
        if sizes - {len(target)}:
            raise DataError(
                f"{path} holds rows of {', '.join(map(str, sorted(sizes)))} probabilities, "
                f"but there are {len(target)} tags.",
                "It belongs to another run, or was edited.",
            )
        return cls(
            tuple(key for key, _, _, _ in found),
            target,
            target.encode([labels for _, labels, _, _ in found]),
            np.array([row for _, _, row, _ in found], dtype=np.float64).reshape(len(found), len(target)),
            thresholds,
            rows.groups_of([group for _, _, _, group in found]),
        )

    @cached_property
    def _truth(self) -> np.ndarray:
        return self.truth.astype(np.int64)


def _thresholds(given: np.ndarray | float, k: int) -> np.ndarray:
    thresholds = np.asarray(given, dtype=np.float64)
    if thresholds.shape not in ((), (k,)):
        raise DataError(f"{k} tags need {k} thresholds, or one for all, got {thresholds.shape}.")
    return np.array(np.broadcast_to(thresholds, (k,)))


def _check(evaluation: TagsEvaluation) -> None:
    """Raise `DataError` unless the parts of an evaluation fit together."""
    truth, probabilities = evaluation.truth, evaluation.probabilities
    rows.check_keys(evaluation.keys, evaluation.groups)
    shape = (len(evaluation.keys), len(evaluation.target))
    if truth.shape != shape or probabilities.shape != shape:
        raise DataError(
            f"{shape[0]} keys and {shape[1]} tags need truth and probabilities of shape {shape}, "
            f"got {truth.shape} and {probabilities.shape}."
        )
    if not np.isin(truth, (0, 1)).all():
        raise DataError("The truth of a tag must be 0 or 1.", "Tags.encode makes it from labels.")
    if not ((probabilities >= 0) & (probabilities <= 1)).all():  # NaN fails both
        raise DataError("Probabilities of tags must lie in 0..1.", "The logistic function makes them from scores.")


_Row = tuple[str, tuple[str, ...], list[float], str | None]


def _parsed(row: dict[str, Any]) -> _Row:
    labels = row["label"]
    if not isinstance(labels, list):
        raise ValueError("the label is no list")
    return str(row["key"]), tuple(map(str, labels)), [float(p) for p in row["probabilities"]], rows.group_of(row)

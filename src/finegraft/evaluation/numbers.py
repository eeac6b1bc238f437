"""What a model answered on records whose truth is a number: one row per record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from finegraft.display import html_of
from finegraft.errors import DataError
from finegraft.evaluation import number_metrics, rows
from finegraft.evaluation.clusters import Clusters, basis
from finegraft.evaluation.metrics import Metric
from finegraft.evaluation.rows import read_only
from finegraft.targets import Number

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_ALONE = "the intervals are by a studentised bootstrap, that of the median by ranks"


@dataclass(frozen=True, eq=False, repr=False)
class NumberEvaluation:
    """The numbers answered for n records of known truth, on which nothing was trained or chosen.

    `keys` names the records, `truth` and `predicted` float64 (n,) hold what is and what was answered, all finite.
    `groups` says which records belong together (empty: each stands alone). The arrays are read-only.

    Raises `DataError` when these do not fit together, or when there is no record.

    >>> NumberEvaluation(("a", "b", "c"), Number(), np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.0, 3.0]))
    <NumberEvaluation: MAE 0.5 on 3 records, R² 0.732>
    """

    keys: tuple[str, ...]
    target: Number
    truth: np.ndarray
    predicted: np.ndarray
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", tuple(self.keys))
        object.__setattr__(self, "groups", tuple(self.groups))
        object.__setattr__(self, "truth", read_only(np.asarray(self.truth, dtype=np.float64)))
        object.__setattr__(self, "predicted", read_only(np.asarray(self.predicted, dtype=np.float64)))
        _check(self)

    def __len__(self) -> int:
        return len(self.keys)

    def __repr__(self) -> str:
        found = self._metrics
        explained = f", R² {found['r2'].value:.3f}" if "r2" in found else ""
        return f"<NumberEvaluation: MAE {found['mae'].value:.4g} on {len(self)} records{explained}>"

    def _repr_html_(self) -> str:
        return html_of(self)

    @cached_property
    def clusters(self) -> Clusters | None:
        """Which records belong together; None where each stands alone."""
        return Clusters.of(self.groups)

    @cached_property
    def residuals(self) -> np.ndarray:
        """What was answered less what is, float64 (n,)."""
        return read_only(self.predicted - self.truth)

    def metrics(self) -> dict[str, Metric]:
        """All headline numbers by name; see `number_metrics.headline`. With `groups` every interval is by cluster."""
        return dict(self._metrics)

    @cached_property
    def _metrics(self) -> dict[str, Metric]:
        return number_metrics.headline(self.truth, self.predicted, self.clusters)

    def baseline(self) -> dict[str, float]:
        """The mae and rmse of always answering the mean of the judged truths, which is what R² compares with."""
        off = self.truth - self.truth.mean()
        return {"mae": float(np.abs(off).mean()), "rmse": float(np.sqrt((off**2).mean()))}

    def residual_quantiles(self) -> dict[float, float]:
        """The residual below which 5, 25, 50, 75 and 95 % of all lie."""
        found = np.quantile(self.residuals, QUANTILES)
        return dict(zip(QUANTILES, found.tolist(), strict=True))

    def largest(self, k: int = 12) -> list[int]:
        """The rows of the `k` residuals of largest size (all, where there are fewer), largest first, ties in order."""
        return [int(row) for row in np.argsort(-np.abs(self.residuals), kind="stable")[: max(k, 0)]]

    def subset(self, kept: np.ndarray) -> NumberEvaluation:
        """The evaluation of the records at `kept`, int (m,), in that order. Raises `DataError` where there are none."""
        return replace(
            self,
            keys=tuple(self.keys[row] for row in kept.tolist()),
            truth=self.truth[kept],
            predicted=self.predicted[kept],
            groups=tuple(self.groups[row] for row in kept.tolist()) if self.groups else (),
        )

    def summary_json(self) -> dict[str, Any]:
        """What `--json` says of the judged records; all values are plain JSON. `r2` is null where all truths agree."""
        found = self._metrics
        return {
            "metrics": {name: metric.to_json() for name, metric in found.items()},
            "intervals": basis(self.clusters, (np.abs(self.residuals) - found["mae"].value) / len(self), _ALONE),
            "mae": found["mae"].value,
            "rmse": found["rmse"].value,
            "r2": found["r2"].value if "r2" in found else None,
            "baseline": self.baseline(),
            "n_judged": len(self),
        }

    def rows(self) -> Iterator[dict[str, Any]]:
        """The lines of `evaluation.jsonl`, one per record, in order."""
        for i, key in enumerate(self.keys):
            yield {
                "key": key,
                "label": float(self.truth[i]),
                "predicted": float(self.predicted[i]),
                **({"group": self.groups[i]} if self.groups else {}),
            }

    def save(self, path: Path) -> None:
        """Write `evaluation.jsonl`, whole or not at all."""
        rows.write(path, self.rows())

    @classmethod
    def load(cls, path: Path, target: Number) -> NumberEvaluation:
        """The inverse of `save`, to the last bit.

        Raises `StorageError` when the file cannot be read, `DataError` when it is damaged.
        """
        found = rows.read(path, _parsed)
        truth, predicted = (np.array([row[at] for row in found], dtype=np.float64) for at in (1, 2))
        return cls(tuple(row[0] for row in found), target, truth, predicted, rows.groups_of([row[3] for row in found]))


def _check(evaluation: NumberEvaluation) -> None:
    """Raise `DataError` unless the parts of an evaluation fit together."""
    rows.check_keys(evaluation.keys, evaluation.groups)
    n = len(evaluation.keys)
    if evaluation.truth.shape != (n,) or evaluation.predicted.shape != (n,):
        raise DataError(
            f"{n} keys need truth and predicted of shape ({n},), "
            f"got {evaluation.truth.shape} and {evaluation.predicted.shape}."
        )
    for what, values in (("truth", evaluation.truth), ("answer", evaluation.predicted)):
        bad = np.nonzero(~np.isfinite(values))[0]
        if len(bad):
            raise DataError(
                f"Numbers must be finite, but the {what} of {evaluation.keys[bad[0]]!r} is {values[bad[0]]}.",
                "Leave the record out; where all answers are so, training has diverged: use a lower learning rate.",
            )


_Row = tuple[str, float, float, str | None]


def _parsed(row: dict[str, Any]) -> _Row:
    return str(row["key"]), float(row["label"]), float(row["predicted"]), rows.group_of(row)

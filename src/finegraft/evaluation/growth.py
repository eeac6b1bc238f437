"""Would more photos help? The learning curve of a training, as it is kept, asked and drawn; made in `training`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from finegraft.evaluation.class_gains import ClassGain, class_gains
from finegraft.evaluation.intervals import Interval, wilson
from finegraft.evaluation.power_law import PowerLaw, error_covariance, fit_power_law


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected of a model that learned from `photos`: the share of right answers, and its interval."""

    photos: int
    accuracy: float
    interval: Interval

    def to_json(self) -> dict[str, Any]:
        """`photos`, `accuracy`, `low`, `high`."""
        low, high = self.interval
        return {"photos": self.photos, "accuracy": self.accuracy, "low": low, "high": high}


@dataclass(frozen=True, slots=True)
class Point:
    """`right` of `judged` answers by models that learned from `photos` records, none of which they were asked about."""

    photos: int
    judged: int
    right: int

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return self.right / self.judged

    @property
    def interval(self) -> Interval:
        """Wilson's interval of `accuracy`."""
        return wilson(self.right, self.judged)


@dataclass(frozen=True, slots=True)
class FewPhotos:
    """The same with at most `each` photos of every class; `short` classes have fewer and gave what they had."""

    each: int
    short: int
    point: Point

    def to_json(self) -> dict[str, Any]:
        """`each`, `short`, and the point's `photos`, `judged`, `right`."""
        return {"each": self.each, "short": self.short, **asdict(self.point)}


@dataclass(frozen=True)
class LearningCurve:
    """How accuracy grows with the photos learned from; `photos` is the size of the training part.

    `points` of rising size, the last of them judged on every training record, out of fold; `covariance` (s, s) of
    their errors by the choice of the judged records; `few` the accuracy with so many photos of each class; `classes`
    with what more photos would bring them, most first. Where nothing can be said of more photos, `reason` says why and
    `points` is empty.
    """

    photos: int
    points: tuple[Point, ...] = ()
    covariance: tuple[tuple[float, ...], ...] = ()
    few: tuple[FewPhotos, ...] = ()
    classes: tuple[ClassGain, ...] = ()
    reason: str | None = None

    def at(self, photos: int, judged: int | None = None) -> Forecast | None:
        """The accuracy expected after learning from so many photos like these; None where nothing can be said.

        In 95 of 100 cases the interval holds the accuracy on photos without end. Give `judged` to compare with an
        accuracy measured on so many photos: the interval then makes room for the chance of which they are.
        """
        if self.law is None:
            return None
        error, (low, high) = self.law.at(photos, judged)
        return Forecast(photos, 1 - error, (1 - high, 1 - low))

    @property
    def twice(self) -> Forecast | None:
        """`at` twice the training part."""
        return self.at(2 * self.photos)

    @cached_property
    def law(self) -> PowerLaw | None:
        """The laws that fit, each with its weight; None where there is nothing to fit."""
        if not self.points:
            return None
        # One wrong and one right answer are added (Laplace): two errors of 200 may well have been five.
        errors = [(point.judged - point.right + 1) / (point.judged + 2) for point in self.points]
        return fit_power_law([point.photos for point in self.points], errors, np.array(self.covariance))

    def to_json(self) -> dict[str, Any]:
        """`learning_curve` of run.json; `now` and `twice` are there to be read, the rest to be read back."""
        forecasts = {"now": self.at(self.photos), "twice": self.twice}
        return {
            "photos": self.photos,
            "reason": self.reason,
            **{name: found and found.to_json() for name, found in forecasts.items()},
            "points": [asdict(point) for point in self.points],
            "covariance": [list(row) for row in self.covariance],
            "few": [row.to_json() for row in self.few],
            "classes": [row.to_json() for row in self.classes],
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> LearningCurve:
        """The inverse of `to_json`. Raises `KeyError` or `TypeError` for what `to_json` cannot have written."""
        few = [dict(row) for row in stored["few"]]
        return cls(
            stored["photos"],
            tuple(Point(**point) for point in stored["points"]),
            tuple(tuple(row) for row in stored["covariance"]),
            tuple(FewPhotos(row.pop("each"), row.pop("short"), Point(**row)) for row in few),
            tuple(ClassGain(**row) for row in stored["classes"]),
            stored["reason"],
        )


def curve_of(
    labels: Sequence[str],
    truth: np.ndarray,
    groups: Sequence[str],
    sizes: Sequence[int],
    wrong: np.ndarray,
    few: Sequence[FewPhotos] = (),
) -> LearningCurve:
    """The learning curve from answers of models that learned from `sizes` (s,) records, rising, two or more.

    `wrong` float (s, n) holds 1 for a wrong answer to a training record, 0 for a right one, NaN where not asked; in
    its last row everything is asked. `truth` int (n,) and `groups` are those of the records.
    """
    judged = (~np.isnan(wrong)).sum(axis=1)
    right = judged - np.nansum(wrong, axis=1)
    points = [Point(int(n), int(of), int(r)) for n, of, r in zip(sizes, judged, right, strict=True)]
    covariance = tuple(tuple(row) for row in error_covariance(wrong, groups).tolist())
    return LearningCurve(
        len(truth), tuple(points), covariance, tuple(few), tuple(class_gains(labels, truth, sizes, wrong))
    )

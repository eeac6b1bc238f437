"""`--track`: TensorBoard or MLflow told of a training as well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from finegraft.cli.record import Settings
from finegraft.evaluation.kinds import AnyEvaluation
from finegraft.evaluation.run import Run

if TYPE_CHECKING:
    from finegraft.training.trackers import Tracker


@contextmanager
def tracked(run: Run, settings: Settings) -> Iterator[Tracker | None]:
    """What tells the tracker that was asked for of this run; None where none was.

    Raises `MissingExtra` where its package is not installed, and what opening it raises.
    """
    if settings.track is None:
        yield None
        return
    from finegraft.training.trackers import Tracker, by_name

    with Tracker(by_name(settings.track, run.path.resolve()), asdict(settings)) as tracker:
        yield tracker


def told(tracker: Tracker | None, evaluation: AnyEvaluation) -> None:
    """Tell the final metrics."""
    if tracker is not None:
        tracker.finish({name: metric.value for name, metric in evaluation.metrics().items()})

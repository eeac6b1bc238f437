"""What a training says, told to TensorBoard or MLflow as well: its settings, every epoch's row, the final metrics.

    with Tracker(TensorBoard("tensorboard/run1"), {"backbone": "lite0"}) as tracker:
        learner.callbacks.append(tracker)
        learner.fit_one_cycle(4)
        tracker.finish({"accuracy": 0.93})

What cannot be opened is told before the training. Once it runs, a tracker that fails is worth a warning and no more:
nothing is sent any more, and the training goes on.
"""

from __future__ import annotations

import difflib
import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from finegraft.errors import MissingExtra, StorageError, UsageError
from finegraft.training.callbacks import State

_log = logging.getLogger("finegraft")
EXPERIMENT = "finegraft"


class Sink(Protocol):
    """Where it is told. What any of these raises ends the telling."""

    def settings(self, values: Mapping[str, str]) -> None:
        """What the training was given, once."""
        ...

    def numbers(self, values: Mapping[str, float], step: int) -> None:
        """Figures after epoch `step`, counted from 1."""
        ...

    def close(self, finished: bool) -> None:
        """The end: `finished`, or broken off."""
        ...


class Tracker:
    """A callback that tells `sink` of a training, of one stretch after another: their epochs are counted on.

    `settings` are told as text. `measure` is the name under which `error_rate` of a row is told. Use it in a `with`: a
    training that raises is then told as broken off.
    """

    def __init__(self, sink: Sink, settings: Mapping[str, object] | None = None, measure: str = "error_rate") -> None:
        self._sink = sink
        self._measure = measure
        self._epochs = 0
        self._failed = False
        given = {name: str(value) for name, value in (settings or {}).items()}
        if given:
            self._tell(lambda: sink.settings(given))

    def __enter__(self) -> Tracker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._tell(lambda: self._sink.close(kind is None))

    def named(self, measure: str) -> Tracker:
        """The same, telling `error_rate` of a row under the name `measure` from now on."""
        self._measure = measure
        return self

    def on_epoch_end(self, state: State) -> None:
        """Tell of the row, and of the rate at the epoch's last step."""
        row = state.row
        if row is None:
            return
        self._epochs += 1
        figures = {
            "train_loss": row.train_loss,
            "valid_loss": row.valid_loss,
            self._measure: row.error_rate,
            "seconds": row.seconds,
            "lr": state.rate,
        }
        known = {name: value for name, value in figures.items() if value is not None}
        self._tell(lambda: self._sink.numbers(known, self._epochs))

    def finish(self, metrics: Mapping[str, float]) -> None:
        """Tell of the final `metrics`, as `final/NAME`."""
        final = {f"final/{name}": float(value) for name, value in metrics.items()}
        self._tell(lambda: self._sink.numbers(final, self._epochs))

    def _tell(self, what: Callable[[], None]) -> None:
        if self._failed:
            return
        try:
            what()
        except Exception as error:  # noqa: BLE001 - those of servers, disks and packages share no base class
            self._failed = True
            name = type(self._sink).__name__
            _log.warning("%s failed (%s: %s); the training goes on untracked.", name, type(error).__name__, error)


class TensorBoard:
    """Event files in `folder`; look at them with `tensorboard --logdir FOLDER`.

    Raises `MissingExtra` where tensorboard is not installed, and `StorageError` where `folder` cannot be written.
    """

    def __init__(self, folder: str | Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ModuleNotFoundError as error:
            raise MissingExtra("track", "Tracking with TensorBoard") from error
        try:
            self._writer: Any = SummaryWriter(str(folder))
        except OSError as error:
            raise StorageError(f"TensorBoard cannot write to {folder} ({error}).", "Choose another folder.") from error

    def settings(self, values: Mapping[str, str]) -> None:
        """As a table among the texts."""
        rows = [f"| {name} | {value} |" for name, value in values.items()]
        self._writer.add_text("settings", "\n".join(["| setting | value |", "|---|---|", *rows]))
        self._writer.flush()

    def numbers(self, values: Mapping[str, float], step: int) -> None:
        """As scalars, written at once."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self, finished: bool) -> None:  # noqa: ARG002 - event files know no end
        """Close the file."""
        self._writer.close()


class MLflow:
    """A run called `name` in `experiment`, made where it is not there, at the tracking server or database `uri`.

    `uri` is, unless given, what MLflow takes: `$MLFLOW_TRACKING_URI`, else the file mlflow.db here. Raises
    `MissingExtra` where MLflow is not installed, and `UsageError` where the run cannot be begun.
    """

    def __init__(self, experiment: str = EXPERIMENT, name: str | None = None, uri: str | None = None) -> None:
        # MLflow reports to its makers unless this is set before its first import. Ours promises to open no connection
        # that was not asked for.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        try:
            from mlflow.tracking import MlflowClient
        except ModuleNotFoundError as error:
            raise MissingExtra("track", "Tracking with MLflow") from error
        try:
            self._client: Any = MlflowClient(uri)
            known = self._client.get_experiment_by_name(experiment)
            number = self._client.create_experiment(experiment) if known is None else known.experiment_id
            self.run_id: str = self._client.create_run(number, run_name=name).info.run_id
        except Exception as error:  # those of servers, databases and MLflow share no base class
            raise UsageError(
                f"MLflow cannot begin a run: {error}", "Check MLFLOW_TRACKING_URI, sqlite:///mlflow.db for one."
            ) from error

    def settings(self, values: Mapping[str, str]) -> None:
        """As parameters."""
        from mlflow.entities import Param

        self._client.log_batch(self.run_id, params=[Param(name, value) for name, value in values.items()])

    def numbers(self, values: Mapping[str, float], step: int) -> None:
        """As metrics."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._client.log_batch(self.run_id, [Metric(name, value, now, step) for name, value in values.items()])

    def close(self, finished: bool) -> None:
        """End the run."""
        self._client.set_terminated(self.run_id, "FINISHED" if finished else "FAILED")


# What a user may name: the place of a run to where it is told.
_SINKS: dict[str, Callable[[Path], Sink]] = {
    "tensorboard": lambda run: TensorBoard(run.parent / "tensorboard" / run.name),
    "mlflow": lambda run: MLflow(name=run.name),
}
NAMES = tuple(_SINKS)


def by_name(name: str, run: Path) -> Sink:
    """The sink called `name` for the run in the folder `run`.

    TensorBoard's files lie beside it, in `tensorboard/RUN`, so that one board shows all runs; MLflow's run has its
    name. Raises `UsageError` for an unknown name, and what the sinks raise.
    """
    if name in _SINKS:
        return _SINKS[name](run)
    near = difflib.get_close_matches(name.casefold(), _SINKS, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise UsageError(f"There is no tracker called {name!r}.", f"{hint}Known: {', '.join(NAMES)}.")

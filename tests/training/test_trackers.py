"""What trackers keep, read back with the packages' own readers."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from torch import nn

from finegraft.errors import MissingExtra, StorageError, UsageError
from finegraft.training import trackers
from finegraft.training.callbacks import EpochRow, State
from finegraft.training.trackers import MLflow, Sink, TensorBoard, Tracker
from tests.training.making import learner


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own as the working one, and no server that the environment names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def trained(sink: Sink) -> list[EpochRow]:
    """A head that learned in two stretches, tracked."""
    made = learner(head="linear")
    with Tracker(sink, {"backbone": "lite0", "lr": 0.1}, measure="share_wrong") as tracker:
        made.callbacks.append(tracker)
        made.fit_one_cycle(2, lr=0.1)
        made.fit(1, lr=0.05)
        tracker.finish({"accuracy": 0.93})
    return made.history.rows


def wanted(rows: list[EpochRow]) -> dict[str, list[tuple[int, float]]]:
    """name -> (epoch, value) of what should be told of `rows`."""
    columns = {
        "train_loss": "train_loss",
        "valid_loss": "valid_loss",
        "share_wrong": "error_rate",
        "seconds": "seconds",
    }
    told = {name: [(i + 1, getattr(row, of)) for i, row in enumerate(rows)] for name, of in columns.items()}
    return {**told, "final/accuracy": [(3, 0.93)]}


def test_an_event_file_holds_every_row_and_the_settings(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    rows = trained(TensorBoard(tmp_path / "board"))
    read = EventAccumulator(str(tmp_path / "board")).Reload()
    assert len(rows) == 3
    for name, values in wanted(rows).items():
        found = [(event.step, event.value) for event in read.Scalars(name)]
        assert [step for step, _ in found] == [step for step, _ in values]
        assert [value for _, value in found] == pytest.approx([value for _, value in values], rel=1e-6)
    assert [event.value for event in read.Scalars("lr")][2] == pytest.approx(0.05)
    (text,) = read.Tensors("settings/text_summary")
    assert "| backbone | lite0 |\n| lr | 0.1 |" in text.tensor_proto.string_val[0].decode()


@pytest.mark.parametrize("uri", [None, "sqlite:///other.db"])
def test_mlflow_holds_every_row_and_the_settings(here: Path, uri: str | None) -> None:
    from mlflow.tracking import MlflowClient

    sink = MLflow("flowers", "run1", uri)
    rows = trained(sink)
    client = MlflowClient(uri)
    (experiment,) = client.search_experiments(filter_string="name = 'flowers'")
    (run,) = client.search_runs([experiment.experiment_id])
    assert (run.info.run_id, run.info.run_name, run.info.status) == (sink.run_id, "run1", "FINISHED")
    assert run.data.params == {"backbone": "lite0", "lr": "0.1"}
    for name, values in wanted(rows).items():
        found = sorted((point.step, point.value) for point in client.get_metric_history(sink.run_id, name))
        assert found == values
    assert (here / ("mlflow.db" if uri is None else "other.db")).exists()
    again = MLflow("flowers", "run2", uri)
    assert client.get_run(again.run_id).info.experiment_id == experiment.experiment_id


def test_a_training_that_raises_is_told_as_broken_off(here: Path) -> None:
    from mlflow.tracking import MlflowClient

    sink = MLflow(uri="sqlite:///a.db")
    with pytest.raises(KeyboardInterrupt), Tracker(sink):
        raise KeyboardInterrupt
    assert MlflowClient("sqlite:///a.db").get_run(sink.run_id).info.status == "FAILED"


class Broken:
    """Goes wrong at the second epoch."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.numbers_told: dict[str, float] = {}

    def settings(self, values: Mapping[str, str]) -> None:
        self.told.append(values)

    def numbers(self, values: Mapping[str, float], step: int) -> None:
        self.told.append(step)
        self.numbers_told.update(values)
        if step == 2:
            raise OSError("the disk is full")

    def close(self, finished: bool) -> None:
        self.told.append(finished)


def test_a_tracker_that_fails_is_warned_of_once_and_the_training_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    sink = Broken()
    with caplog.at_level(logging.WARNING, logger="finegraft"):
        rows = trained(sink)
    assert len(rows) == 3
    assert sink.told == [{"backbone": "lite0", "lr": "0.1"}, 1, 2]
    assert [record.getMessage() for record in caplog.records] == [
        "Broken failed (OSError: the disk is full); the training goes on untracked."
    ]


def test_a_server_that_goes_away_costs_no_training(here: Path, caplog: pytest.LogCaptureFixture) -> None:
    sink = MLflow(uri="sqlite:///gone.db")
    sink._client._tracking_client.store.engine.dispose()
    (here / "gone.db").write_bytes(b"no database any more, " * 100)
    with caplog.at_level(logging.WARNING, logger="finegraft"):
        assert len(trained(sink)) == 3
    (told,) = [record.getMessage() for record in caplog.records if record.name == "finegraft"]
    assert told.startswith("MLflow failed (MlflowException: ")


def test_what_is_not_watched_is_not_told() -> None:
    sink = Broken()
    tracker = Tracker(sink)
    tracker.on_epoch_end(State(nn.Identity(), 1, 1))
    assert sink.told == []
    tracker.on_epoch_end(State(nn.Identity(), 1, 1, row=EpochRow(1, 0.5, None, None, 2.0), rate=0.1))
    assert sink.numbers_told == {"train_loss": 0.5, "seconds": 2.0, "lr": 0.1}


def test_what_cannot_be_opened_is_told_before_the_training(here: Path) -> None:
    (here / "file").write_text("")
    with pytest.raises(StorageError, match=r"^TensorBoard cannot write to .*file/board \(.*Choose another folder\.$"):
        TensorBoard(here / "file" / "board")
    with pytest.raises(UsageError, match=r"^MLflow cannot begin a run: .+Check MLFLOW_TRACKING_URI, sqlite:///"):
        MLflow(uri="nonsense://server")


def test_trackers_by_name_lie_beside_the_run(here: Path) -> None:
    from mlflow.tracking import MlflowClient

    trackers.by_name("tensorboard", here / "run1").close(True)
    assert list((here / "tensorboard" / "run1").glob("events.*"))
    sink = trackers.by_name("mlflow", here / "run1")
    assert isinstance(sink, MLflow)
    run = MlflowClient().get_run(sink.run_id)
    assert run.info.run_name == "run1"
    assert MlflowClient().get_experiment(run.info.experiment_id).name == "finegraft"


def test_an_unknown_tracker_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"no tracker called 'tensorbord'. Did you mean 'tensorboard'\? Known: tensorb"
    ):
        trackers.by_name("tensorbord", tmp_path)


@pytest.mark.parametrize(("package", "sink"), [("tensorboard", TensorBoard), ("mlflow", MLflow)])
def test_a_missing_package_names_its_install_line(
    package: str, sink: type[TensorBoard] | type[MLflow], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = {name for name in sys.modules if name.split(".")[0] == package or name.startswith("torch.utils.tensorboard")}
    for name in {*gone, package}:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra) as caught:
        sink(str(tmp_path))
    assert str(caught.value).endswith(
        "needs the 'track' extra, which is not installed. Install it with: pip install \"finegraft[track]\""
    )


def test_mlflows_own_reports_are_switched_off() -> None:
    code = (
        "import os; os.environ.pop('MLFLOW_DISABLE_TELEMETRY', None); "
        "from finegraft.training.trackers import MLflow; MLflow(uri='sqlite://'); "
        "from mlflow.telemetry.utils import is_telemetry_disabled as off; print(off())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"

"""Trackers told of a training from the command line, read back with their own readers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finegraft.evaluation.run import Run
from tests.cli.running import FAST, finegraft
from tests.making import folder_of_photos


@pytest.fixture(scope="module")
def flowers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of_photos(tmp_path_factory.mktemp("flowers"), dict.fromkeys(("rose", "tulip"), 10))


def test_tensorboard_has_every_epoch_and_the_final_metrics_beside_the_run(flowers: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    done = finegraft("train", flowers, "-o", tmp_path / "first", "--track", "tensorboard", *FAST)
    assert done.code == 0, done.err
    kept = EventAccumulator(str(tmp_path / "tensorboard" / "first"))
    kept.Reload()
    rows = Run.open(tmp_path / "first").history()
    assert [point.value for point in kept.Scalars("train_loss")] == pytest.approx([row["train_loss"] for row in rows])
    assert len(kept.Scalars("error_rate")) == len(rows)
    accuracy = json.loads((tmp_path / "first" / "run.json").read_text())["metrics"]["accuracy"]["value"]
    assert kept.Scalars("final/accuracy")[0].value == pytest.approx(accuracy)


def test_mlflow_has_a_finished_run_of_its_name(flowers: Path, tmp_path: Path) -> None:
    from mlflow.tracking import MlflowClient

    place = f"sqlite:///{tmp_path}/mlflow.db"
    env = {"MLFLOW_TRACKING_URI": place}
    done = finegraft("train", flowers, "-o", tmp_path / "first", "--track", "mlflow", *FAST, env=env)
    assert done.code == 0, done.err
    client = MlflowClient(place)
    experiment = client.get_experiment_by_name("finegraft")
    (run,) = client.search_runs([experiment.experiment_id])
    assert (run.info.run_name, run.info.status) == ("first", "FINISHED")
    assert run.data.params["backbone"] == "lite0"
    accuracy = json.loads((tmp_path / "first" / "run.json").read_text())["metrics"]["accuracy"]["value"]
    assert run.data.metrics["final/accuracy"] == pytest.approx(accuracy)


def test_a_training_that_fails_is_told_as_broken_off(tmp_path: Path) -> None:
    from mlflow.tracking import MlflowClient

    place = f"sqlite:///{tmp_path}/mlflow.db"
    (tmp_path / "empty").mkdir()
    env = {"MLFLOW_TRACKING_URI": place}
    done = finegraft("train", tmp_path / "empty", "-o", tmp_path / "run", "--track", "mlflow", env=env)
    assert done.code == 1
    client = MlflowClient(place)
    (run,) = client.search_runs([client.get_experiment_by_name("finegraft").experiment_id])
    assert run.info.status == "FAILED"
    assert not (tmp_path / "run").exists()


def test_an_unknown_tracker_is_refused(flowers: Path, tmp_path: Path) -> None:
    done = finegraft("train", flowers, "-o", tmp_path / "run", "--track", "tensorbord")
    assert done.code == 2
    assert "tensorboard" in done.err
    assert not (tmp_path / "run").exists()

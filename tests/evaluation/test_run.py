from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from finegraft.errors import RunError, StorageError
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.run import Run, runs
from tests.evaluation.making import FLOWERS, finished


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    written = finished(tmp_path / "deep" / "run", data=tmp_path)
    run = Run.open(str(written.path))
    assert run.name == "run"
    assert run.settings["seed"] == 3
    assert run.dataset().root == tmp_path
    assert [r.key for r in run.dataset().left_out] == ["b.jpg"]
    assert run.evaluation().accuracy.value == 1.0
    assert run.evaluation().labels == FLOWERS.labels
    assert run.model == run.path / "model.fg"
    assert run.report == run.path / "report.html"


def test_history_is_what_was_logged_even_after_a_kill(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")
    assert run.history() == []
    run.log({"epoch": 0, "train_loss": 0.5, "valid_loss": float("nan"), "rate": np.float32(0.25)})
    run.log({"epoch": 1, "train_loss": 0.4, "valid_loss": float("inf"), "rate": [np.int64(1)]})
    with (run.path / "log.jsonl").open("a") as file:
        file.write('{"epoch": 2, "train_l')
    assert run.history() == [
        {"epoch": 0, "train_loss": 0.5, "valid_loss": None, "rate": 0.25},
        {"epoch": 1, "train_loss": 0.4, "valid_loss": None, "rate": [1]},
    ]


def test_the_curve_is_there_only_when_the_finder_ran(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")
    assert run.lr_curve is None
    curve = {"lrs": [1e-4, 1e-3], "losses": [1.0, 0.5], "suggestion": 1e-3, "rule": "valley"}
    run.write_lr_curve(curve)
    assert run.lr_curve == curve


def test_a_run_is_unfinished_until_its_settings_are_written(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")
    with pytest.raises(RunError, match=r"The run .* was not finished\. Train again\."):
        Run.open(run.path)
    run.write_settings({})
    assert Run.open(run.path) == run
    assert [path.name for path in run.path.iterdir()] == ["run.json"]


def test_an_existing_run_is_refused(tmp_path: Path) -> None:
    run = finished(tmp_path / "run")
    with pytest.raises(RunError, match=r"already holds a finished run\. Give --force to replace it, or .* -o"):
        Run.create(run.path)
    assert run.evaluation()


def test_an_unfinished_run_is_started_again(tmp_path: Path) -> None:
    stopped = Run.create(tmp_path / "run")
    stopped.log({"epoch": 0})
    del stopped  # and with it the lock, as when its process ends
    assert Run.create(tmp_path / "run").history() == []


def test_a_new_run_that_fails_takes_nothing_with_it(tmp_path: Path) -> None:
    old = finished(tmp_path / "run")
    before = {path.name: path.read_bytes() for path in old.path.iterdir()}
    new = Run.create(old.path, force=True)
    new.log({"epoch": 0})
    new.discard()
    assert {path.name: path.read_bytes() for path in old.path.iterdir()} == before


def test_discarding_leaves_no_folder_that_was_not_there(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")
    run.log({"epoch": 0})
    run.discard()
    assert not run.path.exists()
    (tmp_path / "mine").mkdir()
    Run.create(tmp_path / "mine").discard()
    assert list((tmp_path / "mine").iterdir()) == []


def test_what_comes_before_the_settings_sees_them(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")
    known = run.with_settings({"target": FLOWERS.to_json(), "lr": np.float32(0.5)})
    run.write_evaluation(Evaluation(("a.jpg",), FLOWERS, np.array([0]), np.array([[0.75, 0.25]])))
    assert known.evaluation().labels == FLOWERS.labels
    assert known.settings["lr"] == 0.5
    assert not (run.path / "run.json").exists()
    with pytest.raises(RunError, match="was not finished"):
        Run.open(run.path)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"Cannot start a run in .*file/run: Not a directory\. Free some space"):
        Run.create(tmp_path / "file" / "run")


def test_what_is_no_run_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"is not a run: it has no run\.json\. Give the folder that `train -o` made"):
        Run.open(tmp_path / "nowhere")
    for content, said in [
        ("{", r"run\.json is damaged"),
        ("{}", "was not written by finegraft"),
        ('{"run_format": 99}', "made by a newer finegraft. Upgrade"),
    ]:
        (tmp_path / "run.json").write_text(content)
        with pytest.raises(RunError, match=said):
            Run.open(tmp_path)


def test_the_records_lie_in_the_root_where_the_data_is_a_file(tmp_path: Path) -> None:
    run = finished(tmp_path / "run", data=tmp_path / "set.zip")
    assert run.dataset().root == tmp_path / "set.zip"
    run.write_settings({**run.settings, "root": str(tmp_path / "unpacked")})
    assert run.dataset().root == tmp_path / "unpacked"


def test_a_missing_setting_is_named(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")
    run.write_settings({})
    with pytest.raises(RunError, match="lacks the entry 'target'"):
        run.evaluation()
    with pytest.raises(RunError, match="lacks the entry 'data'"):
        run.dataset()


def test_settings_are_plain_json(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")
    run.write_settings({"lr": np.float32(0.5), "note": "Blüte", "best": float("nan")})
    stored = json.loads((run.path / "run.json").read_text(encoding="utf-8"))
    assert stored == {"run_format": 1, "lr": 0.5, "note": "Blüte", "best": None}


def test_runs_are_found_below_a_folder(tmp_path: Path) -> None:
    for name in ("b", "a/deep", "a-b", ".hidden"):
        finished(tmp_path / name)
    Run.create(tmp_path / "stopped")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "run.json").write_text('{"of": "another program"}')
    assert [run.path.relative_to(tmp_path).as_posix() for run in runs(tmp_path)] == ["a/deep", "a-b", "b"]
    assert runs(tmp_path / "b") == [Run(tmp_path / "b")]


def test_no_folder_of_runs_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"There is no folder .*none\. Give the folder that holds your runs"):
        runs(tmp_path / "none")

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finegraft.data.dataset import Dataset
from finegraft.data.record import Record
from finegraft.errors import RunError, StorageError
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.run import Run, runs
from finegraft.targets import Category

FLOWERS = Category(("rose", "tulip"))


def finished(path: Path, data: Path | str = "flowers") -> Run:
    """A complete run with one judged record."""
    run = Run.create(path)
    records = (Record("a.jpg", "00", "rose", "held-out"), Record("b.jpg", "01", None, None, "unreadable: cut short"))
    run.write_dataset(Dataset(records, Path(data), "vision"))
    run.write_evaluation(Evaluation(("a.jpg",), FLOWERS, np.array([0]), np.array([[0.75, 0.25]])))
    run.write_settings({"data": str(data), "modality": "vision", "target": FLOWERS.to_json(), "seed": 3})
    return run


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


def test_a_run_is_replaced_only_when_the_new_one_is_published(tmp_path: Path) -> None:
    old = finished(tmp_path / "run")
    old.write_lr_curve({"lrs": []})
    (old.path / "checkpoints").mkdir()
    (old.path / "checkpoints" / "last.safetensors").touch()
    for name in ("decisions.jsonl", "notes.txt", "model.fg", "report.html"):
        (old.path / name).write_text("old")
    new = Run.create(old.path, force=True)
    assert new.path == old.path
    assert new.place != old.path
    new.model.write_text("new")
    new.log({"epoch": 1})
    assert Run.open(old.path).settings["seed"] == 3
    new.write_settings({"seed": 4})
    assert Run.open(old.path).settings["seed"] == 3
    assert new.settings["seed"] == 4
    published = new.publish()
    assert published == Run.open(old.path)
    assert published.settings["seed"] == 4
    assert published.history() == [{"epoch": 1}]
    left = {path.name: path.read_text()[:3] for path in old.path.iterdir() if path.name != "run.json"}
    assert left == {"decisions.jsonl": "old", "notes.txt": "old", "model.fg": "new", "log.jsonl": '{"e'}


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


def _stopping(original: Callable[..., Any], left: Iterator[None]) -> Callable[..., Any]:
    def stopping(*arguments: Any, **options: Any) -> Any:
        if next(left, "none") == "none":
            raise KeyboardInterrupt
        return original(*arguments, **options)

    return stopping


@pytest.mark.parametrize("operations", range(1, 9))
def test_a_replacement_stopped_anywhere_is_the_old_run_or_ends_as_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operations: int
) -> None:
    """The process dies after so many changes to the file system."""
    finished(tmp_path / "run")
    new = Run.create(tmp_path / "run", force=True)
    new.model.write_text("new")
    new.write_dataset(Dataset((Record("b.jpg", "01", "tulip", "held-out"),), tmp_path, "vision"))
    new.write_evaluation(Evaluation(("b.jpg",), FLOWERS, np.array([1]), np.array([[0.75, 0.25]])))
    new.write_settings({"target": FLOWERS.to_json(), "seed": 4})
    with monkeypatch.context() as patch:
        left = itertools.repeat(None, operations)
        for name in ("unlink", "replace"):
            patch.setattr(Path, name, _stopping(getattr(Path, name), left))
        with pytest.raises(KeyboardInterrupt):
            new.publish()
    run = Run.open(tmp_path / "run")
    if run.settings["seed"] == 4:
        assert run.model.read_text() == "new"
        assert run.evaluation().keys == ("b.jpg",)
        assert {path.name for path in run.path.iterdir()} == {
            "model.fg",
            "manifest.jsonl",
            "evaluation.jsonl",
            "run.json",
        }
    else:
        assert run.evaluation().keys == ("a.jpg",)


WORKING = """
import sys
from finegraft.evaluation.run import Run
run = Run.create(sys.argv[1], force=True)
print("started", flush=True)
sys.stdin.readline()
run.write_settings({"seed": 5})
run.publish()
"""
BUSY = r"Another finegraft is working in .*run\. Wait for its end, or choose another folder with -o\."


@contextlib.contextmanager
def working(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has started a run in `path` and ends it when it is sent a line."""
    command = [sys.executable, "-c", WORKING, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        yield process
        process.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
@pytest.mark.parametrize("replacing", [False, True])
def test_one_process_works_in_a_run_at_a_time(tmp_path: Path, replacing: bool) -> None:
    path = tmp_path / "run"
    if replacing:
        finished(path)
    with working(path) as process:
        before = sorted(path.rglob("*"))
        with pytest.raises(RunError, match=BUSY):
            Run.create(path, force=True)
        assert sorted(path.rglob("*")) == before
        process.communicate("end\n")
        assert process.returncode == 0
    assert Run.open(path).settings["seed"] == 5
    assert not (path / "unfinished.txt").exists()
    Run.create(path, force=True).discard()
    assert Run.open(path).settings["seed"] == 5


@pytest.mark.parametrize("replacing", [False, True])
def test_the_run_of_a_killed_process_is_free(tmp_path: Path, replacing: bool) -> None:
    if replacing:
        finished(tmp_path / "run")
    with working(tmp_path / "run") as process:
        process.kill()
        process.wait()
        assert (tmp_path / "run" / "unfinished.txt").exists()
        run = Run.create(tmp_path / "run", force=True)
    run.write_settings({"seed": 6})
    assert run.publish().settings["seed"] == 6
    assert not (tmp_path / "run" / "unfinished.txt").exists()


def test_what_comes_before_the_settings_sees_them(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")
    known = run.with_settings({"target": FLOWERS.to_json(), "lr": np.float32(0.5)})
    run.write_evaluation(Evaluation(("a.jpg",), FLOWERS, np.array([0]), np.array([[0.75, 0.25]])))
    assert known.evaluation().labels == FLOWERS.labels
    assert known.settings["lr"] == 0.5
    assert not (run.path / "run.json").exists()
    with pytest.raises(RunError, match="was not finished"):
        Run.open(run.path)


def test_force_does_not_follow_a_link(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    run = finished(tmp_path / "run")
    (run.path / "checkpoints").symlink_to(elsewhere)
    new = Run.create(run.path, force=True)
    new.write_settings({})
    new.publish()
    assert (elsewhere / "precious").exists()
    assert not (run.path / "checkpoints").exists()


@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize("content", [None, "{}", "not json", '["run_format"]'])
def test_a_folder_that_is_no_run_is_never_touched(tmp_path: Path, content: str | None, force: bool) -> None:
    (tmp_path / "manifest.jsonl").write_text("mine")
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(RunError, match=r"holds files that are not a run's\. Choose another folder with -o"):
        Run.create(tmp_path, force=force)
    assert (tmp_path / "manifest.jsonl").read_text() == "mine"


def test_an_empty_folder_will_do_but_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    Run.create(tmp_path / "empty")
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="is a file, not a folder"):
        Run.create(tmp_path / "file", force=True)


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

"""A run in place of another: who may, one process at a time, and stopped anywhere on the way."""

from __future__ import annotations

import contextlib
import itertools
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
from finegraft.evaluation import takeover
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.run import Run, runs
from tests.evaluation.making import FLOWERS, finished


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


def _stopping(original: Callable[..., Any], left: Iterator[None]) -> Callable[..., Any]:
    def stopping(*arguments: Any, **options: Any) -> Any:
        if next(left, "none") == "none":
            raise KeyboardInterrupt
        return original(*arguments, **options)

    return stopping


def replaced(path: Path) -> tuple[Run, Run]:
    """A finished run and, complete but not published, the one that is to replace it, which has other files."""
    old = finished(path)
    old.write_lr_curve({"lrs": []})
    (path / "notes.txt").write_text("mine")
    new = Run.create(path, force=True)
    new.model.write_text("new")
    new.write_dataset(Dataset((Record("b.jpg", "01", "tulip", "held-out"),), path, "vision"))
    new.write_evaluation(Evaluation(("b.jpg",), FLOWERS, np.array([1]), np.array([[0.75, 0.25]])))
    new.write_settings({"target": FLOWERS.to_json(), "seed": 4})
    return old, new


CHANGES = 19  # that `publish` makes to the disk, attempts included
NEW_FILES = {"model.fg", "manifest.jsonl", "evaluation.jsonl", "run.json"}


@pytest.mark.parametrize(
    "reader", [lambda path: Run.open(path), lambda path: runs(path.parent)[0]], ids=["open", "runs"]
)
@pytest.mark.parametrize("changes", range(CHANGES + 1))
def test_a_replacement_stopped_anywhere_is_the_old_run_or_ends_as_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: int, reader: Callable[[Path], Run]
) -> None:
    """The process dies after so many changes; then somebody looks."""
    _, new = replaced(tmp_path / "run")
    with monkeypatch.context() as patch:
        left = itertools.repeat(None, changes)
        for name in ("unlink", "rename"):
            patch.setattr(Path, name, _stopping(getattr(Path, name), left))
        with pytest.raises(KeyboardInterrupt) if changes < CHANGES else contextlib.nullcontext():
            new.publish()
    run = reader(tmp_path / "run")
    assert (run.settings["seed"] == 4) == (changes > 0)
    if changes == 0:
        assert run.evaluation().keys == ("a.jpg",)
        assert run.lr_curve == {"lrs": []}
    else:
        assert run.model.read_text() == "new"
        assert run.evaluation().keys == ("b.jpg",)
        left_over = {path.name for path in run.path.iterdir()} - NEW_FILES
        assert left_over <= {"notes.txt", "unfinished.txt", ".moving"}
    Run.create(tmp_path / "run", force=True).discard()
    assert not {path.name for path in run.path.iterdir()} & {".new", "unfinished.txt"}


def test_a_replacement_that_cannot_be_ended_is_said_and_ended_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, new = replaced(tmp_path / "run")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    said = (
        r"Cannot replace the run in .*run: No space left on device\. The new one is complete in a hidden folder in .*"
    )
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", full)
        with pytest.raises(StorageError, match=said + r"mend the cause and open .*run again\."):
            new.publish()
        with pytest.raises(StorageError, match=said):
            Run.open(tmp_path / "run")
        assert runs(tmp_path) == []
    assert Run.open(tmp_path / "run").settings["seed"] == 4


def test_who_looks_while_another_process_moves_the_files_waits(tmp_path: Path) -> None:
    """It holds the mark, dies a moment later, and then the reader ends what it began."""
    replaced(tmp_path / "run")[1]._mark.release()  # type: ignore[union-attr] # as when its process ends
    (tmp_path / "run" / "run.json").unlink()
    code = (
        "import pathlib, sys, time\nfrom finegraft.evaluation.mark import Mark\n"
        "mark = Mark(pathlib.Path(sys.argv[1]))\nprint(flush=True)\ntime.sleep(0.3)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "run")], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        takeover.mend(tmp_path / "run")
        assert holder.wait() == 0
    assert Run.open(tmp_path / "run").settings["seed"] == 4


@pytest.mark.parametrize("place", ["_settle", "clear"])
@pytest.mark.parametrize("kind", ["new", "empty", "unfinished", "finished"])
def test_ctrl_c_at_the_start_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, place: str
) -> None:
    path = tmp_path / "run"
    if kind == "empty":
        path.mkdir()
    elif kind == "finished":
        finished(path)
    elif kind == "unfinished":
        Run.create(path).log({"epoch": 0})
    before = {name.name for name in tmp_path.rglob("*")}
    original, calls = getattr(takeover, place), []

    def interrupted(folder: Path) -> None:
        calls.append(folder)
        if len(calls) == 1:
            raise KeyboardInterrupt
        original(folder)

    with monkeypatch.context() as patch:
        patch.setattr(takeover, place, interrupted)
        with pytest.raises(KeyboardInterrupt):
            Run.create(path, force=True)
    after = {name.name for name in tmp_path.rglob("*")}
    assert after == before or (kind == "unfinished" and after == {"run"})
    Run.create(path, force=True).discard()
    assert path.exists() == (kind != "new")


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

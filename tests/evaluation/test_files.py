"""What tells a RUN folder from others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from finegraft.errors import RunError
from finegraft.evaluation import files
from finegraft.evaluation.run import Run
from tests.evaluation.making import finished


def names(folder: Path) -> set[str]:
    """As a walk through data sees them: without the hidden ones."""
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def test_a_finished_run_is_one_whatever_lies_beside_it(tmp_path: Path) -> None:
    run = finished(tmp_path / "run").path
    (run / "holiday.jpg").touch()
    assert files.is_run(run, names(run))
    assert files.is_finished(run)


def test_an_unfinished_run_is_one_while_nothing_else_is_there(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")
    run.log({"epoch": 1})
    run.model.touch()
    assert files.is_run(run.path, names(run.path))
    assert not files.is_finished(run.path)
    (run.path / "holiday.jpg").touch()
    assert not files.is_run(run.path, names(run.path))


@pytest.mark.parametrize("inner", [files.NEW, files.MOVING])
def test_a_run_that_is_being_replaced_is_one(tmp_path: Path, inner: str) -> None:
    run = finished(tmp_path / "run").path
    (run / inner).mkdir()
    (run / "run.json").rename(run / inner / "run.json")
    for name in ("unfinished.txt", "notes.txt"):
        (run / name).touch()
    assert files.is_run(run, names(run))
    assert not files.is_finished(run)


def test_a_run_of_a_newer_version_is_one_but_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"run_format": 99}')
    assert files.is_run(tmp_path, names(tmp_path))
    assert not files.is_finished(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", "not json", '{"run_format": "1"}', "[" * 100_000, "\udcff"])
def test_a_strangers_file_makes_no_run(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_bytes(os.fsencode(content))
    assert not files.is_run(tmp_path, names(tmp_path))
    with pytest.raises(RunError, match=r"run\.json (is damaged \(.*\)\. Mend it|was not written by finegraft)"):
        files.settings_of(tmp_path)


def test_a_pipe_called_run_json_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "run.json")
    assert not files.is_run(tmp_path, names(tmp_path))
    assert not files.is_finished(tmp_path)


def test_other_folders_are_no_runs(tmp_path: Path) -> None:
    (tmp_path / "model.fg").touch()
    assert not files.is_run(tmp_path, names(tmp_path))
    assert not files.is_run(tmp_path, set())

"""Temporary files: in use while their process lives, swept up after it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from finegraft.data import parts
from finegraft.data.atomic import write_atomically

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")

HOLDING = """
import pathlib, sys
from finegraft.data.atomic import replacing
with replacing(pathlib.Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"half")
    print(temporary.name, flush=True)
    sys.stdin.readline()
    temporary.write_bytes(b"whole")
"""


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


@contextlib.contextmanager
def holding(path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that is about to write `path`, and the name of its temporary file."""
    command = [sys.executable, "-c", HOLDING, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
        process.kill()


def test_what_a_killed_process_left_is_swept_up(tmp_path: Path) -> None:
    with holding(tmp_path / "file") as (process, temporary):
        process.kill()
        process.wait()
        assert names(tmp_path) == {temporary}
    parts.sweep(tmp_path)
    assert names(tmp_path) == set()


def test_what_another_process_is_writing_stays(tmp_path: Path) -> None:
    with holding(tmp_path / "file") as (process, temporary):
        parts.sweep(tmp_path)
        write_atomically(tmp_path / "other", b"content")
        assert names(tmp_path) == {temporary, "other"}
        process.communicate("go on\n")
    assert (tmp_path / "file").read_bytes() == b"whole"
    assert names(tmp_path) == {"file", "other"}


def test_the_next_writer_sweeps_up(tmp_path: Path) -> None:
    (tmp_path / ".0123456789abcdef.part").write_bytes(b"half")
    write_atomically(tmp_path / "file", b"content")
    assert names(tmp_path) == {"file"}


def test_files_of_others_stay(tmp_path: Path) -> None:
    others = {"film.part", ".part", ".0123456789ABCDEF.part", ".0123456789abcdef.part.txt"}
    for name in others:
        (tmp_path / name).touch()
    (tmp_path / ".fedcba9876543210.part").mkdir()
    (tmp_path / ".0000000000000000.part").symlink_to(tmp_path / "film.part")
    before = names(tmp_path)
    parts.sweep(tmp_path)
    assert names(tmp_path) == before


def test_a_folder_that_is_not_there_needs_no_sweeping(tmp_path: Path) -> None:
    parts.sweep(tmp_path / "nowhere")
    assert names(tmp_path) == set()


def test_a_file_that_was_swept_before_it_was_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, opened = os.open, []

    def swept_at_once(path: Path, *more: int) -> int:
        handle = original(path, *more)
        opened.append(path)
        if len(opened) == 1:
            path.unlink()
        return handle

    monkeypatch.setattr(os, "open", swept_at_once)
    path, handle = parts.made(tmp_path)
    os.close(handle)
    assert opened[1] == path
    assert names(tmp_path) == {path.name}


def test_without_locks_nothing_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", unsupported)
    (tmp_path / ".0123456789abcdef.part").touch()
    path, handle = parts.made(tmp_path)
    os.close(handle)
    parts.sweep(tmp_path)
    assert names(tmp_path) == {".0123456789abcdef.part", path.name}

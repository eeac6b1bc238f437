from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, JpegImagePlugin

from finegraft.data.contents import digest_of
from finegraft.vision import checks, decoding
from finegraft.vision.checks import Checked, check_file, check_files
from tests.making import photo

LONG_AGO = (1e9, 1e9)


class Notes:
    """A memory in a dict."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, Any]] = {}

    def get(self, keys: Sequence[str]) -> Mapping[str, dict[str, Any]]:
        return {key: self.values[key] for key in keys if key in self.values}

    def put(self, values: Mapping[str, dict[str, Any]]) -> None:
        self.values |= values


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files opened since the test began."""
    names: list[str] = []
    really = checks.read_content

    def noting(path: Path, max_bytes: int) -> bytes:
        names.append(path.name)
        return really(path, max_bytes)

    monkeypatch.setattr(checks, "read_content", noting)
    return names


def some_files(folder: Path) -> list[Path]:
    contents = {"good.jpg": photo(1), "cut.jpg": photo(2)[:900], "empty.png": b"", "text.jpg": b"Hello"}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        os.utime(folder / name, LONG_AGO)
    return [folder / name for name in contents] + [folder / "missing.jpg"]


def test_a_good_photo_has_no_problem() -> None:
    assert check_file(photo(1)) is None


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "empty"), (b"Hello", "not-a-photo"), (photo(1)[:-300], "unreadable")]
)
def test_a_bad_one_has_a_code_and_a_reason(content: bytes, code: str) -> None:
    problem = check_file(content)
    assert problem is not None
    assert problem.code == code
    assert problem.reason


def test_limits_are_kept() -> None:
    problem = check_file(photo(1), decoding.Limits(pixels=10))
    assert problem is not None
    assert problem.code == "too-large"


def test_files_come_back_in_order_with_digest_and_reason(tmp_path: Path) -> None:
    seen = []
    results = check_files(some_files(tmp_path), progress=lambda done, total: seen.append((done, total)))
    assert [r.code for r in results] == [None, "unreadable", "empty", "not-a-photo", "unreadable"]
    assert results[0] == Checked(digest_of(photo(1)))
    assert results[1].digest == digest_of(photo(2)[:900])
    assert results[4] == Checked("", "unreadable", "There is no such file. Check the path.")
    assert seen == [(i, 5) for i in range(1, 6)]


def test_no_files_need_no_check() -> None:
    assert check_files([]) == []


def test_more_files_than_one_block_keep_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_BLOCK", 3)
    paths = [tmp_path / f"{i}" for i in range(10)]
    for i, path in enumerate(paths):
        path.write_bytes(photo(i, (8, 8)))
    assert [r.digest for r in check_files(paths)] == [digest_of(photo(i, (8, 8))) for i in range(10)]


def test_unchanged_files_are_not_opened_again(tmp_path: Path, opened: list[str]) -> None:
    memory, paths = Notes(), some_files(tmp_path)
    first = check_files(paths, memory)
    assert len(opened) == 5
    opened.clear()
    assert check_files(paths, memory) == first
    assert opened == ["missing.jpg"]


def test_changed_files_are_opened_again(tmp_path: Path, opened: list[str]) -> None:
    memory, paths = Notes(), some_files(tmp_path)
    check_files(paths, memory)
    paths[1].write_bytes(photo(2))
    os.utime(paths[1], LONG_AGO)  # same time, other size
    os.utime(paths[3], (2e9, 1e9 + 1))  # same size, other time
    opened.clear()
    assert [r.code for r in check_files(paths[:4], memory)] == [None, None, "empty", "not-a-photo"]
    assert sorted(opened) == ["cut.jpg", "text.jpg"]


def test_a_file_changed_just_now_is_not_remembered(tmp_path: Path) -> None:
    memory = Notes()
    (tmp_path / "new.jpg").write_bytes(photo(1))
    check_files([tmp_path / "new.jpg"], memory)
    assert memory.values == {}


def test_want_of_memory_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory, paths = Notes(), some_files(tmp_path)

    def none_left(self: Image.Image) -> None:
        raise MemoryError

    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", none_left)
    assert check_files(paths[:1], memory)[0].code == "unreadable"
    assert memory.values == {}


def test_another_decoder_checks_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[str]) -> None:
    memory, paths = Notes(), some_files(tmp_path)
    check_files(paths[:1], memory)
    monkeypatch.setattr(decoding, "describe", lambda: {"decoder": "another"})
    checks._judge.cache_clear()
    check_files(paths[:1], memory)
    checks._judge.cache_clear()
    assert opened == ["good.jpg", "good.jpg"]


def test_what_another_version_has_written_is_checked_again(tmp_path: Path, opened: list[str]) -> None:
    memory, paths = Notes(), some_files(tmp_path)
    check_files(paths[:1], memory)
    memory.values = {key: {"something": "else"} for key in memory.values}
    assert check_files(paths[:1], memory) == [Checked(digest_of(photo(1)))]
    assert opened == ["good.jpg", "good.jpg"]


def test_stopping_leaves_no_thread_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Path] = []
    stopped = threading.Event()

    def slow(path: Path, max_bytes: int) -> bytes:
        begun.append(path)
        if len(begun) > 1:
            stopped.wait(30)
        return photo(0)

    def stop(done: int, total: int) -> None:
        threading.Timer(0.1, stopped.set).start()  # by then what waits must have been cancelled
        raise KeyboardInterrupt

    monkeypatch.setattr(checks, "read_content", slow)
    with pytest.raises(KeyboardInterrupt):
        check_files([tmp_path / f"{i}" for i in range(400)], progress=stop)
    assert len(begun) < 200

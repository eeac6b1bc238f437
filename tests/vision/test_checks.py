from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from PIL import Image, JpegImagePlugin

from finegraft.data.contents import digest_of
from finegraft.vision import checks, decoding, remembering
from finegraft.vision.checked import Checked, Checks
from finegraft.vision.checks import check_files, verify
from tests.making import photo

LONG_AGO = (1e9, 1e9)


class Notes:
    """A memory in a dict."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}

    def get(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        return {key: self.values[key] for key in keys if key in self.values}

    def put(self, values: Mapping[bytes, bytes]) -> None:
        self.values |= values


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files opened since the test began."""
    names: list[str] = []
    really = checks.read_content

    def noting(path: Path, max_bytes: int = 0) -> bytes:
        names.append(path.name)
        return really(path)

    monkeypatch.setattr(checks, "read_content", noting)
    return names


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files count as settled at once: no call sets a ctime back as `os.utime` does an mtime."""
    monkeypatch.setattr(remembering, "_SETTLED_NS", 0)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is a block of its own."""
    monkeypatch.setattr(remembering, "_FILES", 1)


def same(first: Checks, second: Checks) -> bool:
    return list(first) == list(second) and first.looks.tobytes() == second.looks.tobytes()


def some_files(folder: Path) -> list[Path]:
    contents = {"good.jpg": photo(1), "cut.jpg": photo(2)[:900], "empty.png": b"", "text.jpg": b"Hello"}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        os.utime(folder / name, LONG_AGO)
    return [folder / name for name in contents] + [folder / "missing.jpg"]


def test_a_good_photo_has_no_problem() -> None:
    assert verify(photo(1)) is None


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "empty"), (b"Hello", "not-a-photo"), (photo(1)[:-300], "unreadable")]
)
def test_a_bad_one_has_a_code_and_a_reason(content: bytes, code: str) -> None:
    problem = verify(content)
    assert problem is not None
    assert problem.code == code
    assert problem.reason


def test_limits_are_kept() -> None:
    problem = verify(photo(1), decoding.Limits(pixels=10))
    assert problem is not None
    assert problem.code == "too-large"


def test_files_come_back_in_order_with_digest_and_reason(tmp_path: Path) -> None:
    seen = []
    results = check_files(some_files(tmp_path), progress=lambda done, total: seen.append((done, total)))
    assert [r.code for r in results] == [None, "unreadable", "empty", "not-a-photo", "unreadable"]
    assert results[0] == Checked(digest_of(photo(1)))
    assert results[1].digest == digest_of(photo(2)[:900])
    assert results[4] == Checked("", "unreadable", "There is no such file. Check the path.")
    assert seen == [(5, 5)]
    good = results.looks[0]
    assert (good["width"], good["height"], good["frames"]) == (96, 72, 1)
    assert good["hashes"].all()
    assert not results.looks[1:].tobytes().strip(b"\0"), "what cannot be used has no look"


def test_no_files_need_no_check() -> None:
    assert len(check_files([])) == 0
    assert len(check_files([], Notes())) == 0


def test_many_files_keep_their_order_and_are_told_of_as_they_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "_AT_ONCE", 3)
    monkeypatch.setattr(remembering, "_MOST", 2)
    paths = [tmp_path / f"{i}" for i in range(10)]
    for i, path in enumerate(paths):
        path.write_bytes(photo(i, (8, 8)))
    seen: list[int] = []
    found = check_files([str(path) for path in paths], progress=lambda done, _: seen.append(done))
    assert [r.digest for r in found] == [digest_of(photo(i, (8, 8))) for i in range(10)]
    assert seen == sorted(seen)
    assert seen[-1] == 10
    assert len(seen) > 2


@pytest.mark.usefixtures("settled")
def test_unchanged_files_are_not_opened_again(tmp_path: Path, opened: list[str]) -> None:
    memory, paths = Notes(), some_files(tmp_path)
    first = check_files(paths, memory)
    assert len(opened) == 5
    opened.clear()
    assert same(check_files(paths, memory), first)
    assert opened == ["missing.jpg"]


@pytest.mark.usefixtures("settled", "small_blocks")
def test_changed_files_are_opened_again(tmp_path: Path, opened: list[str]) -> None:
    memory, paths = Notes(), some_files(tmp_path)
    check_files(paths, memory)
    paths[1].write_bytes(photo(2))
    os.utime(paths[1], LONG_AGO)  # same time, other size
    os.utime(paths[3], (2e9, 1e9 + 1))  # same size, other time
    opened.clear()
    assert [r.code for r in check_files(paths[:4], memory)] == [None, None, "empty", "not-a-photo"]
    assert sorted(opened) == ["cut.jpg", "text.jpg"]


@pytest.mark.usefixtures("settled")
def test_files_that_change_names_are_opened_again(tmp_path: Path) -> None:
    memory, places = Notes(), [tmp_path / "rose.bmp", tmp_path / "tulip.bmp"]
    for place, content in zip(places, (photo(1, kind="BMP"), photo(2, kind="BMP")), strict=True):
        place.write_bytes(content)
        os.utime(place, LONG_AGO)
    before = check_files(places, memory)
    assert places[0].stat().st_size == places[1].stat().st_size
    aside = places[0].rename(tmp_path / "aside")
    places[1].rename(places[0])
    aside.rename(places[1])
    assert list(check_files(places, memory)) == before[::-1]


@pytest.mark.usefixtures("settled")
def test_other_content_with_the_old_time_is_opened_again(tmp_path: Path) -> None:
    memory, place = Notes(), tmp_path / "rose.bmp"
    for content in (photo(1, kind="BMP"), photo(2, kind="BMP")):  # of one size, and by `cp -p` of one mtime and inode
        place.write_bytes(content)
        os.utime(place, LONG_AGO)
        assert list(check_files([place], memory)) == [Checked(digest_of(content))]
        time.sleep(0.02)  # the kernel's clock ticks every 10 ms at most


@pytest.mark.parametrize("mtime", [None, LONG_AGO])
def test_a_file_changed_just_now_is_not_remembered(tmp_path: Path, mtime: tuple[float, float] | None) -> None:
    memory = Notes()
    (tmp_path / "new.jpg").write_bytes(photo(1))
    os.utime(tmp_path / "new.jpg", mtime)
    check_files([tmp_path / "new.jpg"], memory)
    assert memory.values == {}


def test_a_young_file_is_remembered_once_it_has_settled_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    """As in a folder that was just unpacked and takes longer to check than files take to settle."""
    memory, place = Notes(), tmp_path / "new.jpg"
    place.write_bytes(photo(1))
    now = time.time_ns
    clock = iter([0, 3_600 * 10**9, 3_600 * 10**9])
    monkeypatch.setattr(time, "time_ns", lambda: now() + next(clock))
    first = check_files([place], memory)
    assert opened == ["new.jpg", "new.jpg"], "read again before it is trusted"
    assert same(check_files([place], memory), first)
    assert len(opened) == 2


def test_a_young_file_that_changes_meanwhile_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write within one tick of the file system's clock shows in the content alone."""
    memory, place = Notes(), tmp_path / "new.jpg"
    place.write_bytes(photo(1))
    contents = iter([photo(1), photo(2)])
    monkeypatch.setattr(checks, "read_content", lambda *_: next(contents))
    now, clock = time.time_ns, iter([0, 3_600 * 10**9])
    monkeypatch.setattr(time, "time_ns", lambda: now() + next(clock))
    check_files([place], memory)
    assert next(contents, None) is None, "it was read twice"
    assert memory.values == {}


def test_a_file_of_an_hour_ago_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Notes()
    (tmp_path / "old.jpg").write_bytes(photo(1))
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + 3_600 * 10**9)
    check_files([tmp_path / "old.jpg"], memory)
    assert len(memory.values) == 1


@pytest.mark.usefixtures("settled")
def test_want_of_memory_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory, paths = Notes(), some_files(tmp_path)

    def none_left(self: Image.Image) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(JpegImagePlugin.JpegImageFile, "load", none_left)
        assert check_files(paths[:1], memory)[0].code == "unreadable"
    assert check_files(paths[:1], memory)[0].code is None


@pytest.mark.usefixtures("settled")
def test_another_decoder_checks_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[str]) -> None:
    memory, paths = Notes(), some_files(tmp_path)
    check_files(paths[:1], memory)
    monkeypatch.setattr(decoding, "describe", lambda: {"decoder": "another"})
    remembering._judge.cache_clear()
    check_files(paths[:1], memory)
    remembering._judge.cache_clear()
    assert opened == ["good.jpg", "good.jpg"]


@pytest.mark.usefixtures("settled")
def test_what_another_version_has_written_is_checked_again(tmp_path: Path, opened: list[str]) -> None:
    memory, paths = Notes(), some_files(tmp_path)
    check_files(paths[:1], memory)
    memory.values = dict.fromkeys(memory.values, b'{"digest": "", "code": null}')
    assert list(check_files(paths[:1], memory)) == [Checked(digest_of(photo(1)))]
    assert opened == ["good.jpg", "good.jpg"]


def test_stopping_leaves_no_thread_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Path] = []
    stopped = threading.Event()

    def slow(path: Path, max_bytes: int = 0) -> bytes:
        begun.append(path)
        if len(begun) > 10:
            stopped.wait(30)
        return photo(0)

    def stop(done: int, total: int) -> None:
        threading.Timer(0.1, stopped.set).start()  # by then what waits must have been cancelled
        raise KeyboardInterrupt

    monkeypatch.setattr(checks, "_AT_ONCE", 10)
    monkeypatch.setattr(remembering, "_MOST", 10)
    monkeypatch.setattr(checks, "read_content", slow)
    with pytest.raises(KeyboardInterrupt):
        check_files([tmp_path / f"{i}" for i in range(400)], progress=stop)
    assert len(begun) < 200

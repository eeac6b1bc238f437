from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from finegraft.data import archives
from finegraft.data.archives import clear, sizes, unpacked
from finegraft.data.unpacking import Bounds
from finegraft.errors import DataError, StorageError
from tests.data.packing import LINK, header, overlapping, patched, tarred, zipped

TWO = {"a/1.jpg": b"one", "b.jpg": b"two"}


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "archives"


@pytest.mark.parametrize("make", [lambda path: zipped(path, TWO), lambda path: tarred(path, TWO.items(), "w:gz")])
def test_an_archive_is_unpacked_once(tmp_path: Path, kept: Path, make: object) -> None:
    path = make(tmp_path / "named-nothing")  # type: ignore[operator]
    first = unpacked(path, kept)
    assert files(first.folder) == TWO
    assert (first.refused, first.bytes) == ((), 6)
    assert first.folder.is_relative_to(kept)
    (first.folder / "b.jpg").write_bytes(b"mark")
    assert unpacked(path, kept) == first
    assert (first.folder / "b.jpg").read_bytes() == b"mark", "not written again"
    assert sizes(kept) == (1, 6)
    assert [p.name for p in kept.iterdir() if p.name.startswith(".")] == []


def test_an_archive_that_changed_is_another(tmp_path: Path, kept: Path) -> None:
    path = zipped(tmp_path / "a.zip", TWO)
    first = unpacked(path, kept)
    zipped(path, {"a/1.jpg": b"new", "b.jpg": b"two"})
    again = unpacked(path, kept)
    assert again.folder != first.folder
    assert files(again.folder) == {"a/1.jpg": b"new", "b.jpg": b"two"}
    assert files(first.folder) == TWO, "somebody may be reading it"
    clear(kept)
    assert (sizes(kept), list(kept.iterdir())) == ((0, 0), [])
    assert files(unpacked(path, kept).folder)["a/1.jpg"] == b"new"


def test_what_was_refused_is_remembered(tmp_path: Path, kept: Path) -> None:
    path = patched(
        zipped(tmp_path / "a.zip", {"../evil.jpg": b"1", "link.jpg": b"x", **TWO}), "link.jpg", attributes=LINK
    )
    for _ in range(2):
        found = unpacked(path, kept)
        assert [(one.name, one.place, one.code) for one in found.refused] == [
            ("../evil.jpg", 1, "unreadable"),
            ("link.jpg", 2, "unreadable"),
        ]
        assert files(found.folder) == TWO


HOSTILE = {
    "up.zip": lambda p: zipped(p, {"../evil.jpg": b"1", "a/../../../evil.jpg": b"1", "/tmp/evil-finegraft": b"1"}),
    "drive.zip": lambda p: zipped(p, {"C:\\evil.jpg": b"1", "..\\evil.jpg": b"1"}),
    "link.zip": lambda p: patched(zipped(p, {"in": b"../..", "in/evil.jpg": b"1"}), "in", attributes=LINK),
    "up.tar": lambda p: tarred(p, [("../evil.jpg", b"1"), ("/tmp/evil-finegraft", b"1")]),
    "link.tar": lambda p: tarred(p, [header("in", b"2", leads_to="../.."), ("in/evil.jpg", b"1")]),
    "hard.tar": lambda p: tarred(p, [header("evil.jpg", b"1", leads_to="../../../victim"), ("evil.jpg", b"1")]),
    "newline.tar": lambda p: tarred(p, [("a\nb/../../../evil.jpg", b"1")]),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_is_written_outside(tmp_path: Path, kept: Path, name: str) -> None:
    (tmp_path / "victim").write_bytes(b"mine")
    path = HOSTILE[name](tmp_path / name)
    before = files(tmp_path)
    found = unpacked(path, kept)
    outside = {key: content for key, content in files(tmp_path).items() if not key.startswith("cache/")}
    assert outside == before
    assert not Path("/tmp/evil-finegraft").exists()
    assert found.refused
    assert all(p.is_file() or p.is_dir() for p in kept.rglob("*"))
    assert not any(p.is_symlink() for p in kept.rglob("*"))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda p: overlapping(p, 1000, 2**20), r"its entries overlap"),
        (
            lambda p: tarred(p, [("a.jpg", bytes(2**20)), ("b.jpg", bytes(2**22))], "w:bz2"),
            r"unpacks to more than 2 MB",
        ),
        (lambda p: zipped(p, {f"{i}.jpg": bytes(2**20) for i in range(9)}, packed=True), r"unpacks to 0\.0 GB"),
    ],
)
def test_a_bomb_leaves_nothing(tmp_path: Path, kept: Path, make: object, text: str) -> None:
    path = make(tmp_path / "bomb")  # type: ignore[operator]
    with pytest.raises(DataError, match=text):
        unpacked(path, kept, Bounds(modest=2 * 2**20))
    assert list(kept.iterdir()) == []


def test_a_zip_in_a_zip_is_a_file(tmp_path: Path, kept: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", TWO).read_bytes()
    found = unpacked(zipped(tmp_path / "outer.zip", {"inner.zip": inner}), kept)
    assert files(found.folder) == {"inner.zip": inner}


def test_what_is_no_archive(tmp_path: Path, kept: Path) -> None:
    (tmp_path / "photo.zip").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(DataError, match=r"photo\.zip is no archive\. A zip or a tar is one, whatever its name\."):
        unpacked(tmp_path / "photo.zip", kept)


def test_a_cache_that_cannot_be_written_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"Cannot unpack .*a\.zip into .*file/archives: .* Set FINEGRAFT_CACHE"):
        unpacked(zipped(tmp_path / "a.zip", TWO), tmp_path / "file" / "archives")


def _unpack_slowly(path: Path, kept: Path, many: int) -> None:
    for _ in range(many):
        unpacked(path, kept)


def test_a_killed_unpacking_is_never_taken_for_whole(tmp_path: Path, kept: Path) -> None:
    path = zipped(tmp_path / "a.zip", {f"{i:04d}.jpg": b"x" * 1000 for i in range(3000)})
    process = multiprocessing.get_context("spawn").Process(target=_unpack_slowly, args=(path, kept, 1))
    process.start()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and sum(1 for _ in kept.glob(".*.files/files/*")) < 20:
        time.sleep(0.001)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    left = [p for p in kept.iterdir() if p.name.endswith(".files")]
    assert len(left) == 1
    assert sizes(kept) == (0, 0), "what is left is not counted as an archive"
    assert len(files(unpacked(path, kept).folder)) == 3000
    assert not left[0].exists(), "the next unpacking removes it"


def test_a_running_unpacking_is_not_swept(tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = zipped(tmp_path / "b.zip", TWO)
    path = zipped(tmp_path / "a.zip", TWO)
    really, began = archives.unpack, []

    def unpack(*arguments: object) -> object:
        if not began:
            began.append(True)
            unpacked(other, kept)  # another process, while this one is at work
        return really(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(archives, "unpack", unpack)
    assert files(unpacked(path, kept).folder) == TWO
    assert sizes(kept)[0] == 2


def test_two_processes_may_unpack_the_same(tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path / "a.zip", TWO)
    really, began = archives.unpack, []

    def unpack(*arguments: object) -> object:
        if not began:
            began.append(True)
            unpacked(path, kept)  # the other one is quicker
        return really(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(archives, "unpack", unpack)
    assert files(unpacked(path, kept).folder) == TWO
    assert (sizes(kept)[0], len(list(kept.iterdir()))) == (1, 1)


def test_a_place_that_lost_its_account_is_made_anew(tmp_path: Path, kept: Path) -> None:
    path = zipped(tmp_path / "a.zip", TWO)
    place = unpacked(path, kept).folder.parent
    for broken in (b"", b"{}", b"[1]", b'{"refused": [[1]], "bytes": 1}'):
        (place / "archive.json").write_bytes(broken)
        (place / "files" / "b.jpg").unlink()
        assert files(unpacked(path, kept).folder) == TWO


def test_the_sizes_of_nothing(tmp_path: Path) -> None:
    assert sizes(tmp_path / "none") == (0, 0)
    clear(tmp_path / "none")

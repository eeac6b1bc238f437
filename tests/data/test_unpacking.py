from __future__ import annotations

import io
from pathlib import Path

import pytest

from finegraft.data.unpacking import Bounds, Budget, Entry, is_safe, unpack
from finegraft.errors import DataError, StorageError, UnreadableFile


def entry(name: str, content: bytes = b"x", refused: str | None = None) -> Entry:
    return Entry(name, len(content), lambda: io.BytesIO(content), refused)


def unpacked(
    tmp_path: Path, *entries: Entry, bounds: Bounds | None = None, allowed: int = 10**6
) -> tuple[Path, list[str]]:
    """The folder, and what was refused as "name: reason"."""
    folder = tmp_path / "files"
    folder.mkdir()
    refused = unpack(entries, folder, Budget(tmp_path / "some.zip", allowed), bounds or Bounds())
    return folder, [f"{one.name}: {one.reason}" for one in refused]


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_files_are_written_and_folders_made(tmp_path: Path) -> None:
    folder, refused = unpacked(tmp_path, entry("a/"), entry("a/1.jpg", b"1"), entry("./b//c/2.jpg", b"2"), entry("3"))
    assert files(folder) == {"a/1.jpg": b"1", "b/c/2.jpg": b"2", "3": b"x"}
    assert refused == []


def test_hidden_files_and_those_of_macos_are_passed_over(tmp_path: Path) -> None:
    names = [".hidden", "a/.DS_Store", ".git/x.jpg", "__MACOSX/a/._1.jpg"]
    folder, refused = unpacked(tmp_path, *map(entry, names), entry("a/1.jpg"))
    assert (list(files(folder)), refused) == (["a/1.jpg"], [])


@pytest.mark.parametrize(
    "name",
    ["../x.jpg", "a/../../x.jpg", "/etc/x.jpg", "C:/x.jpg", "c:x.jpg", "a\\x.jpg", "..\\x.jpg", "x\0.jpg", "a/.."],
)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    before = set(tmp_path.iterdir())
    folder, refused = unpacked(tmp_path, entry(name), entry("good.jpg"))
    assert not is_safe(name)
    assert refused == [f"{name}: Not unpacked: its name {name!r} leads out of the archive's folder."]
    assert list(files(folder)) == ["good.jpg"]
    assert set(tmp_path.iterdir()) - before == {folder}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("caf\udce9.jpg", "its name is not valid UTF-8."),
        ("/".join("a" * 33) + "/x.jpg", "it lies in more than 32 folders."),
        ("x" * 300 + ".jpg", "File name too long."),
    ],
)
def test_a_name_no_file_can_have_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    folder, refused = unpacked(tmp_path, entry(name), entry("good.jpg"))
    assert refused == [f"{name}: Not unpacked: {reason}"]
    assert list(files(folder)) == ["good.jpg"]


def test_odd_names_are_names(tmp_path: Path) -> None:
    names = [
        "new\nline.jpg",
        "größe 猫.jpg",
        "-dash.jpg",
        "a b.jpg",
        "..x.jpg",
        "x..jpg",
        "con: tent.jpg",
        "%2e%2e.jpg",
    ]
    folder, refused = unpacked(tmp_path, *map(entry, names))
    assert set(files(folder)) == set(names) - {"..x.jpg"}, "one of them is hidden"
    assert refused == []


def test_of_two_entries_of_one_place_the_first_counts(tmp_path: Path) -> None:
    again = [entry("a/1.jpg", b"2"), entry("a", b"3"), entry("a/1.jpg/deeper.jpg", b"4"), entry("a/./1.jpg", b"5")]
    folder, refused = unpacked(tmp_path, entry("a/1.jpg", b"1"), *again)
    taken = "Not unpacked: another entry has its name, or the name of a folder it should lie in."
    assert files(folder) == {"a/1.jpg": b"1"}
    assert refused == [f"{one.name}: {taken}" for one in again]


def test_names_that_differ_by_case_are_two_files_where_the_disk_can_tell(tmp_path: Path) -> None:
    (tmp_path / "probe").touch()
    if (tmp_path / "PROBE").exists():
        pytest.skip("this file system does not tell cases apart")
    folder, refused = unpacked(tmp_path, entry("a/1.jpg", b"1"), entry("A/1.jpg", b"2"), entry("a/1.JPG", b"3"))
    assert (len(files(folder)), refused) == (3, [])


def test_what_the_archive_refuses_is_told(tmp_path: Path) -> None:
    folder, refused = unpacked(tmp_path, entry("a.jpg", refused="Not unpacked: it is a link."), entry("b.jpg"))
    assert (list(files(folder)), refused) == (["b.jpg"], ["a.jpg: Not unpacked: it is a link."])


def test_a_file_above_the_limit_is_not_opened(tmp_path: Path) -> None:
    def never() -> io.BytesIO:
        raise AssertionError("opened")

    bounds = Bounds(file=2**20)
    folder, refused = unpacked(tmp_path, Entry("big.jpg", 3 * 2**20, never), entry("b.jpg"), bounds=bounds)
    assert refused == ["big.jpg: Not unpacked: it has 3 MB; at most 1 MB of a file are read."]
    assert list(files(folder)) == ["b.jpg"]


def test_what_is_more_than_was_promised_ends_it(tmp_path: Path) -> None:
    lying = Entry("small.jpg", 1, lambda: io.BytesIO(bytes(2 * 2**20)))
    with pytest.raises(
        DataError, match=r"some\.zip unpacks to more than 1 MB, which is too much .* unpack it yourself"
    ):
        unpacked(tmp_path, lying, allowed=2**20)


def test_damage_in_one_entry_leaves_no_piece_of_it(tmp_path: Path) -> None:
    class Damaged(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise ValueError("bad crc")
            return super().read(min(size or 0, 10))

    folder, refused = unpacked(tmp_path, Entry("a.jpg", 99, lambda: Damaged(bytes(99))), entry("b.jpg"))
    assert refused == ["a.jpg: Not unpacked: it is damaged in the archive (bad crc)."]
    assert list(files(folder)) == ["b.jpg"]


def test_a_full_disk_is_no_fault_of_an_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, *arguments: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(StorageError, match=r"Cannot unpack into .*files: No space left.* set FINEGRAFT_CACHE"):
        unpacked(tmp_path, entry("a.jpg"))


def test_an_unreadable_entry_keeps_its_kind(tmp_path: Path) -> None:
    def refuse() -> io.BytesIO:
        raise UnreadableFile("too-large", "Much too large.")

    folder = tmp_path / "files"
    folder.mkdir()
    (refused,) = unpack([entry("0"), Entry("a.jpg", 1, refuse)], folder, Budget(tmp_path, 10))
    assert (refused.code, refused.reason, refused.place) == ("too-large", "Much too large.", 2)


def test_allowance_grows_with_the_archive() -> None:
    bounds = Bounds(bytes=1000, ratio=10, modest=50)
    assert [bounds.allowance(size) for size in (1, 20, 1000)] == [50, 200, 1000]

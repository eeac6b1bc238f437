from __future__ import annotations

import os
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from finegraft.errors import BundleError, StorageError
from finegraft.inference import archive

GOOD = {"model.json": b"{}", "model.onnx": b"onnx" * 50, "samples/a-1.png": b"png"}
FIRST_FILE, DIRECTORY, END = b"PK\3\4", b"PK\1\2", b"PK\5\6"


@pytest.fixture
def good(tmp_path: Path) -> Path:
    archive.write(tmp_path / "good.fg", GOOD)
    return tmp_path / "good.fg"


def zipped(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as made:
        for name, content in entries:
            made.writestr(name, content)
    return path


def patched(path: Path, offset: int, form: str, value: int, mark: bytes = DIRECTORY) -> Path:
    """Overwrite a number in the first record that begins with `mark`."""
    content = bytearray(path.read_bytes())
    struct.pack_into(form, content, content.index(mark) + offset, value)
    path.write_bytes(content)
    return path


def refused(path: Path, why: str) -> None:
    with pytest.raises(BundleError, match=why) as error:
        archive.read(path)
    assert str(path) in str(error.value)


def test_what_was_written_is_read(good: Path) -> None:
    assert archive.read(good) == GOOD


def test_equal_entries_give_equal_files(good: Path, tmp_path: Path) -> None:
    archive.write(tmp_path / "again.fg", GOOD)
    assert (tmp_path / "again.fg").read_bytes() == good.read_bytes()


def test_it_is_an_ordinary_zip_stored(good: Path) -> None:
    with zipfile.ZipFile(good) as made:
        assert made.testzip() is None
        assert {entry.compress_type for entry in made.infolist()} == {zipfile.ZIP_STORED}
        assert {entry.date_time for entry in made.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_what_another_program_zipped_is_read_too(tmp_path: Path) -> None:
    assert archive.read(zipped(tmp_path / "other.fg", *GOOD.items())) == GOOD


def test_a_failed_write_leaves_the_old_file(good: Path) -> None:
    before = good.read_bytes()
    with pytest.raises(TypeError):
        archive.write(good, {"model.json": None})  # type: ignore[dict-item]
    assert good.read_bytes() == before
    assert list(good.parent.iterdir()) == [good]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"Cannot write .*model\.fg"):
        archive.write(tmp_path / "file" / "model.fg", GOOD)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    refused(tmp_path / "missing.fg", r"missing\.fg does not exist\. A bundle is one file, the model\.fg")
    refused(tmp_path, r"is a folder\. A bundle is one file")


def test_a_file_that_may_not_be_read_is_named(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    refused(good, "Permission denied. Check its permissions")


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all, only words", b"\x80\x04\x95pickle" + bytes(100)])
def test_what_is_no_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.fg").write_bytes(content)
    refused(tmp_path / "x.fg", "it is not a zip, or was cut off")


def test_every_cut_is_noticed(good: Path) -> None:
    whole = good.read_bytes()
    for length in range(len(whole)):
        good.write_bytes(whole[:length])
        refused(good, "not a zip, or was cut off")


def test_every_flipped_bit_is_noticed_or_harmless(good: Path) -> None:
    """Whatever byte is damaged, the entries come out whole or are refused with `BundleError`."""
    whole = good.read_bytes()
    for position in range(len(whole)):
        good.write_bytes(whole[:position] + bytes([whole[position] ^ 0x41]) + whole[position + 1 :])
        try:
            assert sorted(archive.read(good).values()) == sorted(GOOD.values())
        except BundleError:
            continue


@pytest.mark.parametrize(
    "change",
    [
        lambda whole: b"#!/bin/sh\n" + whole,  # a program in front
        lambda whole: whole + b"more",
        lambda whole: whole[:-2] + struct.pack("<H", 4) + b"note",  # a comment
    ],
)
def test_bytes_around_the_zip_are_refused(good: Path, change: Callable[[bytes], bytes]) -> None:
    good.write_bytes(change(good.read_bytes()))
    refused(good, "is not a bundle")


def test_bytes_between_entries_and_table_are_refused(good: Path) -> None:
    whole = good.read_bytes()
    place = whole.index(DIRECTORY)
    good.write_bytes(whole[:place] + b"hidden" + whole[place:])
    refused(good, "table of contents is not one finegraft writes")


def test_a_table_of_contents_of_millions_is_not_read(tmp_path: Path) -> None:
    many = zipped(tmp_path / "many.fg", *((f"samples/{i}", b"") for i in range(archive.MAX_ENTRIES + 1)))
    refused(many, "table of contents is not one finegraft writes")
    long = tmp_path / "long.fg"
    entry = zipfile.ZipInfo("model.json")
    entry.extra = b"\xff\xff" + struct.pack("<H", 60_000) + bytes(60_000)
    second = zipfile.ZipInfo("model.onnx")
    second.extra = entry.extra
    refused(zipped(long, (entry, b""), (second, b"")), "table of contents is not one finegraft writes")


def test_a_file_larger_than_any_bundle_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "huge.fg").open("wb") as file:
        file.truncate(2 * sum(archive.MAX_SIZES.values()))  # a hole: takes no room
    refused(tmp_path / "huge.fg", r"with 6\.1 GB it is larger than any")


@pytest.mark.parametrize(
    "name",
    [
        "../model.json",
        "/etc/passwd",
        "samples/../../x",
        "samples/..",
        "samples/.hidden",
        ".hidden",
        "..",
        "C:\\x",
        "samples\\x.png",
        "samples/a/b.png",
        "other/x.png",
        "samples/",
        "samples/ä.png",
        "a b",
        "x" * 101,
        "line\nbreak",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    refused(zipped(tmp_path / "x.fg", ("model.json", b"{}"), (name, b"")), "has a name that a bundle does not use")


def test_a_name_with_a_hidden_end_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.fg", ("model.jsonX.png", b"{}"))
    path.write_bytes(path.read_bytes().replace(b"model.jsonX.png", b"model.json\0.png"))
    refused(path, "has a name that a bundle does not use")


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressed_entries_are_refused_so_no_bomb_goes_off(tmp_path: Path, compression: int) -> None:
    bomb = zipped(tmp_path / "bomb.fg", ("model.json", bytes(10 * 2**20)), compression=compression)
    assert bomb.stat().st_size < 100_000
    refused(bomb, "'model.json' is compressed")


def test_an_entry_that_claims_to_unpack_to_more_is_refused(good: Path) -> None:
    refused(patched(good, 24, "<I", 10**9), "'model.json' is compressed")


def test_an_entry_longer_than_the_file_is_refused(good: Path) -> None:
    patched(good, 20, "<I", 10**6)
    refused(patched(good, 24, "<I", 10**6), "its entries overlap")


def test_entries_that_overlap_are_refused(tmp_path: Path) -> None:
    """Each entry alone is honest, but all lie on the same bytes (David Fifield, 2019)."""
    content = bytes(1000)
    path = zipped(tmp_path / "x.fg", *((f"samples/{i}", content) for i in range(3)))
    whole = bytearray(path.read_bytes())
    size = 30 + len("samples/0")
    table = whole.index(DIRECTORY)
    entry = bytes(whole[table : table + 46 + len("samples/0")])
    first = bytes(whole[: size + 1000])
    tables = b"".join(entry[:46] + f"samples/{i}".encode() for i in range(3))
    path.write_bytes(first + tables + END + struct.pack("<4H2LH", 0, 0, 3, 3, len(tables), len(first), 0))
    refused(path, "its entries overlap")


def test_encrypted_entries_are_refused(good: Path) -> None:
    refused(patched(good, 8, "<H", 1), "'model.json' is encrypted")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR])
def test_links_folders_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    entry = zipfile.ZipInfo("model.onnx")
    entry.external_attr = (kind | 0o777) << 16
    refused(zipped(tmp_path / "x.fg", (entry, b"/etc/passwd")), "'model.onnx' is not a plain file")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    twice = zipped(tmp_path / "x.fg", ("model.json", b"{}"), ("model.json", b"[]"))
    refused(twice, "it has two entries called 'model.json'")


def test_a_large_json_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(archive.MAX_SIZES, "model.json", 100)
    refused(zipped(tmp_path / "x.fg", ("model.json", bytes(101))), "'model.json' is too large")
    monkeypatch.setattr(archive, "MAX_SAMPLE", 100)
    refused(zipped(tmp_path / "x.fg", ("samples/a", bytes(101))), "'samples/a' is too large")


def test_damaged_content_is_noticed_by_its_checksum(good: Path) -> None:
    content = good.read_bytes()
    good.write_bytes(content.replace(b"onnxonnx", b"onnxOnnx", 1))
    refused(good, "is damaged: Bad CRC-32")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "is not an ordinary file")


def test_entries_that_the_table_swallows_are_missed(good: Path) -> None:
    whole = bytearray(good.read_bytes())
    table = whole.index(DIRECTORY)
    # The first entry's comment is said to reach to the end of the table.
    struct.pack_into("<H", whole, table + 32, len(whole) - 22 - table - 46 - len("model.json"))
    good.write_bytes(whole)
    refused(good, "is damaged: it has 1 entries instead of 3")

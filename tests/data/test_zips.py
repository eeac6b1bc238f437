from __future__ import annotations

import contextlib
import struct
import zipfile
from pathlib import Path

import pytest

from finegraft.data.unpacking import Bounds
from finegraft.data.zips import entries
from finegraft.errors import DataError
from tests.data.packing import LINK, overlapping, patched, zipped


def names(path: Path, bounds: Bounds | None = None) -> list[str]:
    return [entry.name for entry in entries(path, bounds or Bounds())]


def refused(path: Path) -> dict[str, str | None]:
    return {entry.name: entry.refused for entry in entries(path)}


@pytest.mark.parametrize("packed", [False, True])
def test_entries_have_names_sizes_and_content(tmp_path: Path, packed: bool) -> None:
    path = zipped(tmp_path / "a.zip", {"a/": b"", "a/1.jpg": b"one", "größe 猫.jpg": b"two" * 1000}, packed=packed)
    found = [(entry.name, entry.size, entry.open().read(), entry.refused) for entry in entries(path)]
    assert found == [
        ("a/", 0, b"", None),
        ("a/1.jpg", 3, b"one", None),
        ("größe 猫.jpg", 3000, b"two" * 1000, None),
    ]


def test_utf8_names_are_read_where_the_writer_did_not_say_so(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"Tiger.jpg": b"1", "M\u00f6we.jpg": b"2"})
    content = path.read_bytes()
    for signature, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = content.rfind(signature)
        content = content[: at + place] + b"\0\0" + content[at + place + 2 :]  # no flag of UTF-8
    path.write_bytes(content)
    assert names(path) == ["Tiger.jpg", "M\u00f6we.jpg"]


def test_a_name_of_another_code_page_is_still_a_name(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"M??we.jpg": b"2"})
    path.write_bytes(path.read_bytes().replace(b"M??we", b"M\xf6\xffwe"))
    assert names(path) == ["M÷\u00a0we.jpg"]


def test_links_devices_and_secrets_are_refused(tmp_path: Path) -> None:
    path = zipped(
        tmp_path / "a.zip", {"good.jpg": b"1", "link.jpg": b"/etc/passwd", "pipe.jpg": b"", "secret.jpg": b"1"}
    )
    patched(path, "link.jpg", attributes=LINK)
    patched(path, "pipe.jpg", attributes=0o010644 << 16)
    patched(path, "secret.jpg", flags=1)
    assert refused(path) == {
        "good.jpg": None,
        "link.jpg": "Not unpacked: it is a link.",
        "pipe.jpg": "Not unpacked: it is a device or a pipe, not a file.",
        "secret.jpg": "Not unpacked: it is encrypted. Unpack the archive yourself and give the folder.",
    }


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"crc": 1}, "Bad CRC-32"),
        ({"method": 99}, "compression method is not supported"),
        ({"method": 8}, "invalid|Error -3"),
    ],
)
def test_damage_of_one_entry_shows_when_it_is_opened(tmp_path: Path, fields: dict[str, int], why: str) -> None:
    path = patched(zipped(tmp_path / "a.zip", {"a.jpg": b"one of two", "b.jpg": b"two"}), "a.jpg", **fields)
    found = entries(path)
    with pytest.raises(Exception, match=why):
        next(found).open().read()
    assert next(found).open().read() == b"two"


def test_a_bomb_of_overlapping_entries_is_refused_before_anything_is_unpacked(tmp_path: Path) -> None:
    path = overlapping(tmp_path / "bomb.zip", entries=1000, size=2**20)
    assert path.stat().st_size < 100_000
    with pytest.raises(
        DataError, match=r"bomb\.zip is not safe to unpack: its entries overlap, as those of a bomb do\."
    ):
        names(path)


def test_a_bomb_by_promise_is_refused_before_anything_is_unpacked(tmp_path: Path) -> None:
    path = zipped(tmp_path / "bomb.zip", {f"{i}.jpg": bytes(2**20) for i in range(20)}, packed=True)
    bounds = Bounds(modest=2**20)
    with pytest.raises(DataError, match=r"bomb\.zip unpacks to 0\.0 GB, which is too much for its size"):
        names(path, bounds)
    assert len(names(path)) == 20, "twenty megabytes are no bomb"


def test_a_file_that_is_too_large_does_not_count_to_what_is_unpacked(tmp_path: Path) -> None:
    path = patched(zipped(tmp_path / "a.zip", {"huge.jpg": b"1", "b.jpg": b"2"}), "huge.jpg", size=2**32 - 2)
    assert [entry.size for entry in entries(path)] == [2**32 - 2, 1]


def test_too_many_entries_are_counted_before_zipfile_reads_them(tmp_path: Path) -> None:
    path = zipped(tmp_path / "many.zip", {f"{i}": b"" for i in range(100)})
    assert len(names(path, Bounds(entries=100))) == 100
    with pytest.raises(DataError, match=r"many\.zip unpacks to more than 99 entries, which is too much"):
        names(path, Bounds(entries=99))
    lying = path.read_bytes()
    at = lying.rfind(b"PK\5\6")
    path.write_bytes(lying[: at + 8] + struct.pack("<2H", 1, 1) + lying[at + 12 :])  # "one entry"
    with pytest.raises(DataError, match="more than 99 entries"):
        names(path, Bounds(entries=99))


def test_a_table_of_contents_that_claims_to_be_huge_is_not_read(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.jpg": b"1"})
    content = path.read_bytes()
    at = content.rfind(b"PK\5\6")
    path.write_bytes(content[: at + 12] + struct.pack("<L", 2**31) + content[at + 16 :])
    with pytest.raises(DataError, match=r"unpacks to a table of contents of 2,048 MB"):
        names(path)


def test_zip64_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive, archive.open("a.jpg", "w", force_zip64=True) as file:
        file.write(b"one")
    assert [(entry.name, entry.open().read()) for entry in entries(path)] == [("a.jpg", b"one")]


@pytest.mark.parametrize("cut", [1, 10, 22, 60, 150])
def test_a_zip_that_was_cut_off_says_so(tmp_path: Path, cut: int) -> None:
    path = zipped(tmp_path / "a.zip", {"a.jpg": b"one", "b.jpg": b"two"})
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(DataError, match=r"a\.zip is (cut off: its table of contents is missing|a damaged zip)"):
        names(path)


def test_any_byte_may_be_wrong(tmp_path: Path) -> None:
    """Whatever byte of the directory is damaged: an answer, or one error that names the file."""
    whole = zipped(tmp_path / "a.zip", {"a.jpg": b"one", "b.jpg": b"two"}).read_bytes()
    path = tmp_path / "broken.zip"
    for at in range(whole.find(b"PK\1\2"), len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        with contextlib.suppress(DataError):  # nothing but this is raised
            assert len(names(path)) <= 2


def test_no_entries(tmp_path: Path) -> None:
    assert names(zipped(tmp_path / "a.zip", {})) == []

from __future__ import annotations

import os
from pathlib import Path

import pytest

from finegraft.data.kinds import kind_of
from finegraft.errors import DataError
from tests.data.packing import tarred, zipped
from tests.making import photo

ONE = [("a.jpg", b"x")]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tars_by_their_content(tmp_path: Path, mode: str) -> None:
    assert kind_of(tarred(tmp_path / "photo.jpg", ONE, mode)) == "tar"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "empty"),
        (b"a.jpg rose\n", "text"),
        ("a.jpg,Möwe\n".encode("utf-16"), "text"),
        (b"PAR1\x15\4\x15\x10", "parquet"),
        (photo(1), "other"),
        (b"\0" * 2000, "other"),
        (b"\x28\xb5\x2f\xfd\0\0", "tar"),
        (b"PK\5\6" + bytes(18), "zip"),
    ],
)
def test_other_files_by_their_content(tmp_path: Path, content: bytes, kind: str) -> None:
    (tmp_path / "archive.zip").write_bytes(content)
    assert kind_of(tmp_path / "archive.zip") == kind


def test_a_zip_and_an_old_tar(tmp_path: Path) -> None:
    assert kind_of(zipped(tmp_path / "photos.csv", ONE)) == "zip"
    content = bytearray(tarred(tmp_path / "a.tar", ONE).read_bytes())
    content[257:265] = bytes(8)  # as before "ustar" was a mark
    content[148:156] = b" " * 8
    content[148:156] = f"{sum(content[:512]):06o}\0 ".encode()
    (tmp_path / "a.tar").write_bytes(content)
    assert kind_of(tmp_path / "a.tar") == "tar"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert kind_of(tmp_path / "pipe") == "other"
    assert kind_of(tmp_path) == "other"


@pytest.mark.parametrize("name", ["none", "null\0byte", "x" * 5000])
def test_what_cannot_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"Cannot read .*\. Check the path and its permissions\."):
        kind_of(tmp_path / name)

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from finegraft.errors import DataError, UsageError
from finegraft.vision.asked import Asked, asked
from tests.data.packing import LINK, patched, zipped
from tests.making import folder_of_photos, photo

pytestmark = pytest.mark.usefixtures("empty_cache")


def shown(*paths: str | Path, column: str | None = None) -> list[str]:
    return [one.shown for one in asked(map(str, paths), column)]


def test_files_folders_and_globs_are_what_they_were(tmp_path: Path) -> None:
    folder_of_photos(tmp_path, {"b": 2, "a": 1})
    (tmp_path / "note.txt").write_text("Hello, world. This names no file.\n")
    paths = [tmp_path / "a" / "0000.jpg", tmp_path / "b", tmp_path / "none.jpg", tmp_path / "*" / "0001.jpg"]
    found = list(asked([*map(str, paths), str(tmp_path / "note.txt"), "x" * 5000, "null\0byte"]))
    wanted = [tmp_path / p for p in ("a/0000.jpg", "b/0000.jpg", "b/0001.jpg", "none.jpg", "b/0001.jpg", "note.txt")]
    assert found == [Asked(path, str(path)) for path in [*wanted, Path("x" * 5000), Path("null\0byte")]]


def test_a_pipe_is_passed_on(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert shown(tmp_path / "pipe") == [str(tmp_path / "pipe")]


def test_rows_of_a_table_come_in_order_and_as_often_as_they_do(tmp_path: Path) -> None:
    folder_of_photos(tmp_path, {"a": 2})
    path = tmp_path / "table"
    path.write_text("n,file\n1,a/0001.jpg\n2,a/0000.jpg\n3,\n4,a/0001.jpg\n5,./a/none.jpg\n")
    found = list(asked([str(path)]))
    assert [one.path for one in found] == [
        tmp_path / "a/0001.jpg",
        tmp_path / "a/0000.jpg",
        None,
        tmp_path / "a/0001.jpg",
        tmp_path / "a/none.jpg",
    ]
    assert found[2] == Asked(None, f"{path}, row 4", "unreadable", "Row 4 names no file.")
    assert found[0].shown == f"{tmp_path}/a/0001.jpg"


def test_a_list_of_paths(tmp_path: Path) -> None:
    folder_of_photos(tmp_path, {"my photos": 2})
    (tmp_path / "list.txt").write_text("my photos/0001.jpg\nmy photos/0000.jpg\n")
    assert shown(tmp_path / "list.txt") == [f"{tmp_path}/my photos/000{i}.jpg" for i in (1, 0)]


def test_a_column_of_paths_by_name(tmp_path: Path) -> None:
    folder_of_photos(tmp_path, {"a": 1, "b": 1})
    path = tmp_path / "t.csv"
    path.write_text("photo,mask,gone\na/0000.jpg,b/0000.jpg,c/0000.jpg\n")
    with pytest.raises(
        UsageError, match=r"Several columns of .*t\.csv name files: photo, mask\. Say which: --path photo"
    ):
        shown(path)
    assert shown(path, column="mask") == [f"{tmp_path}/b/0000.jpg"]
    assert shown(path, column="gone") == [f"{tmp_path}/c/0000.jpg"]
    with pytest.raises(UsageError, match=r"has no column 'masks'\. Did you mean 'mask'"):
        shown(path, column="masks")
    with pytest.raises(
        UsageError, match=r"--path mask names a column, but no PATH is a table\. Give a CSV, TSV or Parquet"
    ):
        shown(tmp_path / "a", column="mask")


def test_an_archive_answers_its_files_and_what_was_refused(tmp_path: Path) -> None:
    entries = {"a/1.jpg": photo(1), "a/.hidden": b"x", "../evil.jpg": b"1", "a/link.jpg": b"/etc/passwd", "b.txt": b"x"}
    path = patched(zipped(tmp_path / "a.zip", entries), "a/link.jpg", attributes=LINK)
    found = list(asked([str(path)]))
    assert [one.shown for one in found] == [
        f"{path}/a/1.jpg",
        f"{path}/b.txt",
        f"{path}/../evil.jpg",
        f"{path}/a/link.jpg",
    ]
    assert [one.path is None for one in found] == [False, False, True, True]
    assert found[0].path is not None
    assert found[0].path.read_bytes() == photo(1)
    assert found[3].reason == "Not unpacked: it is a link."
    with pytest.raises(DataError, match=r"The archive .*b\.zip holds no files\. Name an archive with photos in it\."):
        shown(zipped(tmp_path / "b.zip", {}))


def test_an_archive_or_a_table_within_a_folder_is_a_file(tmp_path: Path) -> None:
    folder_of_photos(tmp_path, {"a": 1})
    zipped(tmp_path / "b.zip", {"1.jpg": photo(1)})
    (tmp_path / "t.csv").write_text("file\na/0000.jpg\n")
    assert shown(tmp_path) == [f"{tmp_path}/{key}" for key in ("a/0000.jpg", "b.zip", "t.csv")]


def test_what_only_looks_like_an_archive_is_answered_for_itself_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(photo(1))
    (tmp_path / "b.jpg").write_bytes(gzip.compress(b"<html>not found</html>"))
    found = list(asked([str(tmp_path / "b.jpg"), str(tmp_path / "a.jpg")]))
    assert [(one.path, one.code) for one in found] == [(None, "not-a-photo"), (tmp_path / "a.jpg", "")]
    assert found[0].shown == str(tmp_path / "b.jpg")
    assert "Fetch it again." in found[0].reason

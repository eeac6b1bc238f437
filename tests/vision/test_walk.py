from __future__ import annotations

import os
import subprocess
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from finegraft.errors import DataError
from finegraft.vision.walk import photos, walk
from tests.making import folder_of_photos


def filled(folder: Path, *keys: str) -> Path:
    for key in keys:
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(b"x")
    return folder


def test_files_come_folder_by_folder_sorted_by_name(tmp_path: Path) -> None:
    keys = ["a/2.jpg", "a/10.jpg", "a/b/1.jpg", "a-b/1.jpg", "z.jpg", "B.jpg"]
    assert list(walk(filled(tmp_path, *keys))) == ["B.jpg", "a/10.jpg", "a/2.jpg", "a/b/1.jpg", "a-b/1.jpg", "z.jpg"]


def test_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    assert list(walk(filled(tmp_path, ".a", ".b/1.jpg", "c/.d", "c/1.jpg"))) == ["c/1.jpg"]
    assert list(walk(filled(tmp_path / ".b"))) == ["1.jpg"], "this one was asked for"


def test_a_deep_tree_is_walked_without_recursion(tmp_path: Path) -> None:
    here = Path.cwd()
    try:
        os.chdir(tmp_path)
        for _ in range(1200):
            Path("a").mkdir()
            os.chdir("a")
        Path("1.jpg").write_bytes(b"x")
        os.chdir(tmp_path)
        assert list(walk(".")) == ["/".join("a" * 1200) + "/1.jpg"]
    finally:
        os.chdir(here)
        subprocess.run(["rm", "-rf", tmp_path / "a"], check=True)  # shutil would recurse


def test_no_file_is_asked_for_more_than_its_folder_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path, *(f"{c}/{i}.jpg" for c in "ab" for i in range(50)))
    really, asked = os.stat, []

    def stat(path: Any, *arguments: Any, **named: Any) -> Any:
        asked.append(str(path))
        return really(path, *arguments, **named)

    monkeypatch.setattr(os, "stat", stat)
    assert len(list(walk(tmp_path))) == 100
    assert not [path for path in asked if path.endswith(".jpg")]


def test_the_root_itself_where_it_cannot_be_listed(tmp_path: Path) -> None:
    assert list(walk(tmp_path / "none")) == [""]


def test_photos_expands_files_folders_and_globs_in_order(tmp_path: Path) -> None:
    folder_of_photos(tmp_path, {"b": 2, "a/deep": 1, ".hidden": 1})
    single = tmp_path / ".named.jpg"
    single.write_bytes(b"x")
    found = list(photos([str(single), tmp_path / "b", str(tmp_path / "*" / "deep"), str(tmp_path / "b" / "*1.jpg")]))
    assert [p.relative_to(tmp_path).as_posix() for p in found] == [
        ".named.jpg",
        "b/0000.jpg",
        "b/0001.jpg",
        "a/deep/0000.jpg",
        "b/0001.jpg",
    ]


def test_a_name_that_looks_like_a_glob_is_a_name_first(tmp_path: Path) -> None:
    (tmp_path / "photo[1].jpg").write_bytes(b"x")
    assert list(photos([tmp_path / "photo[1].jpg"])) == [tmp_path / "photo[1].jpg"]


def test_a_missing_file_is_passed_on_to_get_its_own_error(tmp_path: Path) -> None:
    assert list(photos([tmp_path / "none.jpg", "x" * 5000, "null\0byte"])) == [
        tmp_path / "none.jpg",
        Path("x" * 5000),
        Path("null\0byte"),
    ]


def test_a_glob_or_a_folder_without_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"No file matches .*\*\.jpg\. Check the pattern"):
        list(photos([str(tmp_path / "*.jpg")]))
    with pytest.raises(DataError, match=r"The folder .* holds no files\. Name a folder with photos"):
        list(photos([tmp_path]))


def test_an_endless_list_is_not_read_ahead(tmp_path: Path) -> None:
    def endless() -> Any:
        while True:
            yield tmp_path / "photo.jpg"

    assert len(list(islice(photos(endless()), 5))) == 5

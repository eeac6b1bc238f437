from __future__ import annotations

import sys
from pathlib import Path

import pytest

from finegraft.errors import DataError, UsageError
from finegraft.vision.grouping import Grouping
from finegraft.vision.listing import Found, Paths, list_folder


def test_keys_are_sorted_whatever_their_folders(tmp_path: Path) -> None:
    for key in ("a/1", "a-b/1", "B/1", "a/b/2"):
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).touch()
    found = list_folder(tmp_path).found
    assert [one.key for one in found] == sorted(["a/1", "a-b/1", "B/1", "a/b/2"])
    assert {(one.label, one.split, one.group, one.code) for one in found} == {(None, None, None, None)}


def test_groups_come_from_the_path(tmp_path: Path) -> None:
    for name in ("sick/p7_left", "sick/p7_right", "well/p8_left", "well/other"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = list_folder(tmp_path, Grouping(r"(p\d+)_")).found
    assert [one.group for one in found] == ["p7", "p7", None, "p8"]
    assert found[0].group is found[1].group


def test_what_was_refused_has_its_place_in_the_order(tmp_path: Path) -> None:
    (tmp_path / "b").touch()
    refused = [Found("c", code="unreadable", reason="x"), Found("a", code="unreadable", reason="x")]
    assert [one.key for one in list_folder(tmp_path, None, refused).found] == ["a", "b", "c"]


def test_nothing_in_a_folder_and_nothing_in_an_archive(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"The folder .* holds no files\. Put each class in a folder of its own: "):
        list_folder(tmp_path)
    with pytest.raises(DataError, match=r"The archive pets\.zip holds no files\. .* own: pets\.zip/rose/1\.jpg"):
        list_folder(tmp_path, source=Path("pets.zip"))


def test_paths_are_made_when_asked_for(tmp_path: Path) -> None:
    paths = Paths(tmp_path, [Found("a/1.jpg"), Found("../b.jpg"), Found("/c.jpg")])
    wanted = [f"{tmp_path}/a/1.jpg", f"{tmp_path}/../b.jpg", "/c.jpg"]
    assert (list(paths), len(paths), paths[-1], paths[1:]) == (wanted, 3, "/c.jpg", wanted[1:])


def test_a_file_found_costs_little_memory() -> None:
    """The path is by far the largest part of it."""
    assert sys.getsizeof(Found("a")) <= 96
    assert not hasattr(Found("a"), "__dict__")


@pytest.mark.parametrize(
    ("pattern", "key", "group"),
    [
        (r"(p\d+)_", "sick/p7_left.jpg", "p7"),
        (r"p\d+", "sick/p7_left.jpg", "p7"),
        (r"^[^/]+/", "sick/p7.jpg", "sick/"),
        (r"(p\d+)?_", "x_1.jpg", None),
        (r"z", "x_1.jpg", None),
    ],
)
def test_the_first_group_of_a_pattern_names_the_group(pattern: str, key: str, group: str | None) -> None:
    assert Grouping(pattern).of(key) == group


def test_patterns_that_are_none_and_patterns_that_find_nothing() -> None:
    with pytest.raises(
        UsageError, match=r"The group '\(' is no regular expression \(missing \).*For patient7_left\.jpg"
    ):
        Grouping("(")
    grouping = Grouping("zzz")
    grouping.of("a/1.jpg")
    with pytest.raises(UsageError, match=r"The group 'zzz' is found in no path\. For patient7_left\.jpg write --group"):
        grouping.must_have_matched()
    grouping.of("a/zzz.jpg")
    grouping.must_have_matched()

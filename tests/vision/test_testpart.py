from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from finegraft.data.dataset import Dataset
from finegraft.errors import DataError, UsageError
from finegraft.vision.sources import read
from tests.making import folder_of_photos


def table(path: Path, *rows: str, head: str = "file,label") -> Path:
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def parts(data: Dataset) -> dict[str, list[str]]:
    """Split -> keys of usable records."""
    found: dict[str, list[str]] = {}
    for record in data.usable:
        found.setdefault(str(record.split), []).append(record.key)
    return found


def opened(data: Dataset) -> Dataset:
    assert all((data.root / record.key).is_file() for record in data.usable)
    assert len({record.key for record in data.records}) == len(data.records)
    assert [record.key for record in data.records] == sorted(record.key for record in data.records)
    return data


def test_a_folder_beside_the_data(tmp_path: Path) -> None:
    folder_of_photos(tmp_path, {"mine/rose": 3, "mine/tulip": 3, "theirs/rose": 2, "theirs/tulip": 1})
    data = opened(read(tmp_path / "mine", test=tmp_path / "theirs"))
    assert parts(data)["test"] == ["../theirs/rose/0000.jpg", "../theirs/rose/0001.jpg", "../theirs/tulip/0000.jpg"]
    assert [record.label for record in data.part("test")] == ["rose", "rose", "tulip"]
    assert len(parts(data)["None"]) == 6
    assert data.split().judged_on == "test"


def test_a_folder_within_the_data_is_judged_and_not_learned_from(tmp_path: Path) -> None:
    folder_of_photos(tmp_path, {"rose": 3, "tulip": 3, "later/rose": 2, "later/tulip": 2})
    data = opened(read(tmp_path, test=tmp_path / "later"))
    assert len(parts(data)["test"]) == 4
    assert parts(data)["test"][0] == "later/rose/0000.jpg"
    assert len(data) == 10
    assert [f for f in data.findings if f.kind == "leak"] == []


def test_all_of_a_test_source_is_the_test_part_whatever_its_folders_are_called(tmp_path: Path) -> None:
    folder_of_photos(tmp_path / "mine", {"rose": 3, "tulip": 3})
    folder_of_photos(tmp_path / "theirs", {"train/rose": 2, "valid/tulip": 2, "more/rose": 1})
    data = opened(read(tmp_path / "mine", test=tmp_path / "theirs"))
    assert len(parts(data)["test"]) == 5
    assert data.left_out == ()


def test_given_validation_and_another_test(tmp_path: Path) -> None:
    folder_of_photos(tmp_path / "mine", {"train/rose": 3, "train/tulip": 3, "valid/rose": 2, "valid/tulip": 2})
    folder_of_photos(tmp_path / "theirs", {"rose": 2, "tulip": 2})
    data = opened(read(tmp_path / "mine", test=tmp_path / "theirs"))
    assert {name: len(keys) for name, keys in parts(data).items()} == {"test": 4, "train": 6, "validation": 4}


def test_a_link_on_the_way_does_not_lead_astray(tmp_path: Path) -> None:
    folder_of_photos(tmp_path / "disk" / "deep" / "mine", {"rose": 3, "tulip": 3})
    folder_of_photos(tmp_path / "theirs", {"rose": 2, "tulip": 2})
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "deep" / "mine", target_is_directory=True)
    data = opened(read(tmp_path / "link", test=tmp_path / "theirs"))
    assert parts(data)["test"][0] == "../../../theirs/rose/0000.jpg"


def test_two_tables_beside_each_other(tmp_path: Path) -> None:
    folder_of_photos(tmp_path, {"photos": 8})
    rows = [f"photos/{i:04d}.jpg,{'ab'[i % 2]}" for i in range(8)]
    train = table(tmp_path / "train.csv", *rows[:5])
    test = table(tmp_path / "test.csv", *rows[4:], "photos/none.jpg,a", ",b")
    data = opened(read(train, test=test))
    assert {name: len(keys) for name, keys in parts(data).items()} == {"None": 4, "test": 4}
    (leak,) = [finding for finding in data.findings if finding.kind == "leak"]
    assert leak.key == "photos/0004.jpg"
    assert leak.note == "Row 6 names a file of the test part. It is judged, not learned from."
    assert {r.key: r.left_out for r in data.left_out} == {
        "photos/none.jpg": "Row 6: There is no such file. Check the path.",
        "test.csv, row 7": "Row 7 names no file: its cell in the column 'file' is empty.",
    }


def test_a_table_elsewhere_names_its_files_relative_to_itself(tmp_path: Path) -> None:
    folder_of_photos(tmp_path, {"photos": 8, "other/deep/photos": 2})
    train = table(tmp_path / "train.csv", *(f"photos/{i:04d}.jpg,{'ab'[i % 2]}" for i in range(4)))
    rows = ["photos/0000.jpg,a", "../../photos/0005.jpg,b", f"{tmp_path}/photos/0006.jpg,a", "../../photos/0001.jpg,b"]
    data = opened(read(train, test=table(tmp_path / "other" / "deep" / "test.csv", *rows)))
    assert parts(data)["test"] == [
        f"{tmp_path}/photos/0006.jpg",
        "other/deep/photos/0000.jpg",
        "photos/0001.jpg",
        "photos/0005.jpg",
    ]
    assert parts(data)["None"] == ["photos/0000.jpg", "photos/0002.jpg", "photos/0003.jpg"]


def test_the_test_table_needs_no_columns_of_groups_and_splits(tmp_path: Path) -> None:
    folder_of_photos(tmp_path, {"photos": 8})
    rows = [f"photos/{i:04d}.jpg,{'ab'[i % 2]},p{i // 2},{'train' if i < 3 else 'valid'}" for i in range(5)]
    train = table(tmp_path / "train.csv", *rows, head="file,label,patient,part")
    test = table(tmp_path / "test.csv", "photos/0006.jpg,a", "photos/0007.jpg,b")
    options: dict[str, Any] = {"target": "label", "group": "patient", "split_column": "part"}
    data = opened(read(train, test=test, **options))
    assert {name: len(keys) for name, keys in parts(data).items()} == {"train": 3, "validation": 2, "test": 2}
    folder_of_photos(tmp_path / "theirs", {"a": 1, "b": 1})
    assert len(parts(opened(read(train, test=tmp_path / "theirs", **options)))["test"]) == 2


def test_numbers_of_a_small_test_table_are_numbers_too(tmp_path: Path) -> None:
    folder_of_photos(tmp_path, {"photos": 30})
    train = table(tmp_path / "train.csv", *(f"photos/{i:04d}.jpg,{i * i}" for i in range(25)))
    test = table(tmp_path / "test.csv", *(f"photos/{i:04d}.jpg,{i}" for i in range(25, 30)))
    assert {type(record.label) for record in read(train, test=test).usable} == {float}


@pytest.mark.parametrize("own", [{"test/rose": 2, "test/tulip": 2}, {"testing/rose": 2}])
def test_a_test_part_of_its_own_and_another(tmp_path: Path, own: dict[str, int]) -> None:
    folder_of_photos(tmp_path / "mine", {"train/rose": 2, "train/tulip": 2, **own})
    folder_of_photos(tmp_path / "theirs", {"rose": 2, "tulip": 2})
    message = r"The data has a test part of its own, and --test gives another\. Give one of them\."
    with pytest.raises(UsageError, match=message):
        read(tmp_path / "mine", test=tmp_path / "theirs")
    rows = table(
        tmp_path / "t.csv", "mine/train/rose/0000.jpg,a,train", "mine/train/rose/0001.jpg,a,test", head="f,label,p"
    )
    with pytest.raises(UsageError, match=message):
        read(rows, split_column="p", test=tmp_path / "theirs")


def test_labels_of_two_kinds(tmp_path: Path) -> None:
    folder_of_photos(tmp_path, {"photos": 4, "theirs/rose": 2})
    train = table(tmp_path / "train.csv", *(f"photos/{i:04d}.jpg,a|b" for i in range(4)))
    with pytest.raises(DataError, match=r"The labels of the data and those of the test part are of different kinds\."):
        read(train, test=tmp_path / "theirs")


def test_a_test_source_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no file or folder .*none\. Check the path\."):
        read(folder_of_photos(tmp_path), test=tmp_path / "none")

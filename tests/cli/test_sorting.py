from __future__ import annotations

from pathlib import Path

import pytest

from finegraft.cli.sorting import Sorter
from finegraft.errors import StorageError
from finegraft.inference.prediction import Prediction
from tests.data.test_naming import HOSTILE


def answer(path: Path, label: str) -> Prediction:
    return Prediction(label, 1.0, ((label, 1.0),), None, str(path))


@pytest.mark.parametrize("label", HOSTILE)
def test_no_label_leads_out_of_the_folder(tmp_path: Path, label: str) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"photo")
    copy = Sorter(tmp_path / "sorted").copy(answer(photo, label))
    assert copy.read_bytes() == b"photo"
    assert copy.resolve().parent.parent == (tmp_path / "sorted").resolve()
    assert not copy.parent.name.startswith(".")
    assert {path.name for path in tmp_path.iterdir()} == {"photo.jpg", "sorted"}


def test_photos_of_one_name_are_all_kept_and_equal_ones_once(tmp_path: Path) -> None:
    sorter = Sorter(tmp_path / "sorted")
    for number, content in enumerate([b"first", b"second", b"first", b"third"]):
        photo = tmp_path / str(number) / "a.jpg"
        photo.parent.mkdir()
        photo.write_bytes(content)
        sorter.copy(answer(photo, "rose"))
    kept = {path.name: path.read_bytes() for path in (tmp_path / "sorted" / "rose").iterdir()}
    assert kept == {"a.jpg": b"first", "a (2).jpg": b"second", "a (3).jpg": b"third"}


def test_a_file_is_no_folder_to_sort_into(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"Cannot sort photos into .*file: it is a file\. Give a folder"):
        Sorter(tmp_path / "file")

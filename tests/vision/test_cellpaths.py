from __future__ import annotations

from pathlib import Path

import pytest

from finegraft.vision.cellpaths import CellPaths


@pytest.mark.parametrize(
    ("cell", "key"),
    [
        ("rose/1.jpg", "rose/1.jpg"),
        ("rose\\1.jpg", "rose/1.jpg"),
        ("./rose//1.jpg", "rose/1.jpg"),
        ("rose/./1.jpg", "rose/1.jpg"),
        ("../other/1.jpg", "../other/1.jpg"),
        ("rose/../1.jpg", "rose/../1.jpg"),
        ("/data/photos/rose/1.jpg", "rose/1.jpg"),
        ("/data/photos/./rose/1.jpg", "rose/1.jpg"),
        ("/data/photos2/1.jpg", "/data/photos2/1.jpg"),
        ("//data///x.jpg", "/data/x.jpg"),
        ("größe 猫.jpg", "größe 猫.jpg"),
        ("a. /1.jpg", "a. /1.jpg"),
        ("a./1.jpg", "a./1.jpg"),
        ("", ""),
    ],
)
def test_cells_become_keys(cell: str, key: str) -> None:
    assert CellPaths(Path("/data/photos")).key(cell) == key


def test_a_stranger_s_table_names_files_of_its_folder_only(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for path in (tmp_path / "secret.jpg", tmp_path / "in" / "1.jpg"):
        path.touch()
    mine, theirs = CellPaths(tmp_path / "in"), CellPaths(tmp_path / "in", jailed=True)
    for cell in (
        "../secret.jpg",
        "..\\secret.jpg",
        str(tmp_path / "secret.jpg"),
        "x/../../secret.jpg",
        "C:/secret.jpg",
    ):
        assert theirs.leads_out(theirs.key(cell))
        assert not theirs.is_file(cell)
        assert not mine.leads_out(mine.key(cell))
    assert mine.is_file("../secret.jpg")
    assert mine.is_file(str(tmp_path / "secret.jpg"))
    for cell in ("1.jpg", str(tmp_path / "in" / "1.jpg"), "..1.jpg"):
        assert not theirs.leads_out(theirs.key(cell))
    assert theirs.is_file("1.jpg")


@pytest.mark.parametrize("cell", ["", "none.jpg", ".", "..", "x" * 5000, "null\0byte"])
def test_what_is_no_file(tmp_path: Path, cell: str) -> None:
    assert not CellPaths(tmp_path).is_file(cell)

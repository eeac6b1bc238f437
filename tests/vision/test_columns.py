from __future__ import annotations

from pathlib import Path

import pytest

from finegraft.data.tables import open_table
from finegraft.errors import DataError, UsageError
from finegraft.vision.cellpaths import CellPaths
from finegraft.vision.columns import Columns, Wanted, chosen, fits, path_column


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files a.jpg to h.jpg in photos/, masks of them in masks/."""
    for place in ("photos", "masks"):
        (tmp_path / place).mkdir()
        for name in "abcdefgh":
            (tmp_path / place / f"{name}.jpg").write_bytes(b"x")
    return tmp_path


def table(folder: Path, *lines: str) -> Path:
    path = folder / "table.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def of(file: Path, **wanted: object) -> Columns:
    return chosen(file, Wanted(**wanted), CellPaths(file.parent))  # type: ignore[arg-type]


ROWS = [f"photos/{name}.jpg,{'rose' if name < 'e' else 'tulip'}" for name in "abcdefgh"]


def test_the_paths_are_what_names_files_and_the_other_column_is_the_label(folder: Path) -> None:
    found = of(table(folder, "where,what", *ROWS))
    assert (found.path, found.target, found.group, found.split) == ("where", ("what",), None, None)
    turned = table(folder, "what,where", *(",".join(reversed(row.split(","))) for row in ROWS))
    assert (of(turned).path, of(turned).target) == ("where", ("what",))


def test_a_table_without_a_header_is_told_by_its_first_row(folder: Path) -> None:
    found = of(table(folder, *ROWS))
    assert (found.path, found.target, len(list(found.table.rows()))) == ("column 1", ("column 2",), 8)
    gone = of(table(folder, "photos/gone.JPG,rose", *ROWS))
    assert len(list(gone.table.rows())) == 9, "its first file is missing: it is a row nevertheless"
    assert (gone.path, gone.target) == ("column 1", ("column 2",))


def test_names_for_a_table_without_a_header(folder: Path) -> None:
    found = of(table(folder, *(f"{row},x" for row in ROWS)), columns=["where", "what", "note"], target="what")
    assert (found.path, found.target, len(list(found.table.rows()))) == ("where", ("what",), 8)


def test_one_called_label_is_the_label(folder: Path) -> None:
    rows = [f"{row},7,x" for row in ROWS]
    assert of(table(folder, "file,Class,size,note", *rows)).target == ("Class",)
    with pytest.raises(UsageError, match=r"may be the label: breed, size, note\. Say which: --target 'breed'"):
        of(table(folder, "file,breed,size,note", *rows))
    with pytest.raises(UsageError, match=r"may be the label: size, class, label\. Say which: --target 'class'"):
        of(table(folder, "file,size,class,label", *rows))


def test_columns_that_mean_something_else_are_no_labels(folder: Path) -> None:
    rows = [f"{i},{row},p1,train" for i, row in enumerate(ROWS)]
    path = table(folder, ",file,breed,patient,part", *rows)
    found = of(path, group="patient", split_column="part")
    assert (found.target, found.group, found.split) == (("breed",), "patient", "part")
    assert of(path, group=r"photos/(.)", target="breed").group is None


def test_no_column_of_labels(folder: Path) -> None:
    with pytest.raises(
        DataError, match=r"has no column of labels beside 'file'\. Add one with a label for each file\."
    ):
        of(table(folder, "file", *(row.split(",")[0] for row in ROWS)))


def test_several_columns_of_files(folder: Path) -> None:
    rows = [f"photos/{n}.jpg,masks/{n}.jpg,rose" for n in "abcdefgh"]
    path = table(folder, "photo,mask,label", *rows)
    with pytest.raises(UsageError, match=r"Several columns of .* name files: photo, mask\. Say which: --path photo"):
        of(path)
    assert (of(path, path="mask", target="label").path, of(path, path="mask").target) == ("mask", ("label",))
    mostly = table(folder, "photo,mask,label", *rows[:2], *(row.replace("masks", "gone") for row in rows[2:]))
    assert of(mostly).path == "photo", "a column that names a quarter as many is no rival"


def test_no_column_of_files(folder: Path) -> None:
    with pytest.raises(DataError) as caught:
        of(table(folder, "file,label", "images/a.jpg,rose"))
    assert str(caught.value) == (
        f"No column of {folder}/table.csv names files (it has: file, label). There is no {folder}/images/a.jpg, for "
        "example. Paths are relative to the folder of the table; --path says which column holds them."
    )
    assert of(table(folder, "file,label", "images/a.jpg,rose"), path="file").target == ("label",)


def test_a_header_alone_names_no_files(folder: Path) -> None:
    with pytest.raises(DataError) as caught:
        of(table(folder, "file,label"))
    assert str(caught.value) == (
        f"{folder}/table.csv has no row below its header (file, label). Add one for each file. If that is no header "
        "but a row, check its path."
    )


def test_addresses_are_no_files(folder: Path) -> None:
    with pytest.raises(
        DataError, match=r"The column 'url' of .* holds addresses, not files\. .* first: finegraft fetch "
    ):
        of(table(folder, "label,url", "rose,https://example.org/a.jpg"))
    with pytest.raises(DataError, match=r"holds addresses, not files"):
        of(table(folder, "https://example.org/a.jpg"))


def test_targets_by_name(folder: Path) -> None:
    path = table(folder, 'file,a,b,"a,b"', *(f"{row.split(',')[0]},1,0,1" for row in ROWS))
    assert of(path, target="a").target == ("a",)
    assert of(path, target="a, b").target == ("a", "b")
    assert of(path, target="a,b").target == ("a,b",), "there is a column called so"
    assert of(path, target=["b", "a", "b"]).target == ("b", "a")
    with pytest.raises(UsageError, match=r"no column 'c'\. It has: file, a, b, a,b\."):
        of(path, target="a,c")
    with pytest.raises(UsageError, match=r"The column 'file' cannot hold both the paths and the labels\."):
        of(path, target="file")


@pytest.mark.parametrize("option", ["path", "target", "split_column"])
def test_a_misspelled_column(folder: Path, option: str) -> None:
    with pytest.raises(
        UsageError, match=r"The table has no column 'Lables'\. Did you mean 'label'\? It has: file, label"
    ):
        of(table(folder, "file,label", *ROWS), **{option: "Lables"})


def test_a_list_of_paths_with_spaces_is_one_column(folder: Path) -> None:
    for name in "ab":
        (folder / f"my photo {name}.jpg").write_bytes(b"x")
    file = table(folder, "my photo a.jpg", "my photo b.jpg")
    listed, path = path_column(file, Wanted(), CellPaths(folder))
    assert [row.cells for row in listed.rows([path])] == [("my photo a.jpg",), ("my photo b.jpg",)]


def test_which_tables_fit(folder: Path) -> None:
    found = open_table(table(folder, "file,a,b,part", "x,1,0,train"))
    assert fits(found, Wanted(target="a,b", path="file", split_column="part"))
    assert not fits(found, Wanted(target="a,c"))
    assert not fits(found, Wanted(path="c"))
    assert fits(found, Wanted())


def test_what_speaks_of_a_table() -> None:
    assert not Wanted(group="x").of_a_table
    assert Wanted(columns=()).of_a_table
    assert Wanted(target=["a", "b"], path="c", split_column="d").names == ["a", "b", "c", "d"]

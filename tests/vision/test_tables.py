from __future__ import annotations

import logging
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from finegraft.data.labels import Reading
from finegraft.errors import UsageError
from finegraft.vision.columns import Wanted
from finegraft.vision.listing import Found, Listing
from finegraft.vision.tables import list_table


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in "abcdefgh":
        (tmp_path / f"{name}.jpg").write_bytes(b"x")
    return tmp_path


def listed(
    folder: Path, *lines: str, archive: Path | None = None, reading: Reading | None = None, **wanted: Any
) -> Listing:
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    return list_table(folder / "table.csv", Wanted(**wanted), archive, reading)


def test_rows_become_found_files_sorted_by_key(folder: Path) -> None:
    listing = listed(folder, "file,label", "b.jpg,rose", "./a.jpg,tulip", f"{folder}/c.jpg,rose")
    assert (listing.source, listing.root, listing.by_folder) == (folder / "table.csv", folder, False)
    assert listing.found == (
        Found("a.jpg", "tulip", row=3),
        Found("b.jpg", "rose", row=2),
        Found("c.jpg", "rose", row=4),
    )
    assert listing.found[1].label is listing.found[2].label
    assert listing.findings == ()


def test_groups_and_splits_from_columns(folder: Path) -> None:
    rows = ["a.jpg,x,p1,train", "b.jpg,y,p1,Test", "c.jpg,x,,val"]
    listing = listed(folder, "file,label,patient,part", *rows, group="patient", split_column="part", target="label")
    assert [(f.group, f.split) for f in listing.found] == [("p1", "train"), ("p1", "test"), (None, "validation")]
    by_path = listed(folder, "file,label,patient,part", *rows, group="^([ab])", target="label")
    assert [f.group for f in by_path.found] == ["a", "b", None]
    with pytest.raises(
        UsageError, match=r"No column is called so \(file, label, patient, part\), and the pattern 'pateint'"
    ):
        listed(folder, "file,label,patient,part", *rows, group="pateint", target="label")


@pytest.mark.parametrize(
    ("row", "key", "reason"),
    [
        (",rose", "table.csv, row 3", "Row 3 names no file: its cell in the column 'file' is empty."),
        ("b.jpg,", "b.jpg", "Row 3 has no label: its cell is empty (column 'label')."),
        ("b.jpg", "b.jpg", "Row 3 has no label: its cell is empty (column 'label')."),
        (
            "b.jpg,rose,train",
            "b.jpg",
            "Row 3 has cells beyond the last column. Put quotation marks around one that holds a separator.",
        ),
    ],
)
def test_a_row_that_cannot_be_used_says_why(folder: Path, row: str, key: str, reason: str) -> None:
    good = [f"{name}.jpg,rose" for name in "acdefgh"]
    listing = listed(folder, "file,label", good[0], row, *good[1:])
    (bad,) = [found for found in listing.found if found.code]
    assert (bad.key, bad.row, bad.code, bad.reason) == (key, 3, "misplaced", reason)
    assert len(listing.found) == 8


def test_a_row_in_no_part_is_not_learned_from(folder: Path) -> None:
    listing = listed(folder, "file,label,part", "a.jpg,x,train", "b.jpg,x,", split_column="part")
    assert listing.found[1].reason == "Row 3 is in no part: its cell in the column 'part' is empty."


def test_a_file_named_twice_is_one_record_and_a_finding(folder: Path) -> None:
    listing = listed(folder, "file,label", "a.jpg,x", "b.jpg,y", "./a.jpg,x", "a.jpg,y", "b.jpg,")
    assert [(found.key, found.label) for found in listing.found] == [("a.jpg", "x"), ("b.jpg", "y")]
    assert [(f.key, f.kind, f.note) for f in listing.findings] == [
        ("a.jpg", "exact-copy", "Row 4 names this file again, after row 2. One of the rows is enough."),
        ("a.jpg", "two-labels", "Row 5 names this file again, after row 2, and labels it 'y', not 'x'. Row 2 counts."),
        ("b.jpg", "exact-copy", "Row 6 names this file again, after row 3. One of the rows is enough."),
    ]


def test_tags_from_one_column_and_from_several(folder: Path) -> None:
    one = listed(folder, "file,tags", "a.jpg,red|round", "b.jpg,", "c.jpg,round | red", "a.jpg,red")
    assert [found.label for found in one.found] == [("red", "round"), (), ("red", "round")]
    assert one.reading == Reading("tags", "|")
    assert one.findings[0].note.endswith("labels it ['red'], not ['red', 'round']. Row 2 counts.")
    several = listed(folder, "file,red,round", "a.jpg,1,1", "b.jpg,0,0", "c.jpg,1,", target="red,round")
    assert [found.label for found in several.found] == [("red", "round"), (), ("red",)]
    assert several.reading is None


def test_numbers_and_a_cell_that_is_none(folder: Path) -> None:
    listing = listed(folder, "file;age", "a.jpg;0,5", "b.jpg;12", "c.jpg;NA", "a.jpg;3")
    assert [found.label for found in listing.found] == [0.5, 12.0, None]
    assert listing.found[2].reason == "Row 4 has 'NA' where the others have numbers (column 'age')."
    assert listing.findings[0].note.endswith("and labels it 3.0, not 0.5. Row 2 counts.")


def test_a_second_table_is_read_as_the_first(folder: Path) -> None:
    listing = listed(folder, "file,age", "a.jpg,3", "b.jpg,4", reading=Reading("numbers"))
    assert [found.label for found in listing.found] == [3.0, 4.0], "by themselves they would be codes"


def test_a_stranger_s_table_names_nothing_outside_of_its_folder(folder: Path) -> None:
    inside = folder / "in"
    inside.mkdir()
    (inside / "1.jpg").write_bytes(b"x")
    rows = ["1.jpg,x", "../a.jpg,y", f"{folder}/b.jpg,y", "..\\c.jpg,y", "C:\\d.jpg,y"]
    listing = listed(inside, "file,label", *rows, archive=Path("a.zip"))
    assert [found.key for found in listing.found if found.code is None] == ["1.jpg"]
    assert [found.key for found in listing.found if found.code] == [f"table.csv, row {row}" for row in (3, 4, 5, 6)]
    reasons = [found.reason for found in listing.found if found.code]
    assert reasons[0] == "Row 3 leads out of the archive (../a.jpg). Only files in the archive are opened."
    assert len(listed(inside, "file,label", *rows).found) == 5


def test_what_was_taken_for_what_is_told(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    def told(*lines: str, **wanted: Any) -> str:
        caplog.clear()
        with caplog.at_level(logging.INFO, "finegraft"):
            listed(folder, *lines, **wanted)
        return caplog.messages[0].removeprefix(f"{folder}/table.csv ")

    rows = ["a.jpg,x,True", "b.jpg,y,False"]
    assert (
        told("file,label", "a.jpg,x", "b.jpg,y") == "(UTF-8, comma): paths from 'file', labels from 'label', 2 classes."
    )
    assert told("file,label,is_valid", *rows).endswith(
        "2 classes. The column 'is_valid' is not used: --split-column is_valid takes given splits from it."
    )
    assert told("file,label,is_valid", *rows, split_column="is_valid").endswith("2 classes.")
    assert told("file,label", "a.jpg,x", archive=Path("pets.zip")).startswith(
        "pets.zip/table.csv (UTF-8, comma): paths "
    )
    assert told("file;age", "a.jpg;1,5", "b.jpg;3").endswith("'age', numbers from 1.5 to 3.")
    assert told("file,t", "a.jpg,x|y", "b.jpg,z").endswith("'t', 3 tags, several to a row.")


def test_a_row_costs_little_memory(tmp_path: Path) -> None:
    n = 20_000
    (tmp_path / "a.jpg").touch()
    lines = "".join(
        f"photos/class{i % 37:02d}/photo{i:08d}.jpg,class number {i % 37},patient {i % 1000}\n" for i in range(n)
    )
    (tmp_path / "t.csv").write_text("file,label,patient\na.jpg,class number 0,patient 0\n" + lines)
    list_table(tmp_path / "t.csv", Wanted(group="patient"))
    tracemalloc.start()
    listing = list_table(tmp_path / "t.csv", Wanted(group="patient"))
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(listing.found) == n + 1
    assert kept / n < 300
    assert peak / n < 600

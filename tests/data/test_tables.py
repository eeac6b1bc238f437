"""What every kind of table promises, and how one is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from finegraft.data.tables import Row, Table, distinct, no_column, open_table
from finegraft.errors import DataError, UsageError
from tests.making import photo

ROWS = [("a.jpg", "rose", "1"), ("b.jpg", "", "2"), ("größe.jpg", "tulip", "3")]
COLUMNS = ("file", "label", "count")


def as_csv(path: Path) -> Path:
    path.write_text("\n".join(",".join(row) for row in [COLUMNS, *ROWS]) + "\n", encoding="utf-8")
    return path


def as_tsv(path: Path) -> Path:
    path.write_text("\r\n".join("\t".join(row) for row in [COLUMNS, *ROWS]), encoding="utf-16")
    return path


def as_parquet(path: Path) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    names, labels, counts = zip(*ROWS, strict=True)
    columns = {"file": names, "label": [label or None for label in labels], "count": list(map(int, counts))}
    parquet.write_table(pyarrow.table(columns), path)
    return path


@pytest.fixture(params=[as_csv, as_tsv, as_parquet])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Table:
    return open_table(request.param(tmp_path / "table"))


def test_columns_and_rows(table: Table) -> None:
    assert table.columns == COLUMNS
    assert [row.cells for row in table.rows()] == ROWS
    assert [row.cells for row in table.rows(["label", "file"])] == [(label, file) for file, label, _ in ROWS]
    assert [row.surplus for row in table.rows()] == [0, 0, 0]
    assert list(table.rows([])) == [Row(row.number, ()) for row in table.rows()]
    assert table.description


def test_rows_are_numbered_as_a_spreadsheet_does(table: Table) -> None:
    first = 1 if table.description == "Parquet" else 2  # there the names of columns are no row
    assert [row.number for row in table.rows()] == [first, first + 1, first + 2]


def test_rows_can_be_read_again_and_left(table: Table) -> None:
    assert next(table.rows()).cells == ROWS[0]
    assert list(table.rows()) == list(table.rows())


def test_an_unknown_column_is_named_with_the_nearest(table: Table) -> None:
    with pytest.raises(UsageError, match=r"no column 'Lable'\. Did you mean 'label'\? It has: file, label, count\."):
        list(table.rows(["file", "Lable"]))


def test_a_table_may_be_named_as_anything(tmp_path: Path) -> None:
    assert open_table(as_parquet(tmp_path / "photos.csv")).description == "Parquet"
    assert open_table(as_csv(tmp_path / "photos.parquet")).description == "UTF-8, comma"


def test_names_for_a_table_without_a_header(tmp_path: Path) -> None:
    table = open_table(as_csv(tmp_path / "a.csv"), ["x", "y", "z"])
    assert (table.columns, table.first_row) == (("x", "y", "z"), None)
    assert [row.cells for row in table.rows()] == [COLUMNS, *ROWS]
    assert next(table.rows()).number == 1
    with pytest.raises(UsageError, match=r"is a Parquet file, whose columns have names: file, label, count\."):
        open_table(as_parquet(tmp_path / "b"), ["x", "y", "z"])


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"", "t is empty. A table is a CSV, TSV or Parquet file"), (photo(1), "t is no table. A table is")],
)
def test_what_is_no_table(tmp_path: Path, content: bytes, text: str) -> None:
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(DataError, match=text):
        open_table(tmp_path / "t")


def test_names_of_columns() -> None:
    assert distinct([" file ", "", "label", "label", "label (2)", "two\nlines"]) == (
        "file",
        "column 2",
        "label",
        "label (2)",
        "label (2) (2)",
        "two lines",
    )
    assert str(no_column("zzz", ["a"] * 30)).endswith("It has: " + "a, " * 20 + "….")

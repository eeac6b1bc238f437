from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from finegraft.data import parquet
from finegraft.data.parquet import Parquet
from finegraft.data.tables import open_table
from finegraft.errors import DataError, MissingExtra

pyarrow = pytest.importorskip("pyarrow")
writer = pytest.importorskip("pyarrow.parquet")


def table(path: Path, columns: dict[str, Any], **options: Any) -> Parquet:
    writer.write_table(pyarrow.table(columns), path, **options)
    return Parquet.open(path)


def test_cells_of_every_type_are_texts(tmp_path: Path) -> None:
    columns = {
        "text": ["a", " b ", None],
        "whole": [1, -2, None],
        "real": [0.5, float("nan"), 3.0],
        "yes": [True, None, False],
        "bytes": [b"a", b"\xff", None],
        "list": [["x", "y"], [], None],
        "numbers": [[1, 2], None, [3]],
        "word": pyarrow.array(["p", "q", "p"]).dictionary_encode(),
    }
    found = table(tmp_path / "t", columns)
    assert [row.cells for row in found.rows()] == [
        ("a", "1", "0.5", "True", "a", ("x", "y"), ("1", "2"), "p"),
        ("b", "-2", "", "", "\\xff", (), "", "q"),
        ("", "", "3.0", "False", "", "", ("3",), "p"),
    ]
    assert found.plain_columns == ("text", "whole", "real", "yes", "word")


def test_many_batches_and_row_groups_are_one_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "_BATCH", 7)
    found = table(tmp_path / "t", {"a": list(range(100))}, row_group_size=13)
    assert [(row.number, row.cells) for row in found.rows()] == [(i + 1, (str(i),)) for i in range(100)]


def test_names_with_dots_and_the_same_name_twice(tmp_path: Path) -> None:
    writer.write_table(
        pyarrow.Table.from_arrays([pyarrow.array(["x"]), pyarrow.array(["y"])], ["a.b", "a"]), tmp_path / "t"
    )
    assert [row.cells for row in Parquet.open(tmp_path / "t").rows(["a.b"])] == [("x",)]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    table(tmp_path / "t", {"a": ["x" * 1000] * 1000})
    whole = (tmp_path / "t").read_bytes()
    for broken in (whole[:100], whole[:-10], b"PAR1" + bytes(100), whole[:20] + bytes(40) + whole[60:]):
        (tmp_path / "t").write_bytes(broken)
        with pytest.raises(DataError, match=r"t cannot be read as Parquet \(.*\)\. Write it again\."):
            list(open_table(tmp_path / "t").rows())


def test_any_byte_may_be_wrong(tmp_path: Path) -> None:
    """The rows, other rows, or one kind of error."""
    table(tmp_path / "t", {"a": ["x", "y"], "b": [1, 2]})
    whole = (tmp_path / "t").read_bytes()
    for at in range(4, len(whole), 3):
        (tmp_path / "t").write_bytes(whole[:at] + bytes([whole[at] ^ 0x5A]) + whole[at + 1 :])
        try:
            rows = list(open_table(tmp_path / "t").rows())
        except DataError:
            continue
        assert len(rows) <= 2


def test_photos_inside_of_a_table_are_not_read(tmp_path: Path) -> None:
    found = table(tmp_path / "t", {"image": [b"\xff" * 200_000, b""], "label": ["a", "b"]})
    assert [row.cells for row in found.rows(["label"])] == [("a",), ("b",)]
    with pytest.raises(
        DataError, match=r"'image' of .*t has a cell of 200,000 bytes; at most 131,072 are read\. Name a"
    ):
        list(found.rows())


def test_one_long_cell_that_many_rows_refer_to_is_no_bomb(tmp_path: Path) -> None:
    words = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * 300), pyarrow.array(["x" * 200_000]))
    found = table(tmp_path / "t", {"a": words, "b": [["y" * 200_000]] * 300})
    assert (tmp_path / "t").stat().st_size < 2_000_000
    for name in ("a", "b"):
        with pytest.raises(DataError, match="has a cell of 200,000 bytes"):
            list(found.rows([name]))


def test_a_group_of_rows_that_would_not_fit_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = table(tmp_path / "t", {"a": [f"{i}" * 10 for i in range(10_000)], "b": [1] * 10_000})
    monkeypatch.setattr(parquet, "_MAX_GROUP", 50_000)
    with pytest.raises(DataError, match=r"t unpacks 0\.0 GB at a time; .* Write it with smaller row groups\."):
        list(found.rows(["a"]))


def test_limits_of_rows_and_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "MAX_ROWS", 2)
    monkeypatch.setattr(parquet, "MAX_COLUMNS", 2)
    with pytest.raises(DataError, match=r"t has 3 rows; at most 2 are read\. Divide it\."):
        table(tmp_path / "t", {"a": [1, 2, 3]})
    with pytest.raises(DataError, match="t has 3 columns; between 1 and 2 are read"):
        table(tmp_path / "t", {"a": [1], "b": [1], "c": [1]})


def test_without_pyarrow_the_install_line_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table(tmp_path / "t", {"a": [1]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"Reading Parquet needs the 'tabular' extra.*finegraft\[tabular\]"):
        open_table(tmp_path / "t")

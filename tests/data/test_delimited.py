from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finegraft.data import delimited
from finegraft.data.delimited import Delimited, separator_of
from finegraft.errors import DataError, UsageError


def table(tmp_path: Path, text: str, encoding: str = "utf-8") -> Delimited:
    (tmp_path / "t.csv").write_bytes(text.encode(encoding))
    return Delimited.open(tmp_path / "t.csv")


def cells(found: Delimited) -> list[tuple[object, ...]]:
    return [row.cells for row in found.rows()]


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ("file,label\na,b\n", "UTF-8, comma"),
        ("file;label\na;b\n", "UTF-8, semicolon"),
        ("file\tlabel\na\tb\n", "UTF-8, tab"),
        ("file|label\na|b\n", "UTF-8, bar"),
        ("a.jpg rose\nb.jpg tulip\n", "UTF-8, space"),
        ("file\na\nb\n", "UTF-8, one column"),
        ("file,label\na,b,\nc,d,\n", "UTF-8, comma"),
        ("file;value\na;3,14\nb;2,5\n", "UTF-8, semicolon"),
        ("a.jpg;3,14\nb.jpg;2,5\n", "UTF-8, semicolon"),
        ("file,tags\na,x|y\nb,y|z\n", "UTF-8, comma"),
        ("file,tags\na,x;y\nb,y;z\n", "UTF-8, comma"),
        ('file,title\na,"Hello; world"\nb,"One, two"\n', "UTF-8, comma"),
        ("label\ttext\nspam\tWin, win, win\nham\tWell\n", "UTF-8, tab"),
    ],
)
def test_separators_are_found(tmp_path: Path, text: str, description: str) -> None:
    assert table(tmp_path, text).description == description


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16"), ("cp1252", "Windows-1252"), ("utf-16-le", "UTF-16-LE")],
)
def test_encodings(tmp_path: Path, encoding: str, said: str) -> None:
    found = table(tmp_path, "file,breed\nmöwe.jpg,Möwe\n", encoding)
    assert found.description == f"{said}, comma"
    assert (found.columns, cells(found)) == (("file", "breed"), [("möwe.jpg", "Möwe")])


def test_quotes_and_lines_within_cells(tmp_path: Path) -> None:
    found = table(tmp_path, 'file,text\r\n"a, b.jpg","say ""hi""\r\nto all"\r\nc.jpg, "x" \r\n')
    assert cells(found) == [("a, b.jpg", 'say "hi"\r\nto all'), ("c.jpg", "x")]
    assert [row.number for row in found.rows()] == [2, 3], "a spreadsheet counts rows, not lines"


def test_quotation_marks_of_a_tab_separated_text_are_signs(tmp_path: Path) -> None:
    found = table(tmp_path, 'file\ttext\na.jpg\t"Hello there\nb.jpg\t5" disk\nc.jpg\tx\n')
    assert cells(found) == [("a.jpg", '"Hello there'), ("b.jpg", '5" disk'), ("c.jpg", "x")]
    quoted = table(tmp_path, 'file\ttext\na.jpg\t"Hello\tthere"\nb.jpg\t"x"\n')
    assert cells(quoted) == [("a.jpg", "Hello\tthere"), ("b.jpg", "x")]


def test_ragged_rows_keep_their_number_and_say_what_is_too_much(tmp_path: Path) -> None:
    found = table(tmp_path, "file,label\na\n\nb,x,,\nc,x,y,z\n,,\nd,x\n" + "e,x\n" * 9)
    assert [tuple(row) for row in found.rows()][:4] == [
        (2, ("a", ""), 0),
        (4, ("b", "x"), 0),
        (5, ("c", "x"), 2),
        (7, ("d", "x"), 0),
    ]


def test_lists_with_spaces(tmp_path: Path) -> None:
    found = table(tmp_path, '  a.jpg   rose \n"my photo.jpg" tulip\n\nb.jpg\trose\n').named()
    assert (found.columns, found.description) == (("column 1", "column 2"), "UTF-8, space")
    assert cells(found)[:2] == [("a.jpg", "rose"), ("my photo.jpg", "tulip")]
    lines = table(tmp_path, "my photo 1.jpg\nmy photo 2.jpg\n").whole_lines()
    assert lines is not None
    assert cells(lines) == [("my photo 1.jpg",), ("my photo 2.jpg",)]
    assert lines.whole_lines() is None


def test_without_a_header(tmp_path: Path) -> None:
    found = table(tmp_path, "a.jpg,rose\nb.jpg,tulip\n")
    assert cells(found.named()) == [("a.jpg", "rose"), ("b.jpg", "tulip")]
    assert found.named().columns == ("column 1", "column 2")
    with pytest.raises(UsageError, match=r"1 columns are named \(file\), but the first row of .*t\.csv has 2 cells\."):
        found.named(["file"])
    with pytest.raises(UsageError, match="The columns x, x are not all different"):
        found.named(["x", "x"])


def test_null_bytes_and_the_end_of_a_dos_file(tmp_path: Path) -> None:
    found = table(tmp_path, "file,label\na.jpg,ro\0se\nb.jpg,tulip\n\x1a")
    assert cells(found) == [("a.jpg", "ro\0se"), ("b.jpg", "tulip")]


@pytest.mark.parametrize("text", ["\n\n", " \n", ",,\n,,\n", '""\n'])
def test_nothing_but_empty_rows(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=r"t\.csv holds no rows\. A table has a row for each record\."):
        table(tmp_path, text)


def test_a_quote_that_is_never_closed_is_named(tmp_path: Path) -> None:
    found = table(tmp_path, "file,label\na.jpg,rose\n" + 'b.jpg,"tulip\n' + "c.jpg,rose\n" * 20_000)
    with pytest.raises(
        DataError, match=r"Row 3 of .*t\.csv cannot be read \(field larger .* Is a quotation mark never"
    ):
        cells(found)


def test_a_bomb_of_one_line_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "_LONGEST", 1000)
    with pytest.raises(DataError, match=r"Line 1 of .*t\.csv has more than 1,000 characters\."):
        table(tmp_path, "x" * 5000)
    with pytest.raises(DataError, match="Line 2 of"):
        cells(table(tmp_path, "file,label\n" + "," * 5000))


def test_limits_of_rows_and_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "MAX_COLUMNS", 3)
    monkeypatch.setattr(delimited, "MAX_ROWS", 3)
    with pytest.raises(DataError, match=r"has 4 columns; at most 3 are read\. Leave out"):
        table(tmp_path, "a,b,c,d\n")
    found = table(tmp_path, "a,b,c\n1,2,3\n1,2,3\n1,2,3\n")
    with pytest.raises(DataError, match=r"t\.csv has more than 3 rows\. Divide it\."):
        cells(found)
    with pytest.raises(DataError, match="more than 3 rows"):
        cells(table(tmp_path, "a,b,c\n" + "\n" * 9 + "1,2,3\n"))


def test_a_text_that_stops_being_one(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("\ufefffile,label\n".encode() + b"a.jpg,\xff\n")
    with pytest.raises(DataError, match=r"t\.csv begins like a text in UTF-8 and is none \(invalid start byte\)"):
        Delimited.open(tmp_path / "t.csv")


def test_a_file_that_goes_away(tmp_path: Path) -> None:
    found = table(tmp_path, "a,b\n1,2\n")
    (tmp_path / "t.csv").unlink()
    with pytest.raises(DataError, match=r"Cannot read .*t\.csv: No such file"):
        cells(found)


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    import tracemalloc

    (tmp_path / "t.csv").write_text("file,label\n" + "".join(f"photos/{i:06d}.jpg,rose\n" for i in range(50_000)))
    tracemalloc.start()
    count = sum(1 for _ in Delimited.open(tmp_path / "t.csv").rows())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 50_000
    assert peak < 4 * 2**20


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\x1a\ufeff"), max_size=12).map(str.strip)


@given(rows=st.lists(st.tuples(CELL.filter(bool), CELL, CELL.filter(bool)), min_size=1, max_size=8))
def test_what_python_writes_is_read_back(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]) -> None:
    stream = io.StringIO()
    csv.writer(stream).writerows([("file", "label", "note"), *rows])
    path = tmp_path_factory.mktemp("written") / "t.csv"
    path.write_bytes(stream.getvalue().encode())
    assert cells(Delimited.open(path)) == [*rows]


def test_no_lines_have_no_separator() -> None:
    assert separator_of([]) == ("", False)

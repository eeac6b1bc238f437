from __future__ import annotations

import codecs
import io
from pathlib import Path

import pytest

from finegraft.errors import DataError, FinegraftError, UsageError
from finegraft.fetching.lists import Listed, parse, read_list

A, B, C = "http://example.org/a.jpg", "https://example.org/b.jpg", "http://example.org/c.jpg"


def pairs(text: str | bytes, name: str = "list.csv", **options: str) -> list[tuple[str | None, str]]:
    listed = parse(text if isinstance(text, bytes) else text.encode(), name, **options)
    assert [row.problem for row in listed.rows] == [None] * len(listed.rows)
    return [(row.label, row.url) for row in listed.rows]


def problems(text: str) -> list[tuple[int, str, str | None]]:
    return [(row.number, row.url, row.problem) for row in parse(text.encode(), "list.csv").rows]


@pytest.mark.parametrize(
    "text",
    [
        f"label,url\nrose,{A}\ntulip,{B}\n",
        f"url,label\n{A},rose\n{B},tulip\n",
        f"Class;Image URL\r\nrose;{A}\r\ntulip;{B}\r\n",
        f"id\tcategory\timage_url\n1\trose\t{A}\n2\ttulip\t{B}\n",
        f"url\tcaption\n{A}\trose\n{B}\ttulip\n",
        f"name,picture,notes,label\nx,{A},,rose\ny,{B},,tulip\n",
        f"# flowers, mostly\n#label,url\nrose,{A}\n#pages\ntulip,{B}\n",
        f"# flowers\nrose,{A}\n\n  \ntulip,{B}",
        f"rose,{A}\ntulip,{B}\n",
        f"{A},rose\n{B},tulip\n",
        f"{A};rose\n{B};tulip\n",
        f"rose|{A}\ntulip|{B}\n",
        f"rose {A}\ntulip {B}\n",
        f"rose\t{A}\rtulip\t{B}\r",
        f"{A} rose\n{B}   tulip\n",
        f"label url\nrose {A}\ntulip {B}\n",
        f'"rose","{A}"\n"tulip","{B}"\n',
        f'"rose" "{A}\ntulip {B}\n'.replace('"', ""),
        f"rose, {A}\ntulip , {B}\n",
    ],
)
def test_the_forms_people_have(text: str) -> None:
    assert pairs(text) == [("rose", A), ("tulip", B)]


def test_an_iNaturalist_export_has_a_page_and_a_photo() -> None:  # noqa: N802 - its name
    text = "id,url,image_url,scientific_name,place\n1,https://inat.org/1,https://s3.org/1.jpg,Rosa canina,Lyon\n" * 1
    with pytest.raises(
        DataError, match=r"which column of list\.csv is the label: id, url, scientific_name, place\. Say"
    ):
        pairs(text)
    assert pairs(text, target="scientific_name") == [("Rosa canina", "https://s3.org/1.jpg")]
    assert pairs(text, target="5", url="URL") == [("Lyon", "https://inat.org/1")]
    assert pairs(text, label="rose") == [("rose", "https://s3.org/1.jpg")]


def test_labels_keep_their_blanks_and_addresses_their_commas() -> None:
    tricky = "http://example.org/w_400,h_300/a;b.jpg"
    assert pairs(f"brown bear {tricky}\nblack bear {A}\n") == [("brown bear", tricky), ("black bear", A)]
    assert pairs(f"label,url\nbrown bear,{tricky}\n") == [("brown bear", tricky)]
    assert pairs(f"bear, brown {A}\n") == [("bear, brown", A)]
    assert pairs(f'"bear, ""brown""",{A}\nbear,{B}\n') == [('bear, "brown"', A), ("bear", B)]
    assert pairs(f"rose http://example.org/my photo.jpg\nrose {A}\n")[0] == ("rose", "http://example.org/my photo.jpg")


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("urls_teddy.txt", "teddy"),
        ("grizzly-urls.txt", "grizzly"),
        ("image_links polar bear.csv", "polar bear"),
        ("rose.txt", "rose"),
        ("urls.txt", "urls"),
        ("curls.txt", "curls"),
    ],
)
def test_addresses_alone_have_the_label_of_their_file(name: str, label: str) -> None:
    text = f"{A}\n{B}\nhttp://example.org/w_1,h_2/c.jpg\nhttp://example.org/my photo.jpg\n"
    listed = parse(text.encode(), name)
    assert {row.label for row in listed.rows} == {label}
    assert [row.url for row in listed.rows] == text.splitlines()
    assert listed.notes == (
        f"{name} holds addresses only: all get the label {label!r}, from its name (or by --label).",
    )
    given = parse(text.encode(), name, label="bear")
    assert {row.label for row in given.rows} == {"bear"}
    assert given.notes == ()


@pytest.mark.parametrize("text", [f"url\n{A}\n{B}\n", f"{A}\n{B}\n", f'"{A}"\n"{B}"\n', f"image_url,\n{A},\n{B},\n"])
def test_one_column_with_and_without_its_name(text: str) -> None:
    assert pairs(text, "rose.txt") == [("rose", A), ("rose", B)]


@pytest.mark.parametrize(
    "content",
    [
        codecs.BOM_UTF8 + f"label,url\nGröße,{A}\n".encode(),
        codecs.BOM_UTF16_LE + f"label,url\nGröße,{A}\n".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + f"label,url\nGröße,{A}\n".encode("utf-16-be"),
        f"label,url\nGro\u0308\u00dfe,{A}\n".encode(),
    ],
)
def test_encodings_and_spellings(content: bytes) -> None:
    assert pairs(content) == [("Größe", A)]


def test_what_is_not_utf_8_is_read_and_said() -> None:
    listed = parse(f"label,url\nGröße,{A}\n".encode("cp1252"), "list.csv")
    assert listed.rows[0].label == "Größe"
    assert listed.notes[0].startswith("list.csv is not UTF-8; it is read as Windows-1252.")


def test_every_row_is_there_with_its_line_and_its_problem() -> None:
    assert problems(f"label,url,id\nrose,{A},1\n,{B},2\nrose,,3\nrose\n\nrose,{C},4,5\nrose,www.x.org/a,6,,,\n") == [
        (2, A, None),
        (3, B, "The row has no label."),
        (4, "", "The row has no address."),
        (5, "", "The row has no address."),
        (7, C, "The row has 4 cells, others 3. Put a cell with ',' in quotes."),
        (8, "www.x.org/a", None),
    ]
    assert problems(f"rose {A}\nnothing\n{B}\nftp://example.org/a rose\n") == [
        (1, A, None),
        (2, "nothing", "The row has no label."),
        (3, B, "The row has no label."),
        (4, "ftp://example.org/a", None),
    ]


def test_a_quoted_cell_may_go_over_lines() -> None:
    text = f'label,notes,url\nrose,"seen in\nthe ""old"" garden, wet",{A}\ntulip,,{B}\n'
    assert [(row.number, row.label, row.url) for row in parse(text.encode(), "x").rows] == [
        (2, "rose", A),
        (4, "tulip", B),
    ]


@pytest.mark.parametrize("closing", ["", '"', "\n" * 60 + '"'])
def test_a_quote_that_is_never_closed_costs_one_row(closing: str) -> None:
    text = f'label,url\nrose,{A}\n"tulip,{B}\nrose,{C}\n5" pot,{C}?5\n{closing}'
    rows = parse(text.encode(), "list.csv").rows
    assert [(row.number, row.url) for row in rows if row.problem is None] == [(2, A), (4, C), (5, f"{C}?5")]
    assert next(row.problem for row in rows if row.problem) == "A quote is opened and never closed."
    assert rows[1].number == 3


def test_a_cell_without_an_end() -> None:
    rows = parse(f"label,url\nrose,{A}\n{'x' * 200_000},{B}\ntulip,{C}\n".encode(), "list.csv").rows
    assert [(row.url, row.problem) for row in rows] == [
        (A, None),
        (B, "A cell has more than 131,072 characters."),
        (C, None),
    ]


@pytest.mark.parametrize(
    ("content", "options", "error", "says"),
    [
        (b"", {}, DataError, r"The list x is empty\. Each row needs an address that begins with http"),
        (b" \n\r\n\t", {}, DataError, r"The list x is empty\."),
        (b"\xef\xbb\xbf", {}, DataError, r"The list x is empty\."),
        (b"PK\x03\x04\0\0", {}, DataError, r"The list x is no text\. Save it as CSV"),
        (b"name,age\nann,5\n", {}, DataError, r"The list x holds no address; it begins with 'name,age'\. Each row"),
        (b"label,url\n", {}, DataError, r"The list x holds no address; it begins with 'label,url'"),
        (b"label,url\nrose,www.example.org\n", {}, DataError, "holds no address"),
        (
            b"a,b\nhttp://x/1,http://x/2\n",
            {},
            DataError,
            r"Several columns of x hold addresses: a, b\. Choose with --url",
        ),
        (
            b"label,url\nrose,http://x/1\n",
            {"target": "lable"},
            DataError,
            r"no column 'lable', as --target asks\. It has",
        ),
        (
            b"label,url\nrose,http://x/1\n",
            {"url": "3"},
            DataError,
            r"no column '3', as --url asks\. It has: label, url\.",
        ),
        (b"1,rose,http://x/1\n", {}, DataError, r"which column of x is the label: 1, 2\. Say it with --target"),
        (b"rose http://x/1\n", {"target": "a"}, UsageError, "x has no columns for --target or --url to name"),
        (
            b"label,url\nrose,http://x/1\n",
            {"target": "label", "label": "a"},
            UsageError,
            "--label and --target exclude",
        ),
    ],
)
def test_what_cannot_be_understood(
    content: bytes, options: dict[str, str], error: type[FinegraftError], says: str
) -> None:
    with pytest.raises(error, match=says):
        parse(content, "x", **options)


def test_files_and_stdin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "roses.txt").write_text(f"{A}\n")
    assert read_list(tmp_path / "roses.txt") == Listed(
        "roses.txt", parse(A.encode(), "roses.txt").rows, parse(A.encode(), "roses.txt").notes
    )
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"rose {A}\n".encode())))
    assert read_list("-").rows[0].label == "rose"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{A}\n".encode())))
    with pytest.raises(UsageError, match=r"The list on stdin holds addresses only\. Say their label with --label\."):
        read_list("-")
    with pytest.raises(DataError, match=r"Cannot read the list .*nowhere\. There is no such file"):
        read_list(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"http://x/a\.csv is an address; a list is a file\. Save it first: curl -O"):
        read_list("http://x/a.csv")

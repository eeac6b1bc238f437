from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from finegraft.fetching.known import Known, what_is_known
from finegraft.fetching.lists import Listed, Row
from finegraft.fetching.manifest import Line, Manifest
from finegraft.fetching.settings import Settings

URL = "http://example.org/1"
SAVED = Line(9, "old.csv", "rose", URL, "saved", path="rose/1.jpg", digest="ab")


def known(folder: Path, *lines: Line, rows: list[tuple[str, str]] | None = None, again: bool = False) -> Known:
    """What is known of `rows` (label, address) after earlier runs left `lines`."""
    manifest = Manifest(folder)
    for line in lines:
        manifest.append(line)
    manifest.close()
    manifest = Manifest(folder)
    manifest.close()
    numbered = [Row(number, *row) for number, row in enumerate(rows or [("rose", URL)], start=1)]
    return what_is_known(Listed("new.csv", tuple(numbered)), manifest, Settings(max_bytes=100), again)


def put(folder: Path, path: str) -> None:
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).touch()


def test_a_saved_row_is_settled_while_its_file_is_there(tmp_path: Path) -> None:
    assert known(tmp_path, SAVED).lines == {}
    put(tmp_path, "rose/1.jpg")
    settled = known(tmp_path, SAVED, again=True)
    assert settled.lines == {0: replace(SAVED, row=1, list="new.csv")}
    assert settled.to_ask == []
    assert settled.photos == {"ab": SAVED}


def test_a_copy_is_settled_while_the_first_is_there(tmp_path: Path) -> None:
    copy = replace(SAVED, outcome="skipped", kind="same-bytes", path=None, same_as="rose/2.jpg")
    assert len(known(tmp_path, copy).to_ask) == 1
    put(tmp_path, "rose/2.jpg")
    assert known(tmp_path, copy).to_ask == []


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd\0", "x" * 5000, ".", None])
def test_an_edited_path_is_no_file_of_ours(tmp_path: Path, path: str | None) -> None:
    assert len(known(tmp_path, replace(SAVED, path=path)).to_ask) == 1


@pytest.mark.parametrize(
    ("kind", "retry", "size", "asked"),
    [
        ("status", False, None, False),
        ("status", True, None, True),
        ("not-a-photo", False, None, False),
        ("timeout", False, None, False),
        ("too-large", False, 101, False),
        ("too-large", False, 100, True),  # the limit was raised
        ("too-large", False, None, False),  # too many pixels
        ("private", True, None, True),
        ("robots", True, None, True),
    ],
)
def test_what_failed_for_good_is_asked_for_again_on_request_only(
    tmp_path: Path, kind: str, retry: bool, size: int | None, asked: bool
) -> None:
    outcome = "skipped" if kind == "robots" else "failed"
    failed = Line(1, "old.csv", "rose", URL, outcome, kind=kind, reason="so", retry=retry, bytes=size)
    assert bool(known(tmp_path, failed).to_ask) is asked
    assert known(tmp_path, failed, again=True).to_ask


def test_rows_with_one_address(tmp_path: Path) -> None:
    rows = [("rose", URL), ("rose", "HTTP://EXAMPLE.org:80/1#x"), ("tulip", URL), ("rose", "http://example.org/2")]
    found = known(tmp_path, rows=rows)
    assert [asked.row.number for asked in found.to_ask] == [1, 4]
    assert {index: (line.kind, line.reason) for index, line in found.lines.items()} == {
        1: ("same-url", "The same address as line 1."),
        2: ("two-labels", "The same address as line 1, where it has the label 'rose'."),
    }


def test_an_address_that_is_saved_under_another_label(tmp_path: Path) -> None:
    """Even where the list has the other label first now: the photo lies where it lies."""
    put(tmp_path, "rose/1.jpg")
    found = known(tmp_path, SAVED, rows=[("tulip", URL), ("rose", URL), ("rose", URL)])
    assert found.to_ask == []
    assert [(line.kind, line.same_as) for line in found.lines.values()] == [
        ("two-labels", "rose/1.jpg"),
        (None, None),
        ("same-url", None),
    ]
    assert found.lines[0].reason == "This address is saved already under the label 'rose', as rose/1.jpg."


def test_rows_that_cannot_be_asked_for(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    manifest.close()
    rows = (Row(1, None, URL, "The row has no label."), Row(2, "rose", "ftp://example.org/1"))
    found = what_is_known(Listed("a", rows), manifest, Settings(), again=False)
    assert [(line.kind, line.url, line.outcome) for line in found.lines.values()] == [
        ("bad-row", URL, "failed"),
        ("bad-url", "ftp://example.org/1", "failed"),
    ]

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from finegraft.errors import StorageError
from finegraft.fetching.manifest import NAME, Line, Manifest

SAVED = Line(2, "a.csv", "rose", "http://example.org/1", "saved", path="rose/1.jpg", digest="ab", status=200)
FAILED = Line(3, "a.csv", "rose", "http://example.org/2", "failed", kind="status", reason="404", retry=False)
BROKEN = Line(4, "a.csv", None, "", "failed", kind="bad-row", reason="The row has no address.")


def rows(folder: Path) -> list[Line]:
    return [Line.from_json(json.loads(line)) for line in (folder / NAME).read_bytes().removesuffix(b"\n").split(b"\n")]


def written(folder: Path, *lines: Line) -> Manifest:
    manifest = Manifest(folder)
    for line in lines:
        manifest.append(line)
    manifest.close()
    return manifest


def test_lines_are_read_back_the_last_one_of_a_row(tmp_path: Path) -> None:
    later = replace(FAILED, outcome="saved", kind=None, reason=None, path="rose/2.jpg")
    written(tmp_path, SAVED, FAILED, BROKEN, later)
    again = Manifest(tmp_path)
    again.close()
    assert list(again.before.values()) == [SAVED, later, BROKEN]
    assert rows(tmp_path) == [SAVED, later, BROKEN]  # what is outdated is gone from the file too


@pytest.mark.parametrize("kept", range(0, len(json.dumps(asdict(FAILED))), 7))
def test_a_half_written_line_is_cut_off(tmp_path: Path, kept: int) -> None:
    written(tmp_path, SAVED)
    with (tmp_path / NAME).open("a") as file:
        file.write(json.dumps(asdict(FAILED))[:kept])
    written(tmp_path, FAILED)
    assert rows(tmp_path) == [SAVED, FAILED]


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "{}",
        "null",
        '{"row": 1}',
        json.dumps({**asdict(SAVED), "row": "1"}),
        json.dumps({**asdict(SAVED), "url": 5}),
        json.dumps({**asdict(SAVED), "outcome": "failed"}),
        json.dumps({**asdict(FAILED), "kind": "mood"}),
        json.dumps({**asdict(SAVED), "colour": "red"}),
        "\udcff\x00",
        "[" * 100_000,
    ],
)
def test_a_strange_line_is_passed_over(tmp_path: Path, line: str) -> None:
    (tmp_path / NAME).write_bytes(os.fsencode(line) + b"\n" + json.dumps(asdict(SAVED)).encode() + b"\n")
    manifest = Manifest(tmp_path)
    manifest.close()
    assert list(manifest.before.values()) == [SAVED]


def test_in_the_end_there_is_a_line_for_every_row_in_order(tmp_path: Path) -> None:
    other = replace(FAILED, list="b.csv", url="http://example.org/b")
    gone = replace(SAVED, url="http://example.org/gone", path="rose/gone.jpg")
    gone_failed = replace(FAILED, url="http://example.org/gone-too")
    written(tmp_path, other, gone, gone_failed, FAILED)
    manifest = Manifest(tmp_path)
    manifest.append(SAVED)
    manifest.finish([SAVED, BROKEN, FAILED])
    manifest.close()
    assert rows(tmp_path) == [SAVED, BROKEN, FAILED, other, gone]


def test_rows_that_were_never_asked_for_go_by_their_number(tmp_path: Path) -> None:
    copies = [replace(SAVED, row=row, outcome="skipped", kind="same-url", path=None, digest=None) for row in (5, 6)]
    manifest = Manifest(tmp_path)
    manifest.finish([SAVED, *copies, BROKEN, replace(BROKEN, row=7)])
    manifest.close()
    assert [line.row for line in rows(tmp_path)] == [2, 5, 6, 4, 7]


def test_any_label_can_be_written(tmp_path: Path) -> None:
    strange = replace(SAVED, label="\u2028\x00\udc80 猫\n")
    written(tmp_path, strange)
    (line,) = rows(tmp_path)
    assert line == strange


def test_a_full_disk_is_said() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    manifest = object.__new__(Manifest)
    manifest.path, manifest._file = Path("/dev/full"), os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(StorageError, match=r"Cannot write the manifest /dev/full: No space left on device\. Free some"):
        manifest.append(SAVED)
    manifest.close()


def test_a_folder_in_its_place_is_said(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(StorageError, match=r"Cannot read the manifest .*\.fetched\.jsonl: Is a directory\."):
        Manifest(tmp_path)

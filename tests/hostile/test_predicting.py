"""Every kind through the command: an answer or a named error for each, in the order asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.running import Done, finegraft
from tests.hostile.kind import Kind


@pytest.fixture(scope="module")
def asked(laid: dict[Kind, Path]) -> list[Kind]:
    """Broken and good ones by turns, as far as they last."""
    broken, good = ([kind for kind in laid if (kind.code is not None) == bad] for bad in (True, False))
    paired = [kind for pair in zip(broken, good, strict=False) for kind in pair]
    return [*paired, *(kind for kind in laid if kind not in paired)]


@pytest.fixture(scope="module")
def answered(bundle: Path, laid: dict[Kind, Path], asked: list[Kind]) -> Done:
    """By a list on stdin, where nothing is opened to see what is in it."""
    names = b"\0".join(os.fsencode(laid[kind]) for kind in asked)
    return finegraft("predict", bundle, "-", "--json", stdin=names)


def test_each_has_its_own_row_in_the_order_asked(answered: Done, laid: dict[Kind, Path], asked: list[Kind]) -> None:
    assert answered.code == 0
    assert answered.err == ""
    assert [row["path"] for row in answered.rows] == [str(laid[kind]) for kind in asked]


def test_a_broken_file_has_its_error_and_an_odd_one_its_answer(answered: Done, asked: list[Kind]) -> None:
    for kind, row in zip(asked, answered.rows, strict=True):
        if kind.code is None or kind.words == "not valid UTF-8":  # that name can be opened, though not be reported
            assert set(row) == {"path", "label", "probability", "unsure", "ranking"}, kind.name
        else:
            assert row["error"]["code"] == kind.code, kind.name
            assert kind.words in row["error"]["message"]


def test_the_answers_are_those_of_the_good_photos_alone(
    bundle: Path, answered: Done, laid: dict[Kind, Path], asked: list[Kind]
) -> None:
    good = [laid[kind] for kind in asked if kind.code is None]
    alone = {row["path"]: row for row in finegraft("predict", bundle, *good, "--json").rows}
    together = {row["path"]: row for row in answered.rows if row["path"] in alone}
    assert alone == together
    assert len(alone) == len(good)


def test_the_folder_gives_the_same(bundle: Path, root: Path, answered: Done) -> None:
    by_folder = finegraft("predict", bundle, root, "--json").rows
    assert {row["path"]: row for row in by_folder} == {row["path"]: row for row in answered.rows}


def test_files_named_one_by_one_give_the_same(
    bundle: Path, laid: dict[Kind, Path], asked: list[Kind], answered: Done
) -> None:
    """All but archives: one that is named is opened."""
    named = [kind for kind in asked if "archive" not in kind.words]
    rows = {row["path"]: row for row in answered.rows}
    one_by_one = finegraft("predict", bundle, *(laid[kind] for kind in named), "--json").rows
    assert one_by_one == [rows[str(laid[kind])] for kind in named]


def test_names_and_reasons_cannot_drive_the_terminal(bundle: Path, root: Path, laid: dict[Kind, Path]) -> None:
    shown = finegraft("predict", bundle, root)
    lines = shown.out.rstrip("\n").split("\n")
    assert len(lines) == len(laid)
    assert all(line.isprintable() for line in lines)
    assert "Traceback" not in shown.err

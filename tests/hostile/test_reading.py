"""Every kind in a folder of photos: one finding for each that is broken, none for those that are only odd."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from finegraft import vision
from finegraft.data.dataset import Dataset
from finegraft.data.findings import LEAVES_OUT
from tests.cli.running import finegraft
from tests.hostile import BROKEN
from tests.hostile.kind import Kind

# Of what Pillow finds in damaged headers; outside pytest the decoder keeps it from the user.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")


@pytest.fixture(scope="module")
def read(root: Path) -> Dataset:
    return vision.read(root)


def key_of(path: Path, root: Path) -> str:
    return os.fsencode(path.relative_to(root).as_posix()).decode("utf-8", errors="backslashreplace")


def test_every_broken_file_is_named_once_with_its_reason(read: Dataset, laid: dict[Kind, Path], root: Path) -> None:
    for kind in filter(laid.__contains__, BROKEN):
        said = [f for f in read.findings if f.key == key_of(laid[kind], root) and f.kind in LEAVES_OUT]
        assert [finding.kind for finding in said] == [kind.code], kind.name
        assert kind.words in said[0].note
        assert said[0].note.isprintable()
        assert said[0].note.endswith(".")


def test_what_is_only_odd_is_used(read: Dataset, laid: dict[Kind, Path], root: Path) -> None:
    used = {record.key for record in read.usable}
    assert used == {key_of(path, root) for kind, path in laid.items() if kind.code is None}
    assert {f.key for f in read.findings if f.kind in LEAVES_OUT}.isdisjoint(used)


def test_every_file_is_a_record(read: Dataset, laid: dict[Kind, Path], root: Path) -> None:
    assert sorted(record.key for record in read.records) == sorted(key_of(path, root) for path in laid.values())


def test_the_command_says_the_same_and_prints_no_control_characters(
    read: Dataset, laid: dict[Kind, Path], root: Path
) -> None:
    found = finegraft("check", root, "--json").object["findings"]
    left_out = sorted((f.key, f.kind, f.note) for f in read.findings if f.kind in LEAVES_OUT)
    assert sorted((f["key"], f["kind"], f["note"]) for f in found if f["kind"] in LEAVES_OUT) == left_out
    shown = finegraft("check", root)
    assert shown.code == 0
    assert all(line.isprintable() for line in shown.out.split("\n"))
    assert "Traceback" not in shown.err

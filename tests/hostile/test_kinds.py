from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from finegraft.data.findings import KINDS as FINDINGS
from finegraft.data.findings import LEAVES_OUT
from tests.conftest import ROOT
from tests.hostile import BROKEN, GOOD, KINDS


def test_there_are_many_and_each_has_a_name_of_its_own() -> None:
    assert len(BROKEN) >= 80
    assert len(GOOD) >= 100
    assert len({kind.name for kind in KINDS}) == len(KINDS)


def test_each_broken_kind_expects_a_finding_that_leaves_it_out() -> None:
    assert {kind.code for kind in BROKEN} == {"unreadable", "empty", "not-a-photo", "too-large"}
    assert {kind.code for kind in BROKEN} <= LEAVES_OUT <= set(FINDINGS)
    assert all(kind.words for kind in BROKEN)


def test_they_are_small_and_the_same_each_time() -> None:
    contents = [kind.content() for kind in KINDS if kind.make]
    assert sum(map(len, contents)) < 2 * 2**20
    assert [kind.content() for kind in KINDS if kind.make] == contents


def test_the_command_writes_them_all(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.hostile", str(tmp_path / "new" / "folder")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    written = {path.name for path in (tmp_path / "new" / "folder").iterdir()}
    missing = {kind.name for kind in KINDS} - written
    assert done.stdout.count(b"\n") == len(KINDS)
    assert done.stdout.count(b"(cannot be had here)") == len(missing)
    assert all(kind.place for kind in KINDS if kind.name in missing)


def test_without_a_folder_it_says_what_to_type() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "Type: python -m tests.hostile FOLDER\n")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.place], ids=lambda kind: repr(kind.name))
def test_what_is_no_plain_file_has_no_bytes(kind: object) -> None:
    with pytest.raises(AssertionError, match="is no plain file"):
        kind.content()  # type: ignore[attr-defined]

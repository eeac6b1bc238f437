from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.traces import is_cut, traces

# A small cache of pages makes SQLite write pages of a transaction before its end.
WRITING = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("PRAGMA cache_size = 5")
connection.execute("CREATE TABLE t (x)")
with connection:
    connection.executemany("INSERT INTO t VALUES (?)", [(b"1" * 3000,)] * 20)
if sys.argv[2] == "cut":
    connection.executemany("INSERT INTO t VALUES (?)", [(b"2" * 3000,)] * 200)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("how", ["cut", "whole"])
def test_a_transaction_that_was_not_ended_is_seen(tmp_path: Path, how: str) -> None:
    subprocess.run([sys.executable, "-c", WRITING, tmp_path / "store.sqlite", how], check=False)
    log = (tmp_path / "store.sqlite-wal").read_bytes()
    assert is_cut(log) == (how == "cut")
    assert is_cut(log[:-1])  # the last page is cut through
    assert ("cut transaction" in traces(tmp_path)) == (how == "cut")
    shutil.copytree(tmp_path, tmp_path / "copy")
    with sqlite3.connect(tmp_path / "copy" / "store.sqlite") as connection:
        assert connection.execute("SELECT COUNT(*) FROM t").fetchone() == (20,)
    connection.close()


def test_an_empty_log_and_none_are_whole() -> None:
    assert not is_cut(b"")
    assert is_cut(b"\x37\x7f\x06\x82")


def test_what_is_there_only_meanwhile_is_named(tmp_path: Path) -> None:
    (tmp_path / "run" / ".new").mkdir(parents=True)
    for name in ("run/.new/.0123456789abcdef.part", "run/unfinished.txt", "run/manifest.jsonl", "store.sqlite-wal"):
        (tmp_path / name).touch()
    assert traces(tmp_path) == [".new", ".part file", "unfinished.txt"]
    (tmp_path / "store.sqlite-journal").touch()
    assert "rollback journal" in traces(tmp_path)

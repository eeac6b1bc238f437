"""The judges' eyes: every kind of damage is seen, and what differs from run to run is not called damage."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from finegraft.features.store import Store
from tests.faults.wholeness import cache_faults, entries, litter, run_faults


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    with Store.open(tmp_path / "cache") as store:
        store.put_many("features", {b"a": b"one", b"b": b"two"})
        store.put("graphs", b"c", b"three")
    return tmp_path / "cache"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "reference"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"lr": 0.1, "created": "now", "seconds": {}, "command": "x"}))
    (folder / "log.jsonl").write_text('{"epoch": 1, "loss": 0.5, "seconds": 1}\n')
    (folder / "report.html").write_text("<html>now</html>\n")
    (folder / "model.fg").write_bytes(b"model")
    shutil.copytree(folder, tmp_path / "run")
    return tmp_path / "run"


def test_a_whole_cache_has_no_faults(cache: Path) -> None:
    reference = entries(cache)
    assert len(reference) == 3
    assert list(cache_faults(cache, reference, complete=True)) == []


def test_a_cache_may_lack_what_was_not_yet_kept(cache: Path) -> None:
    reference = entries(cache)
    with Store.open(cache) as store:
        store.clear()
    assert list(cache_faults(cache, reference)) == []
    assert list(cache_faults(cache, reference, complete=True)) == ["the cache lacks features", "the cache lacks graphs"]
    assert list(cache_faults(cache / "nowhere", reference)) == []


def test_other_values_and_strange_ones_are_faults(cache: Path) -> None:
    reference = entries(cache)
    with Store.open(cache) as store:
        store.put("features", b"a", b"on")
        store.put("checks", b"d", b"four")
    assert list(cache_faults(cache, reference)) == [
        "the cache holds checks that an undisturbed command does not make",
        "the cache holds features of another value for 61",
    ]


def test_a_damaged_cache_is_a_fault(cache: Path) -> None:
    reference = entries(cache)
    file = cache / "store.sqlite"
    content = bytearray(file.read_bytes())
    content[4096:8192] = bytes(4096)
    file.write_bytes(content)
    (fault,) = cache_faults(cache, reference)
    assert fault.startswith("the cache is damaged: ")


def test_looking_does_not_end_the_log(cache: Path) -> None:
    connection = sqlite3.connect(cache / "store.sqlite")
    connection.execute("INSERT INTO entries VALUES ('features', 'e', 'five', 0)")
    connection.commit()
    log = (cache / "store.sqlite-wal").read_bytes()
    assert len(entries(cache)) == 4
    assert (cache / "store.sqlite-wal").read_bytes() == log
    connection.close()


def test_times_are_no_difference(run: Path, tmp_path: Path) -> None:
    (run / "run.json").write_text(json.dumps({"lr": 0.1, "created": "then", "seconds": {"fit": 1}, "command": "y"}))
    (run / "log.jsonl").write_text('{"epoch": 1, "loss": 0.5, "seconds": 2}\n')
    (run / "report.html").write_text("<html>then</html>\n")
    assert list(run_faults(run, tmp_path / "reference")) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("run.json", '{"lr": 0.2}'),
        ("run.json", '{"lr": 0.1'),
        ("log.jsonl", '{"epoch": 1, "loss": 0.5, "seconds": 1}\n{"epo'),
        ("report.html", "<html>no"),
        ("model.fg", "mode"),
    ],
)
def test_a_file_that_is_not_whole_is_a_fault(run: Path, tmp_path: Path, name: str, content: str) -> None:
    (run / name).write_text(content)
    assert list(run_faults(run, tmp_path / "reference")) == [
        f"{name} in run differs from that of an undisturbed command"
    ]


def test_files_too_many_and_too_few_are_faults(run: Path, tmp_path: Path) -> None:
    (run / "model.fg").rename(run / ".new")
    (run / "unfinished.txt").touch()
    assert list(run_faults(run, tmp_path / "reference", {"unfinished.txt"})) == ["run lacks model.fg", "run holds .new"]


def test_a_run_that_is_not_there_is_a_fault(run: Path, tmp_path: Path) -> None:
    assert list(run_faults(tmp_path / "gone", run)) == ["there is no folder gone"]


def test_litter_is_what_only_a_process_at_work_may_have(tmp_path: Path) -> None:
    for name in ("store.sqlite", "store.sqlite-wal", "run/.moving/x", "run/.0123456789abcdef.part", "run/model.fg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert list(litter(tmp_path)) == [
        "run/.0123456789abcdef.part is left",
        "run/.moving is left",
        "store.sqlite-wal is left",
    ]

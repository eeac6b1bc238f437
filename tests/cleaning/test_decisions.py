"""The journal keeps what was acknowledged, whoever else writes, and whatever kills it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from finegraft.cleaning.decisions import Decision, Journal, applied, holding
from finegraft.data.record import Record
from finegraft.errors import DataError, StorageError, UsageError

ANIMALS = ("ant", "bee", "bee", "cat")
RECORDS = [Record(f"{name}.jpg", name * 8, label) for name, label in zip("abcd", ANIMALS, strict=True)]


def labels(decisions: list[Decision]) -> list[Any]:
    return [None if row.left_out else row.label for row in applied(RECORDS, decisions)]


def numbered(*rows: Decision) -> list[Decision]:
    return [Decision(**{**vars(row), "number": number}) for number, row in enumerate(rows, 1)]


def test_what_was_added_is_read_again_with_number_time_and_who(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "decisions.jsonl")
    assert journal.read() == []
    made = [
        journal.add(Decision("relabel", ("a.jpg", "b.jpg"), to="cat"), who="ada"),
        journal.add(Decision("rename", label="bee", to="wasp")),
        journal.add(Decision("undo", undoes=1)),
    ]
    assert [row.number for row in made] == [1, 2, 3]
    assert made[0].who == "ada"
    assert made[0].time.endswith("+00:00")
    assert journal.read() == Journal(tmp_path / "decisions.jsonl").read() == made
    lines = (tmp_path / "decisions.jsonl").read_text().splitlines()
    assert list(json.loads(lines[2])) == ["number", "kind", "undoes", "time"]


@pytest.mark.parametrize(
    "decision",
    [
        Decision("relabel", ("a.jpg",)),
        Decision("relabel", (), to="cat"),
        Decision("drop"),
        Decision("drop", ("a.jpg",), to="cat"),
        Decision("rename", label="bee"),
        Decision("rename", label="bee", to="bee"),
        Decision("merge", ("a.jpg",), label="bee", to="cat"),
        Decision("undo"),
        Decision("undo", undoes=0),
        Decision("undo", undoes=7),
        Decision("burn", ("a.jpg",)),  # type: ignore[arg-type]
    ],
)
def test_what_says_nothing_is_refused_and_not_kept(decision: Decision, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "decisions.jsonl")
    journal.add(Decision("keep", ("a.jpg",)))
    with pytest.raises(UsageError):
        journal.add(decision)
    assert len(journal.read()) == 1


def test_the_last_decision_about_a_record_holds() -> None:
    assert labels([]) == ["ant", "bee", "bee", "cat"]
    rows = numbered(Decision("relabel", ("a.jpg", "b.jpg"), to="cat"), Decision("drop", ("b.jpg", "d.jpg")))
    assert labels(rows) == ["cat", None, "bee", None]
    assert labels([*rows, *numbered(Decision("keep", ("d.jpg",)))]) == ["cat", None, "bee", "cat"]
    assert applied(RECORDS, rows)[1].left_out == "dropped by a person"
    assert [row.label for row in RECORDS] == ["ant", "bee", "bee", "cat"]


def test_what_is_undone_never_was_and_an_undo_can_be_undone() -> None:
    rows = numbered(Decision("relabel", ("a.jpg",), to="cat"), Decision("drop", ("a.jpg",)), Decision("undo", undoes=2))
    assert labels(rows)[0] == "cat"
    assert [row.number for row in holding(rows)] == [1]
    again = [*rows, Decision("undo", undoes=3, number=4)]
    assert labels(again)[0] is None
    assert labels([*again, Decision("undo", undoes=4, number=5)])[0] == "cat"


def test_names_change_from_there_on_in_what_was_decided_before_too() -> None:
    rows = numbered(Decision("relabel", ("a.jpg",), to="bee"), Decision("rename", label="bee", to="wasp"))
    assert labels(rows) == ["wasp", "wasp", "wasp", "cat"]
    rows = numbered(Decision("merge", label="bee", to="cat"), Decision("relabel", ("a.jpg",), to="bee"))
    assert labels(rows) == ["bee", "cat", "cat", "cat"]


def test_tags_are_renamed_and_joined() -> None:
    record = Record("a.jpg", "a", ("red", "round"))
    (row,) = applied([record], numbered(Decision("merge", label="red", to="round")))
    assert row.label == ("round",)


def test_half_a_line_is_no_decision_and_gives_way_to_the_next(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    first = Journal(path).add(Decision("keep", ("a.jpg",)))
    with path.open("ab") as file:
        file.write(b'{"number": 2, "kind": "dr')
    assert Journal(path).read() == [first]
    second = Journal(path).add(Decision("good", ("b.jpg",)))
    assert Journal(path).read() == [first, second]
    assert path.read_bytes().count(b"\n") == 2


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"number": 2}', '{"number": 3, "kind": "drop", "keys": ["b"]}', '{"kind": "drop", "x": 1}',
             '{"number": 2, "kind": "drop", "keys": "b"}', '{"number": 2, "kind": "drop", "keys": [1]}']
)  # fmt: skip
def test_a_file_that_is_no_journal_is_refused_and_left(line: str, tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    Journal(path).add(Decision("keep", ("a.jpg",)))
    with path.open("a") as file:
        file.write(line + "\n")
    before = path.read_bytes()
    for ask in (Journal(path).read, lambda: Journal(path).add(Decision("keep", ("a.jpg",)))):
        with pytest.raises(DataError, match="line 2 is no decision"):
            ask()
    assert path.read_bytes() == before


def test_two_journals_see_each_other_s_decisions(tmp_path: Path) -> None:
    one, other = Journal(tmp_path / "decisions.jsonl"), Journal(tmp_path / "decisions.jsonl")
    one.add(Decision("keep", ("a.jpg",)))
    assert other.add(Decision("keep", ("b.jpg",))).number == 2
    assert one.add(Decision("undo", undoes=2)).number == 3
    assert one.read() == other.read()


def test_many_at_once_lose_nothing_and_share_no_number(tmp_path: Path) -> None:
    journals = [Journal(tmp_path / "decisions.jsonl") for _ in range(4)]
    made: list[Decision] = []

    def work(journal: Journal, name: int) -> None:
        made.extend(journal.add(Decision("keep", (f"{name}-{n}",))) for n in range(25))

    threads = [threading.Thread(target=work, args=(journals[n % 4], n)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = journals[0].read()
    assert [row.number for row in rows] == list(range(1, 201))
    assert sorted(made, key=lambda row: row.number) == rows


WRITER = """
import sys
from pathlib import Path
from finegraft.cleaning.decisions import Decision, Journal
journal = Journal(Path(sys.argv[1]))
n = 0
while True:
    print(journal.add(Decision("drop", (f"{sys.argv[2]}-{n}",))).number, flush=True)
    n += 1
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is of POSIX")
def test_nothing_acknowledged_is_lost_when_it_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    told: list[int] = []
    for turn in range(5):
        commands = [[sys.executable, "-c", WRITER, str(path), f"{turn}{who}"] for who in "xy"]
        processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
        for process in processes:
            assert process.stdout is not None
            told += [int(process.stdout.readline()) for _ in range(3)]
        for process in processes:
            os.kill(process.pid, signal.SIGKILL)
            rest, _ = process.communicate()
            told += [int(line) for line in rest.split("\n")[:-1]]
    rows = Journal(path).read()
    assert len(set(told)) == len(told)
    assert {row.number for row in rows} >= set(told)
    assert Journal(path).add(Decision("keep", ("a",))).number == len(rows) + 1


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Cannot write"):
        Journal(tmp_path / "none" / "decisions.jsonl").add(Decision("keep", ("a.jpg",)))
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match="Cannot read"):
        Journal(tmp_path / "folder").read()


def test_a_full_disk_keeps_nothing_of_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "decisions.jsonl")
    first = journal.add(Decision("keep", ("a.jpg",)))

    def full(handle: int, content: bytes) -> int:
        if len(content) > 20:
            return real(handle, content[:20])
        raise OSError(28, "No space left on device")

    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(StorageError, match="No space left"):
            journal.add(Decision("drop", ("b.jpg",) * 3))
    assert journal.read() == [first]
    assert journal.add(Decision("keep", ("b.jpg",))).number == 2

from __future__ import annotations

from pathlib import Path

from benchmarks import ledger
from benchmarks.ledger import Row
from benchmarks.promise import Verdict


def row(name: str, measured: str = "1 s", verdict: Verdict = "pass", date: str = "2020-01-01") -> Row:
    return Row(name, "what", "≤ 2 s", measured, "finegraft check a|b", verdict, date, {"number": 1.0})


def test_rows_come_back(tmp_path: Path):
    rows = [row("a"), row("b", verdict="fail")]
    ledger.write(rows, tmp_path / "acceptance.json")
    assert list(ledger.read(tmp_path / "acceptance.json").values()) == rows
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ACCEPTANCE.md", "acceptance.json"]


def test_no_file_is_no_rows(tmp_path: Path):
    assert ledger.read(tmp_path / "acceptance.json") == {}


def test_rows_not_measured_now_keep_their_date_and_figures():
    old = {"a": row("a"), "b": row("b")}
    merged = ledger.merge(old, [row("b", "3 s", "fail", "2021-01-01")], ["b", "a"])
    assert merged == [row("b", "3 s", "fail", "2021-01-01"), row("a")]


def test_a_skipped_row_hides_no_figures():
    skipped = row("a", "no data", "skipped", "2021-01-01")
    assert ledger.merge({"a": row("a")}, [skipped], ["a"]) == [row("a")]
    assert ledger.merge({}, [skipped], ["a"]) == [skipped]
    later = row("a", "no strace", "skipped", "2022-01-01")
    assert ledger.merge({"a": skipped}, [later], ["a"]) == [later]


def test_a_promise_no_longer_made_is_dropped():
    assert ledger.merge({"gone": row("gone")}, [], ["a"]) == []


def test_the_table_has_a_line_for_each_row():
    text = ledger.table([row("a", "two\nlines"), row("b")])
    assert "| a | what | ≤ 2 s | two lines | `finegraft check a\\|b` | pass | 2020-01-01 |\n" in text
    assert text.count("\n| ") == 3  # the head and two rows

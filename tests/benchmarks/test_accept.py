from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import accept, ledger
from benchmarks.promise import CannotMeasureError, Measured, Promise, Wanted, at_least, at_most
from benchmarks.promises import ALL
from benchmarks.workshop import Workshop


def promise(name: str, number: float | Exception = 1.0, wanted: Wanted | None = None) -> Promise:
    def measure(_: Workshop) -> Measured:
        if isinstance(number, Exception):
            raise number
        return Measured(number, f"{number} of them", {"more": 2})

    return Promise(name, "things", wanted or at_least(1), "count", measure)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(accept, "LEDGER", tmp_path / "acceptance.json")
    return tmp_path / "acceptance.json"


@pytest.mark.parametrize(
    ("wanted", "number", "verdict"),
    [
        (at_least(0.885), 0.885, "pass"),
        (at_least(0.885), 0.8849, "fail"),
        (at_most(75, "s"), 75, "pass"),
        (at_most(75, "s"), 75.1, "fail"),
        (at_most(75, "s"), float("nan"), "fail"),
    ],
)
def test_the_number_decides(tmp_path: Path, wanted: Wanted, number: float, verdict: str):
    assert accept.measured(promise("a", number, wanted), Workshop(tmp_path)).verdict == verdict


def test_a_row_says_what_was_wanted_and_measured(tmp_path: Path):
    row = accept.measured(promise("a", 2.0, at_most(75, "s")), Workshop(tmp_path))
    assert (row.wanted, row.measured, row.command, row.figures) == (
        "≤ 75 s",
        "2.0 of them",
        "count",
        {"number": 2.0, "more": 2},
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", row.date)


def test_what_cannot_be_measured_here_is_skipped_with_its_reason(tmp_path: Path):
    row = accept.measured(promise("a", CannotMeasureError("no strace")), Workshop(tmp_path))
    assert (row.verdict, row.measured) == ("skipped", "no strace")


def test_a_broken_measurement_is_a_failed_row(tmp_path: Path):
    row = accept.measured(promise("a", KeyError("accuracy")), Workshop(tmp_path))
    assert (row.verdict, row.measured) == ("fail", "not measured: KeyError: 'accuracy'")


@pytest.mark.parametrize(
    ("only", "names"),
    [
        (None, ["spine-2-a", "spine-2-b", "spine-20-c"]),
        ("", ["spine-2-a", "spine-2-b", "spine-20-c"]),
        ("spine", ["spine-2-a", "spine-2-b", "spine-20-c"]),
        ("spine-2", ["spine-2-a", "spine-2-b"]),
        ("spine-20-c, spine-2-a", ["spine-2-a", "spine-20-c"]),
    ],
)
def test_only_chooses_by_beginning(only: str | None, names: list[str]):
    promises = [promise(name) for name in ("spine-2-a", "spine-2-b", "spine-20-c")]
    assert [chosen.id for chosen in accept.chosen(promises, only)] == names


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r"No promise is called 'spine-2-acuracy': did you mean spine-2-accuracy"):
        accept.chosen(ALL, "spine-2-acuracy")


def test_exit_codes_and_the_ledger(kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(
        accept, "ALL", [promise("x-good"), promise("x-bad", 0.0), promise("y", CannotMeasureError("no"))]
    )
    assert accept.main(["--only", "x-good,y"]) == 0
    assert accept.main(["--only", "x-bad"]) == 1
    assert accept.main(["--only", "nothing"]) == 2
    assert {name: row.verdict for name, row in ledger.read(kept).items()} == {
        "x-good": "pass",
        "x-bad": "fail",
        "y": "skipped",
    }
    assert "fail     x-bad                    things: wanted ≥ 1; 0.0 of them" in capsys.readouterr().out


def test_list_measures_nothing(kept: Path, capsys: pytest.CaptureFixture[str]):
    assert accept.main(["--list"]) == 0
    assert "spine-4-over-bare" in capsys.readouterr().out
    assert not kept.exists()


def test_every_promise_has_a_row_of_its_own():
    names = [promise.id for promise in ALL]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+-\d+-[a-z-]+", name) for name in names)
    # Issue 2 promises eight lines; each has at least one row.
    assert {name.split("-")[1] for name in names if name.startswith("spine-")} == set("12345678")

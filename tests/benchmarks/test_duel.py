from __future__ import annotations

import json
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import duel, watch
from benchmarks.duel import Duel, Ratio, in_turn


def test_everybody_runs_in_every_round_and_nobody_always_comes_last() -> None:
    order: list[str] = []
    found = in_turn({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, rounds=4, warm_up=1)
    assert "".join(order) == "ba" + "ab" + "ba" + "ab" + "ba"
    assert {name: len(rounds) for name, rounds in found.items()} == {"a": 4, "b": 4}


def test_rounds_that_warm_up_do_not_count() -> None:
    numbers = iter(range(100))
    assert in_turn({"a": lambda: next(numbers)}, rounds=3, warm_up=2) == {"a": [2, 3, 4]}
    assert in_turn({"a": lambda: next(numbers)}, rounds=2, warm_up=0) == {"a": [5, 6]}


@pytest.mark.parametrize(("contenders", "rounds"), [({}, 3), ({"a": int}, 0)])
def test_nothing_to_compare_is_said(contenders: dict[str, type[int]], rounds: int) -> None:
    with pytest.raises(ValueError, match="A comparison needs something to run and a round at least"):
        in_turn(contenders, rounds)


def test_the_ratio_is_of_medians_and_its_range_of_rounds() -> None:
    found = Duel({"a": [1.0, 2.0, 4.0], "b": [3.0, 4.0, 40.0]}, 0.25)
    assert found.median("b") == 4.0
    assert found.ratio("b", "a") == Ratio(2.0, 2.0, 10.0)
    assert found.lines("s") == [
        "a  2 s (1 to 4), median of 3",
        "b  4 s (3 to 40), median of 3",
        "b takes 2 times as much as a; 2 to 10",
        "Other programs took 25% of the processors.",
    ]


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=9), st.floats(0.5, 2))
def test_a_drift_that_hits_both_alike_leaves_the_ratio(numbers: list[float], factor: float) -> None:
    ratio = Duel({"a": numbers, "b": [factor * number for number in numbers]}, 0).ratio("b", "a")
    assert (ratio.low, ratio.value, ratio.high) == pytest.approx((factor, factor, factor))


def test_functions_give_their_seconds_or_any_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch.Neighbours, "share", lambda _, seconds: 0.5 if seconds > 0 else -1.0)
    found = duel.duel({"timed": duel.timed(lambda: sum(range(1000))), "own": lambda: 7.0}, rounds=3)
    assert found.numbers["own"] == [7.0] * 3
    assert 0 < statistics.median(found.numbers["timed"]) < 60
    assert found.others == 0.5


def test_commands_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    assert duel.main(["--rounds", "2", "--json", "true", "test -n word"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [len(rounds) for rounds in said["seconds"].values()] == [2, 2]
    assert duel.main(["--rounds", "1", "--warm-up", "0", "true", "exit 0"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["a: true", "b: exit 0"]
    assert lines[-2].startswith("b takes ")


def test_a_command_that_fails_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert duel.main(["true", "echo no such thing >&2; exit 3"]) == 1
    assert capsys.readouterr().err == "`sh` ended with exit code 3: no such thing\n"
    assert duel.main(["--rounds", "0", "true"]) == 1

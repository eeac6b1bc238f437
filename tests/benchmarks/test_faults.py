"""The long form's words; what it runs is tested in tests/faults."""

from __future__ import annotations

import signal

import pytest

from benchmarks import faults
from benchmarks.promises.killing import SCENARIOS, phases_hit, under_way
from tests.faults.blows import Fatal, Stroke
from tests.faults.phases import Phase
from tests.faults.process import Ended
from tests.faults.scenarios import ALL, TRAIN
from tests.faults.sitting import Hit, Sitting


def sitting() -> Sitting:
    killed = Ended(-signal.SIGKILL, Phase("features", "12 of 40"), "", "", "features", 1.0)
    hits = [
        Hit(Stroke("features", 0.5), killed, ["unfinished.txt", "write-ahead log"], []),
        Hit(Fatal(3), killed, ["unfinished.txt"], ["run lacks model.fg"], "rename a b"),
    ]
    return Sitting(TRAIN, {"starting": 0.1, "features": 2.0}, hits, missed=1)


def test_a_sitting_is_told_with_its_faults() -> None:
    assert faults.described(sitting()).splitlines() == [
        "train, empty cache: stopped 1 times at random, 1 times before a change",
        "  phases hit: starting 0, features 2",
        "  under way: unfinished.txt 2, write-ahead log 1",
        "  blows after the end: 1",
        "  FAULT train, empty cache, features 12 of 40, before rename a b: run lacks model.fg",
    ]


def test_the_promise_says_what_was_hit() -> None:
    assert phases_hit(sitting()) == "train, empty cache: features 2"
    assert under_way([sitting(), sitting()]) == "unfinished.txt 4, write-ahead log 2"
    assert under_way([]) == "nothing"


def test_scenarios_are_chosen_by_the_beginning_of_their_name() -> None:
    assert faults.chosen([]) == list(ALL)
    assert [scenario.name for scenario in faults.chosen(SCENARIOS)] == [
        "check, empty cache",
        "train, empty cache",
        "train, full cache",
    ]
    with pytest.raises(ValueError, match="No scenario is called 'fetch it'"):
        faults.chosen(["fetch it"])


def test_names_are_unlike_at_their_beginning() -> None:
    """So that one can be asked for alone."""
    assert all(len(faults.chosen([scenario.name])) == 1 for scenario in ALL)


def test_the_command_lists_and_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    assert faults.main(["--list"]) == 0
    assert capsys.readouterr().out.splitlines() == [scenario.name for scenario in ALL]
    assert faults.main(["--only", "nothing so called"]) == 2
    assert "--list shows those there are" in capsys.readouterr().err

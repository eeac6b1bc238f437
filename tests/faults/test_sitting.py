"""The harness finds what it is there to find: each kind of damage, planted after the death, becomes a fault."""

from __future__ import annotations

import dataclasses
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults import judging
from tests.faults.blows import Blow, Fatal, Stroke
from tests.faults.ground import Ground
from tests.faults.phases import Phase
from tests.faults.process import Ended
from tests.faults.scenarios import REPLACE, TRAIN_AGAIN, Scenario
from tests.faults.sitting import Hit, stopped, strike


def _other_features(ground: Ground) -> None:
    connection = sqlite3.connect(ground.cache / "store.sqlite")
    connection.execute("UPDATE entries SET value = x'00' WHERE kind = 'features'")
    connection.commit()
    connection.close()


def _a_run_without_its_model(ground: Ground) -> None:
    shutil.rmtree(ground.run, ignore_errors=True)
    shutil.copytree(ground.whole, ground.run)
    (ground.run / "model.fg").unlink()


def _somebody_elses_file(ground: Ground) -> None:
    shutil.rmtree(ground.run, ignore_errors=True)
    ground.run.mkdir()
    (ground.run / "notes.txt").touch()


def _litter(ground: Ground) -> None:
    (ground.place / ".0123456789abcdef.part").touch()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_other_features, "the cache holds features of another value"),
        (_a_run_without_its_model, "run lacks model.fg"),
        (_somebody_elses_file, "the next `train` ended with 1: Error: "),
        (_litter, ".0123456789abcdef.part is left"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_damage_is_found(ground: Ground, rng: random.Random, spoil: Callable[[Ground], None], said: str) -> None:
    def judge(ground: Ground, ended: Ended) -> Iterator[str]:
        spoil(ground)
        yield from judging.training(ground, ended)

    sitting = stopped(ground, dataclasses.replace(TRAIN_AGAIN, judge=judge), 0, 1, rng)
    assert any(said in fault for fault in sitting.faults), sitting.faults
    assert all(fault.startswith("train, full cache, ") for fault in sitting.faults)


def test_a_run_that_is_neither_old_nor_new_is_found(ground: Ground, rng: random.Random) -> None:
    def judge(ground: Ground, ended: Ended) -> Iterator[str]:
        shutil.copy(ground.whole / "evaluation.jsonl", ground.run)
        with (ground.run / "lr.json").open("a") as file:
            file.write(" ")
        yield from judging.replacing(ground, ended)

    sitting = stopped(ground, dataclasses.replace(REPLACE, judge=judge), 0, 1, rng)
    assert any("the run is neither the old one (" in fault for fault in sitting.faults), sitting.faults


def test_hits_are_counted_by_phase_and_told(ground: Ground, rng: random.Random) -> None:
    told: list[Hit] = []
    scenario = dataclasses.replace(TRAIN_AGAIN, judge=lambda *_: iter(()))
    sitting = stopped(ground, scenario, 3, 3, rng, told.append)
    assert sitting.hits == told
    assert len(told) == sum(sitting.phases.values()) == sitting.at_random + 3
    assert [bool(hit.before) for hit in told] == [isinstance(hit.blow, Fatal) for hit in told]
    assert sitting.phases.keys() >= sitting.lengths.keys()
    assert sitting.under_way.get("unfinished.txt", 0) > 0
    assert sitting.faults == []


def test_a_command_that_fails_by_itself_is_no_ground(ground: Ground, rng: random.Random, tmp_path: Path) -> None:
    scenario = Scenario("bad", Ground.clear, lambda _: ("check", str(tmp_path / "nowhere")), judging.check)
    with pytest.raises(RuntimeError, match=r"bad fails undisturbed, with 1: .*nowhere"):
        stopped(ground, scenario, 1, 0, rng)


@pytest.mark.parametrize("blow", [Stroke("features", 0.0), Fatal(10_000)], ids=["stroke", "fatal"])
def test_a_command_that_fails_before_the_blow_is_a_fault_and_no_miss(
    ground: Ground, tmp_path: Path, blow: Blow
) -> None:
    words = ("check", str(tmp_path / "nowhere"))
    hit = strike(ground, Scenario("bad", Ground.clear, lambda _: words, lambda *_: iter(())), blow)
    assert hit is not None
    (fault,) = hit.faults
    assert fault.startswith("it ended by itself with 1: Error: There is no file or folder ")


def test_a_command_that_ended_well_before_the_blow_is_a_miss(ground: Ground) -> None:
    scenario = Scenario("quick", Ground.clear, lambda _: ("cache", "--json"), lambda *_: iter(["judged"]))
    assert strike(ground, scenario, Stroke("features", 0.0)) is None
    assert strike(ground, scenario, Fatal(10_000)) is None


def test_silent_work_is_not_called_a_start() -> None:
    ended = Ended(-9, Phase("starting"), "", "", "starting", 1.0)
    assert Hit(Stroke("starting", 0.5), ended, [], []).phase == "starting"
    assert Hit(Stroke("starting", 0.5), ended, ["write-ahead log"], []).moment == "working, nothing said yet"

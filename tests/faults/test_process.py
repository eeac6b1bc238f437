"""Commands stopped as asked: at the named phase, with the named signal, before the n-th change, on a full disk."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.faults.blows import Fatal, FullDisk, Stroke
from tests.faults.ground import Ground
from tests.faults.traces import traces


def test_an_undisturbed_command_says_its_phases(ground: Ground) -> None:
    ground.clear()
    ended = ground.finegraft(*ground.train(ground.run))
    assert (ended.code, ended.struck, ended.phase.name) == (0, None, "ending")
    stages = ["starting", "check", "start", "features", "head", "rate", "fit", "calibrate", "judge", "bundle", "report"]
    assert [name for name in ended.entered if name in stages] == stages
    assert sum(ended.lengths.values()) == pytest.approx(ended.seconds)
    assert ended.out.rstrip().splitlines()[-1].startswith("Next: finegraft predict")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_stroke_falls_in_its_phase(ground: Ground, number: int) -> None:
    ground.clear()
    ended = ground.stop(*ground.train(ground.run), blow=Stroke("features", 0.0, number))
    assert (ended.code, ended.struck) == (-number, "features")
    assert ended.out == ""


def test_ctrl_c_is_heard(ground: Ground) -> None:
    ground.clear()
    ended = ground.stop(*ground.train(ground.run), blow=Stroke("calibrate", 0.0, signal.SIGINT))
    assert ended.code == 130
    assert ended.err.splitlines()[-1].startswith("Stopped. Nothing half-written is left")


def test_a_stroke_after_the_end_meets_nobody(ground: Ground) -> None:
    ground.clear()
    ended = ground.stop("runs", ground.place, blow=Stroke("starting", 60.0))
    assert (ended.code, ended.struck) == (0, None)


def test_death_comes_before_the_change_that_was_named(ground: Ground) -> None:
    ground.clear()
    assert ground.stop(*ground.train(ground.run), blow=None, armed=True).code == 0
    changes = ground.journal.read_text().splitlines()
    assert {"mkdir runs/run", "open runs/run/unfinished.txt", "sql COMMIT", "remove runs/run/unfinished.txt"} <= set(
        changes
    )
    number = changes.index("rename runs/run/.part runs/run/model.fg")
    assert changes[number - 1] == "flush runs/run/.part"
    ground.clear()
    ended = ground.stop(*ground.train(ground.run), blow=Fatal(number), armed=True)
    assert ended.code == -signal.SIGKILL
    assert ground.journal.read_text().splitlines()[-1] == "rename runs/run/.part runs/run/model.fg"
    assert not (ground.run / "model.fg").exists()
    assert ".part file" in traces(ground.place)


def test_nothing_outside_the_place_is_a_change(ground: Ground, tmp_path: Path) -> None:
    ground.clear()
    ended = ground.stop("check", ground.photos, blow=None, armed=True)
    assert ended.code == 0
    kinds = {line.split()[0] for line in ground.journal.read_text().splitlines()}
    assert kinds <= {"mkdir", "sql", "open"}


def test_on_a_full_disk_no_file_grows(ground: Ground) -> None:
    ground.clear()
    ended = ground.stop(*ground.train(ground.run), blow=FullDisk(1000))
    assert ended.code == 1
    assert "Free some space" in ended.err
    assert all(path.stat().st_size <= 1000 for path in ground.place.rglob("*") if path.is_file())


def test_an_executed_command_is_the_same(ground: Ground) -> None:
    executed = Ground(ground.root, ground.photos)
    executed.clear()
    ended = executed.finegraft("cache", "--json")
    assert (ended.code, ended.err, ended.phase.name) == (0, "", "ending")
    assert str(executed.cache) in ended.out
    ended = executed.stop("check", executed.photos, blow=Fatal(0), armed=True)
    assert ended.code == -signal.SIGKILL
    assert executed.journal.read_text().splitlines()[-1].startswith(("mkdir", "open", "sql"))

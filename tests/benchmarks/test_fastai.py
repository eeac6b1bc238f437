"""The side-by-side, without fastai: its own environment is made by `make bench`."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pytest

from benchmarks.fastai import compare, environment
from benchmarks.fastai.compare import Comparison
from benchmarks.workshop import Workshop
from tests.making import folder_of_photos


def comparison(ours: float = 0.9) -> Comparison:
    epochs = [
        {"phase": "frozen", "accuracy": 0.8, "seconds": 300.0},
        {"phase": "frozen", "accuracy": 0.85, "seconds": 600.0},
        {"phase": "unfrozen", "accuracy": 0.85, "seconds": 1000.0},
    ]
    runs = [{"seconds": 20.0, "accuracy": ours}, {"seconds": 30.0, "accuracy": ours}]
    return Comparison(runs, epochs, {"train": 10, "test": 5}, {"fastai": "2.8"})


def test_the_ratio_is_to_fastais_first_best_epoch_and_our_slower_run():
    assert comparison().ratio == 600 / 30
    assert compare.words(comparison()).endswith("20.0 times as fast to that accuracy")


def test_falling_short_of_fastai_is_no_ratio():
    assert comparison(0.84).ratio == 0


def test_the_section_shows_every_epoch_and_both_runs():
    text = compare.section(comparison(), "clothing")
    assert "| fastai | epoch 2, frozen | 600 | 0.8500 |" in text
    assert "| finegraft | whole process, run 2 | 30 | 0.9000 |" in text


def test_both_sides_run_and_finegraft_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program = tmp_path / "finegraft"
    program.write_text('#!/bin/sh\necho "$@" >>words\necho \'{"accuracy": 0.9}\'\n')
    program.chmod(0o700)
    row = {"phase": "frozen", "accuracy": 0.8, "seconds": 9.0}
    said = {"epochs": [row], "photos": {"train": 2, "test": 1}, "versions": {}}
    other = tmp_path / "python"
    other.write_text(f"#!/bin/sh\necho '{json.dumps(said)}' > \"$3\"\n")  # train.py DATA OUT
    other.chmod(0o700)
    monkeypatch.setattr(environment, "python", lambda: other)
    found = compare.compare(Workshop(tmp_path, tmp_path, program), tmp_path, budget="6m")
    assert [run["accuracy"] for run in found.ours] == [0.9, 0.9]
    assert found.epochs == [row]
    words = (tmp_path / "words").read_text().splitlines()
    assert [line.endswith("--json --budget 6m") for line in words] == [True, True]


def test_one_fold_is_judged_and_the_others_are_learned_from(tmp_path: Path):
    photos = folder_of_photos(tmp_path / "photos", {"daisy": 10, "rose": 10})
    folder = compare.one_fold(photos, 0, tmp_path / "fold")
    counts = {part: len(list((folder / part).rglob("*.*"))) for part in ("train", "test")}
    assert counts == {"train": 16, "test": 4}
    assert {path.name for path in (folder / "test").iterdir()} == {"daisy", "rose"}


def test_a_subset_takes_the_first_photos_of_each_class(tmp_path: Path):
    for part in ("train", "test"):
        for label in ("a", "b"):
            (tmp_path / "all" / part / label).mkdir(parents=True)
            for number in range(5):
                (tmp_path / "all" / part / label / f"{number}.jpg").touch()
    made = compare.subset(tmp_path / "all", tmp_path / "some", 3, 1)
    names = sorted(str(path.relative_to(made)) for path in made.rglob("*.jpg") if "/a/" in str(path))
    assert names == ["test/a/0.jpg", "train/a/0.jpg", "train/a/1.jpg", "train/a/2.jpg"]


def test_a_folder_without_parts_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert compare.main(["--data", str(tmp_path)]) == 1
    assert "has no train/ and test/ folders" in capsys.readouterr().err


def test_an_installed_environment_is_used_as_it_is(tmp_path: Path):
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("fastai==2\n")
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "installed.sha256").write_text(hashlib.sha256(requirements.read_bytes()).hexdigest())
    made = environment.python(tmp_path / "venv", requirements)
    assert made.parent.parent == tmp_path / "venv"


def test_an_environment_is_made_again_when_the_pins_change(tmp_path: Path):
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("")  # nothing to install, so nothing is downloaded
    folder = tmp_path / "venv"
    folder.mkdir()
    (folder / "installed.sha256").write_text("of other pins")
    (folder / "left over").touch()
    made = environment.python(folder, requirements)
    assert made.exists()
    assert not (folder / "left over").exists()
    assert sys.version_info[:2] >= (3, 11)


def test_the_pins_are_exact():
    lines = [line for line in environment.REQUIREMENTS.read_text().splitlines() if not line.startswith("#")]
    assert all("==" in line for line in lines)
    assert {"torch==2.13.0", "torchvision==0.28.0"} <= set(lines)

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finegraft.cli.slices import slices_json, standing_out
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.run import Run
from finegraft.targets import Category
from tests.cli.running import FAST, Done, finegraft
from tests.making import folder_of_photos

KEYS = {"trait", "slice", "n", "accuracy", "interval", "rest", "p", "p_adjusted", "stands_out"}


def row(**changed: Any) -> dict[str, Any]:
    return {"slice": "camera is left", "n": 1200, "accuracy": 0.75, "rest": 0.925, "stands_out": True, **changed}


def test_only_what_stands_out_is_said_in_one_line() -> None:
    assert standing_out([row(stands_out=False)]) == []
    assert standing_out([row(), row(stands_out=False)]) == [
        "Worse, and not by chance: camera is left (75.0 % of 1,200 right, 92.5 % of the others)."
    ]


def test_many_are_counted_and_hostile_names_are_harmless() -> None:
    (said,) = standing_out([row(slice=f"camera is {i}\x1b[31m") for i in range(5)])
    assert said.endswith("camera is 2\\x1b[31m (75.0 % of 1,200 right, 92.5 % of the others); 2 more.")
    assert said.isprintable()


def test_at_most_a_hundred_rows_are_kept_worst_first() -> None:
    n = 6000
    truth = np.arange(n) % 2
    right = np.random.default_rng(0).random(n) < 0.9
    probabilities = np.where((np.arange(2) == truth[:, None]) == right[:, None], 0.9, 0.1)
    traits = {f"t{i}": np.random.default_rng(i).random(n) for i in range(30)}
    rows = slices_json(Evaluation(tuple(map(str, range(n))), Category(("a", "b")), truth, probabilities, traits=traits))
    assert len(rows) == 100
    assert set(rows[0]) == KEYS
    gaps = [one["accuracy"] - one["rest"] for one in rows if not one["stands_out"]]
    assert gaps == sorted(gaps)
    json.dumps(rows, allow_nan=False)


def test_too_few_judged_photos_make_no_slices_but_keep_their_traits(training: tuple[Path, Done]) -> None:
    run, done = training
    assert done.object["slices"] == json.loads((run / "run.json").read_text())["slices"] == []
    assert set(Run.open(run).evaluation().traits) == {"brightness", "shorter side", "blur", "elongation"}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of two classes, of which those of one camera bear the wrong class."""
    path = tmp_path_factory.mktemp("cameras")
    folder_of_photos(path, {"rose": 50, "tulip": 50}, size=(64, 48), seed=5)
    lines = ["file,label,camera"]
    for at, photo in enumerate(sorted(path.glob("*/*.jpg"))):
        wrong, label = at % 5 < 2, photo.parent.name
        said = {"rose": "tulip", "tulip": "rose"}[label] if wrong else label
        lines.append(f"{label}/{photo.name},{said},{'old' if wrong else 'new'}")
    (path / "labels.csv").write_text("\n".join(lines) + "\n")
    return path / "labels.csv"


def test_eval_tells_of_a_column_by_which_answers_differ(run: Path, table: Path) -> None:
    said = finegraft("eval", run, table, "--target", "label").out.splitlines()
    (line,) = [line for line in said if "chance" in line]
    assert line.startswith("Worse, and not by chance: camera is old (")
    assert " % of 40 right, " in line


def test_train_keeps_the_slices_of_its_judged_part(table: Path, tmp_path: Path) -> None:
    options = ("--target", "label", "--valid", "0.5", *FAST)
    said = finegraft("train", table, "-o", tmp_path / "run", *options, "--json").object
    stored = json.loads((tmp_path / "run" / "run.json").read_text())["slices"]
    assert said["slices"] == stored
    assert {one["slice"] for one in stored} >= {"camera is old", "camera is new"}
    assert set(Run.open(tmp_path / "run").evaluation().traits["camera"]) == {"old", "new"}

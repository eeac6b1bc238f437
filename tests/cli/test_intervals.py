"""What a run of two classes tells of its intervals and thresholds."""

from __future__ import annotations

import json
from pathlib import Path

from finegraft.evaluation.binary import Choices
from tests.cli.running import Done


def test_the_run_says_which_intervals_it_has_and_why(training: tuple[Path, Done]) -> None:
    run, done = training
    stored = json.loads((run / "run.json").read_text())
    assert stored["intervals"] == done.object["intervals"]
    assert stored["intervals"]["level"] == 0.95
    assert stored["intervals"]["why"]
    assert stored["metrics"]["accuracy"]["method"] in {"Wilson", "Wilson, by cluster"}
    assert {"auroc", "average_precision"} <= set(stored["metrics"])


def test_thresholds_come_from_the_answers_out_of_fold_and_are_shown(training: tuple[Path, Done]) -> None:
    run, _ = training
    found = Choices.from_json(json.loads((run / "run.json").read_text())["thresholds"])
    assert found.positive in {"rose", "tulip"}
    assert [line.wanted for line in found.lines] == ["recall"] * 3 + ["precision"] * 2
    assert "Where to draw the line" in (run / "report.html").read_text()

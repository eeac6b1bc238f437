from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finegraft.cli import main as cli
from finegraft.data.dataset import Dataset
from finegraft.data.record import Record
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.run import Run
from finegraft.targets import Category
from tests.cli.running import finegraft
from tests.making import photo

FLOWERS = Category(("rose", "tulip"))
KEYS = [f"{label}/{i:02}.jpg" for label in FLOWERS.labels for i in range(30)]


def made(path: Path, wrong: Sequence[int], judged: Sequence[int] = range(60), **changed: Any) -> Run:
    """A run that judged the photos at `judged` and learned from the others; of all those at `wrong` are wrong."""
    truth = np.array([0] * 30 + [1] * 30)
    sure = np.where(np.isin(np.arange(60), wrong), 0.2, 0.9)
    probabilities = np.stack([np.where(truth == 0, sure, 1 - sure), np.where(truth == 1, sure, 1 - sure)], axis=1)
    rows = np.array(judged)
    evaluation = Evaluation(tuple(KEYS[i] for i in judged), FLOWERS, truth[rows], probabilities[rows])
    part = changed.get("judged_on", "test")
    records = [
        Record(key, f"{i:032x}", key.split("/")[0], part if i in judged else "train") for i, key in enumerate(KEYS)
    ]
    data = path.parent / "photos"
    run = Run.create(path)
    run.write_dataset(Dataset(tuple(records), data, "vision"))
    run.write_evaluation(evaluation)
    settings = {"data": str(data), "modality": "vision", "target": FLOWERS.to_json(), "judged_on": "test"}
    run.write_settings({**settings, **changed})
    return run


def test_the_better_run_and_what_changed_sides(tmp_path: Path) -> None:
    made(tmp_path / "a", wrong=range(12))
    made(tmp_path / "b", wrong=[0, 1, 40])
    done = finegraft("compare", "a", "b", cwd=tmp_path)
    lines = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert lines[0] == (
        "B is better by 15.0 points (5.1 to 26.8), 95 % interval, on 60 photos that both were judged on."
    )
    assert lines[1:3] == ["  A  a  80.0 % right (68.2 % to 88.2 %)", "  B  b  95.0 % right (86.3 % to 98.3 %)"]
    assert lines[3].endswith("Of the 11 answers that differ, 10 are right in B only, 1 in A only.")
    assert lines[4] == "Between two equally good models chance makes a difference this large in 6 of 1,000 comparisons."
    assert lines[6] == "  only B is right   rose/02.jpg: rose; A said tulip, 80.0 %, B rose, 90.0 %"
    assert lines[-2:] == ["  and 5 more", "With pictures: finegraft compare a b --html changes.html"]


def test_the_json_holds_every_number_and_every_change(tmp_path: Path) -> None:
    made(tmp_path / "a", wrong=range(12))
    made(tmp_path / "b", wrong=[0, 1, 40])
    said = finegraft("compare", tmp_path / "a", tmp_path / "b", "--json").object
    assert (said["path"], said["verdict"], said["better"], said["n_shared"]) == (None, "B is better", "B", 60)
    assert (said["a"]["run"], said["a"]["accuracy"]["value"]) == (f"{tmp_path}/a", 0.8)
    assert said["right"] == {"both": 47, "only_a": 1, "only_b": 10, "neither": 2}
    assert said["left_out"] == {"learned_by_a": 0, "learned_by_b": 0, "other_content": 0}
    assert said["warnings"] == []
    assert len(said["rows"]) == 11
    assert said["rows"][0] == {
        "key": "rose/02.jpg",
        "label": "rose",
        "a": {"label": "tulip", "probability": 0.8},
        "b": {"label": "rose", "probability": 0.9},
        "change": "fixed",
        "surprise": 0.7,
    }


def test_no_clear_difference_says_how_many_would_tell_and_the_same_answers_are_said(tmp_path: Path) -> None:
    made(tmp_path / "a", wrong=range(6))
    made(tmp_path / "b", wrong=[0, 1, 40])
    made(tmp_path / "c", wrong=[0, 1, 40])
    lines = finegraft("compare", "a", "b", cwd=tmp_path).out.splitlines()
    assert lines[0].startswith("No clear difference: B +5.0 points (−")
    assert "in 22 of 100 comparisons. To show one this small, about 260 photos must be judged." in lines[4]
    lines = finegraft("compare", "b", "c", cwd=tmp_path).out.splitlines()
    assert lines[0].startswith("The same answers: B 0.0 points (−6.0 to +6.0)")
    assert lines[3] == "Both give the same answer to every photo."


def test_the_page(tmp_path: Path) -> None:
    made(tmp_path / "a", wrong=range(12))
    made(tmp_path / "b", wrong=[0, 1, 40])
    (tmp_path / "photos" / "rose").mkdir(parents=True)
    (tmp_path / "photos" / "rose" / "02.jpg").write_bytes(photo(1))
    done = finegraft("compare", tmp_path / "a", tmp_path / "b", "--html", tmp_path / "new" / "page.html", "--json")
    assert done.object["path"] == f"{tmp_path}/new/page.html"
    page = (tmp_path / "new" / "page.html").read_text()
    assert "B is better" in page
    assert page.count("data:image/") == 1
    done = finegraft("compare", tmp_path / "a", tmp_path / "b", "--html", tmp_path / "a")
    assert done.error == f"Error: Cannot write {tmp_path}/a: it is a folder. Give the name of a file."


def test_photos_that_one_of_them_learned_from_are_left_out_with_a_word(tmp_path: Path) -> None:
    made(tmp_path / "a", wrong=[0], judged=range(40), judged_on="held-out")
    made(tmp_path / "b", wrong=[1], judged=range(28, 60))
    done = finegraft("compare", tmp_path / "a", tmp_path / "b", "--json")
    said = done.object
    assert (said["n_shared"], said["left_out"]) == (12, {"learned_by_a": 20, "learned_by_b": 28, "other_content": 0})
    assert said["warnings"] == [
        "A was judged on its held-out part, B on its test part: they are not the same kind of test.",
        "20 photos that B was judged on are left out: A learned from the same content or group.",
        "28 photos that A was judged on are left out: B learned from the same content or group.",
        "Only 12 of 32 judged photos can be compared. Train both with the same --seed on the same data: then the same "
        "photos are held out.",
    ]
    assert finegraft("compare", tmp_path / "a", tmp_path / "b").err.splitlines() == said["warnings"]


def test_nothing_in_common_is_an_error_that_says_why(tmp_path: Path) -> None:
    made(tmp_path / "a", wrong=[0], judged=range(0, 30, 2))
    made(tmp_path / "b", wrong=[1], judged=range(1, 31, 2))
    done = finegraft("compare", tmp_path / "a", tmp_path / "b")
    assert (done.code, done.error) == (
        1,
        "Error: There is nothing to compare: no photo was judged by both runs and learned from by neither. A judged "
        "15, B 15. 15 photos that B was judged on are left out: A learned from the same content or group. 15 photos "
        "that A was judged on are left out: B learned from the same content or group. Train both on the same data with "
        "the same --seed: then the same photos are held out.",
    )


def test_other_files_under_the_same_names_are_not_compared(tmp_path: Path) -> None:
    made(tmp_path / "a", wrong=[0])
    made(tmp_path / "b", wrong=[1])
    manifest = tmp_path / "b" / "manifest.jsonl"
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    rows[0]["digest"] = "f" * 32
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = finegraft("compare", tmp_path / "a", tmp_path / "b", "--json").object
    assert said["n_shared"] == 59
    assert said["warnings"] == ["1 photo is left out: A and B have different files of that name."]


def test_what_cannot_be_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made(tmp_path / "a", wrong=[0])
    made(tmp_path / "numbers", wrong=[0], target={"kind": "number"})
    (tmp_path / "a" / "model.fg").touch()
    (tmp_path / "alone.fg").touch()
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "unfinished.txt").touch()
    (tmp_path / "link").symlink_to("a")
    no_run = "is a file, and only a RUN folder holds the answers that are compared."
    monkeypatch.chdir(tmp_path)
    for b, code, message in (
        ("a", 2, "a and a are the same run. Give two runs: `finegraft runs .` lists what there is."),
        ("link", 2, "a and link are the same run. Give two runs: `finegraft runs .` lists what there is."),
        ("half", 1, "The run half was not finished. Train again."),
        ("gone", 1, "gone is not a run: it has no run.json. Give the folder that `train -o` made."),
        ("a/model.fg", 1, f"a/model.fg {no_run} Give its run: a"),
        ("alone.fg", 1, f"alone.fg {no_run} Give the folder that `train -o` made."),
        ("numbers", 1, "The run numbers answers with a number. Compare two runs that answer alike."),
    ):
        assert cli.run(["compare", "a", b]) == code
        assert capsys.readouterr().err == f"Error: {message}\n"

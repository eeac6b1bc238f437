from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from finegraft.cli.summary import _growth
from finegraft.evaluation.class_gains import ClassGain
from finegraft.evaluation.growth import LearningCurve, Point
from finegraft.evaluation.run import Run
from tests.cli.running import FAST, Done, content, finegraft
from tests.making import folder_of_photos

NEEDS_TRAIN = (
    "Training needs the 'train' extra, which is not installed. Install it with: pip install \"finegraft[train]\""
)
FILES = {"run.json", "manifest.jsonl", "log.jsonl", "lr.json", "evaluation.jsonl", "model.fg", "report.html"}


def test_json_is_one_object_and_equals_run_json(training: tuple[Path, Done]) -> None:
    run, done = training
    said, stored = done.object, json.loads((run / "run.json").read_text())
    assert said["run"] == str(run)
    assert said["classes"] == stored["target"]["labels"] == ["rose", "tulip"]
    assert said["backbone"] == stored["backbone"]["name"] == "lite0"
    for name in ("metrics", "judged_on", "n_train", "n_judged", "lr", "seconds", "findings"):
        assert said[name] == stored[name], name
    for name in ("accuracy", "error_rate", "macro_f1", "ece"):
        assert said[name] == stored["metrics"][name]["value"]
    assert said["accuracy_interval"] == stored["metrics"]["accuracy"]["interval"]
    assert said["learning_curve"] is stored["learning_curve"]["twice"] is None
    assert stored["learning_curve"]["photos"] == 16
    assert (said["judged_on"], said["n_train"], said["n_judged"]) == ("held-out", 16, 4)
    assert said["seconds"]["total"] > 0
    assert {path.name for path in run.iterdir()} == FILES
    assert len(Run.open(run).history()) == 3
    assert "check …" in done.err


def test_what_a_person_reads_ends_with_the_next_step(photos: Path, tmp_path: Path) -> None:
    done = finegraft("train", photos, "-o", tmp_path / "a run", *FAST)
    assert done.code == 0
    lines = done.out.splitlines()
    assert "% right (" in lines[0]
    assert any(line.startswith("16 photos are too few to tell what more would bring; ") for line in lines)
    assert lines[-2] == f"Report: {tmp_path}/a run/report.html"
    assert lines[-1] == f"Next: finegraft predict '{tmp_path}/a run' photo.jpg"


def test_what_twice_the_photos_would_bring_is_one_line_with_the_classes_that_need_them_most() -> None:
    gains = [ClassGain("cat", 150, 0.6, 0.08, True), ClassGain("dog", 150, 0.9, 0.01, False)]
    points = (Point(60, 300, 210), Point(240, 300, 240))
    curve = LearningCurve(300, points, ((4e-4, 2e-4), (2e-4, 4e-4)), (), tuple(gains))
    (line,) = _growth(curve)
    assert re.fullmatch(
        r"Twice the photos would bring about 8\d\.\d % \(\d\d\.\d % to \d\d\.\d %\) right\. "
        r"More of cat would help most\.",
        line,
    )
    assert _growth(LearningCurve(300, points, curve.covariance)) == [line.removesuffix(" More of cat would help most.")]
    assert _growth(LearningCurve(7, reason="7 photos are too few.")) == ["7 photos are too few."]


def test_given_splits_are_kept(tmp_path: Path) -> None:
    data = folder_of_photos(
        tmp_path / "data",
        {"train/rose": 6, "train/tulip": 6, "val/rose": 2, "val/tulip": 2, "test/rose": 3, "test/tulip": 3},
    )
    said = finegraft("train", data, "-o", tmp_path / "run", *FAST, "--json").object
    assert (said["judged_on"], said["n_train"], said["n_judged"]) == ("test", 12, 6)


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        ({}, "The folder photos holds no files. Put each class in a folder of its own: photos/rose/1.jpg, "),
        ({"rose": 4}, "All 4 records are of one class, 'rose'. Add a second class: there is nothing to tell apart."),
        ({"rose": 1, "tulip": 1}, "Each class has one photo; none could be held out to judge what was learned. "),
        ({".": 3}, "photos holds 3 photos but no class folders. Put each class in a folder of its own: "),
        (
            {"train/rose": 3, "train/tulip": 3, "test/rose": 2, "test/lily": 2},
            "These classes have records to judge but none to learn from: lily. Add records of them",
        ),
    ],
)
def test_data_that_cannot_be_learned_from_is_1_and_leaves_no_run(
    tmp_path: Path, classes: dict[str, int], said: str
) -> None:
    (tmp_path / "photos").mkdir()
    if classes:
        folder_of_photos(tmp_path / "photos", classes)
    done = finegraft("train", "photos", "-o", "run", *FAST, cwd=tmp_path)
    assert (done.code, done.out) == (1, "")
    assert done.error.startswith(f"Error: {said}")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--valid", "1"], 2, "Invalid value for '--valid': 1.0 is not in the range 0<x<1."),
        (["--epochs", "0"], 2, "Invalid value for '--epochs': '0' must be at least 1."),
        (["--lr", "fast"], 2, "Invalid value for '--lr': 'fast' is neither a number nor 'auto'."),
        (["--lr", "nan"], 2, "Invalid value for '--lr': 'nan' must be above 0."),
        (["--seed", "-1"], 2, "Invalid value for '--seed': -1 is not in the range 0<=x<=4294967295."),
        (["--resize", "corp"], 2, "Invalid value for '--resize': 'corp' is not one of 'crop', 'pad', 'squish'. Did"),
        (["--backbone", "lite3"], 2, "Invalid value for '--backbone': There is no backbone called 'lite3'. Did you"),
        (["--backbone", "no.onnx"], 1, "There is no backbone file no.onnx. Check the path given to --backbone."),
        (["--weights", "no.pth"], 1, "There is no weights file no.pth. Check the path given to --weights."),
    ],
)
def test_wrong_options_are_said_before_the_work(
    photos: Path, tmp_path: Path, options: list[str], code: int, said: str
) -> None:
    done = finegraft("train", photos, "-o", tmp_path / "run", *options)
    assert (done.code, done.out) == (code, "")
    assert done.error.startswith(f"Error: {said}")
    assert "check …" not in done.err
    assert not (tmp_path / "run").exists()


def test_a_finished_run_is_refused_and_untouched(photos: Path, run: Path) -> None:
    before = content(run)
    done = finegraft("train", photos, "-o", run)
    assert done.error == (
        f"Error: {run} already holds a finished run. Give --force to replace it, or choose another folder with -o."
    )
    assert content(run) == before


def test_force_replaces_a_run_and_keeps_what_is_not_of_the_run(photos: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert finegraft("train", photos, "-o", run, *FAST, "--seed", "1").code == 0
    (run / "decisions.jsonl").write_text("mine")
    failed = finegraft("train", tmp_path / "nowhere", "-o", run, "--force")
    assert failed.error == f"Error: There is no file or folder {tmp_path}/nowhere. Check the path."
    assert Run.open(run).settings["settings"]["seed"] == 1
    done = finegraft("train", photos, "-o", run, *FAST, "--seed", "2", "--force", "--json")
    assert done.object["run"] == str(run)
    assert Run.open(run).settings["settings"]["seed"] == 2
    assert {path.name for path in run.iterdir()} == FILES | {"decisions.jsonl"}
    assert len(Run.open(run).history()) == 1
    assert ".new" not in (run / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_a_folder_that_is_no_run_is_never_touched(photos: Path, tmp_path: Path, force: list[str]) -> None:
    (tmp_path / "report.html").write_text("mine")
    (tmp_path / "run.json").write_text("{}")
    before = content(tmp_path)
    done = finegraft("train", photos, "-o", tmp_path, *force)
    assert done.error == f"Error: {tmp_path} holds files that are not a run's. Choose another folder with -o."
    assert content(tmp_path) == before


def test_an_unfinished_run_is_started_again(photos: Path, tmp_path: Path) -> None:
    Run.create(tmp_path / "run").log({"epoch": 99})
    asked = finegraft("report", tmp_path / "run")
    assert asked.error == f"Error: The run {tmp_path}/run was not finished. Train again."
    assert finegraft("train", photos, "-o", tmp_path / "run", *FAST).code == 0
    assert [row["epoch"] for row in Run.open(tmp_path / "run").history()] == [1]


@pytest.mark.parametrize("words", [["train", "nowhere", "-o", "run"], ["lr", "nowhere"]])
def test_without_torch_the_missing_part_is_named_before_any_photo_is_read(tmp_path: Path, words: list[str]) -> None:
    program = "import sys; sys.modules['torch'] = None; from finegraft.cli.main import main; main(sys.argv[1:])"
    done = subprocess.run([sys.executable, "-c", program, *words], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"Error: {NEEDS_TRAIN}\n")
    assert list(tmp_path.iterdir()) == []


def test_without_torch_python_is_told_the_same(tmp_path: Path) -> None:
    program = "import sys; sys.modules['torch'] = None; import finegraft as fg; fg.vision.read; fg.vision.learner"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == f"finegraft.errors.MissingExtra: {NEEDS_TRAIN}"


def test_odd_names_of_classes_and_folders(tmp_path: Path) -> None:
    data = folder_of_photos(tmp_path / "-my photos", {"größe 猫": 5, "a 'quoted' \"name\"": 5})
    done = finegraft("train", "--json", *FAST, "-o", "-a run", "--", "-my photos", cwd=tmp_path)
    assert done.object["classes"] == ["a 'quoted' \"name\"", "größe 猫"]
    answered = finegraft("predict", "--json", "--", "-a run", "-my photos", cwd=tmp_path)
    assert [row["path"] for row in answered.rows] == [
        str(path.relative_to(tmp_path)) for path in sorted(data.rglob("*.jpg"))
    ]
    assert {row["label"] for row in answered.rows} <= {"a 'quoted' \"name\"", "größe 猫"}


@pytest.fixture(scope="module")
def few_tulips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four roses and four tulips."""
    return folder_of_photos(tmp_path_factory.mktemp("few") / "photos", {"rose": 24, "tulip": 4})


WEIGHED = "Class 'rose' has 19 to learn from, 'tulip' only 3: a record of 'tulip' counts 6.33 times one of 'rose', "


def test_unbalanced_classes_are_weighed_and_it_is_said(few_tulips: Path, tmp_path: Path) -> None:
    done = finegraft("train", few_tulips, "-o", tmp_path / "run", *FAST)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert "% found, averaged over the classes (" in lines[0]
    assert lines[1].startswith("Macro F1: ")
    assert lines[2].startswith("Weakest class: ")
    assert "This comes second because rare classes hardly count in it: tulip is 1 of the 6." in lines[3]
    assert f"{WEIGHED}so that every class counts the same." in lines
    (few,) = (line for line in lines if line.startswith("Class 'tulip' has only 3 to learn from: "))
    assert "Add at least 2, better 47" in few
    stored = Run.open(tmp_path / "run").settings
    assert stored["class_weights"] == {"rose": 0.5789, "tulip": 3.6667}
    assert stored["class_weights_reason"].startswith(WEIGHED)
    assert stored["settings"]["class_weights"] == "auto"
    report = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "so that every class counts the same." in report
    assert "% found" in report.partition("</header>")[0]


def test_class_weights_can_be_refused(few_tulips: Path, tmp_path: Path) -> None:
    said = finegraft("train", few_tulips, "-o", tmp_path / "run", *FAST, "--class-weights", "no", "--json").object
    assert said["class_weights"] is None
    assert Run.open(tmp_path / "run").settings["class_weights_reason"].endswith("as was asked for.")
    assert 0 <= said["macro_recall"] <= 1


def test_balanced_classes_have_no_weights_and_no_words_about_them(training: tuple[Path, Done]) -> None:
    run, done = training
    assert done.object["class_weights"] is None
    assert Run.open(run).settings["class_weights_reason"].startswith("All records count the same: ")


def test_another_word_for_class_weights_is_wrong_usage(photos: Path, tmp_path: Path) -> None:
    done = finegraft("train", photos, "-o", tmp_path / "run", "--class-weights", "yes")
    assert done.code == 2
    assert "'yes' is not one of 'auto', 'no'" in done.error

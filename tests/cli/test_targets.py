"""Several tags per photo, and numbers, from the first command to the last."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.evaluation.run import Run
from finegraft.evaluation.tags import TagsEvaluation
from tests.cli.running import FAST, Done, finegraft
from tests.spotted import COLOURS, spotted

TAGS = ("--path", "file", "--target", "red,green,blue")
NUMBER = ("--path", "file", "--target", "light")
SMALL = ("--head", "linear", "--size", "64", "--epochs", "8")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return spotted(tmp_path_factory.mktemp("spotted"), n=80)


@pytest.fixture(scope="module")
def tagged(table: Path, surroundings: Path) -> tuple[Path, Done]:
    run = table.parent / "tags"
    return run, finegraft("train", table, *TAGS, "-o", run, *SMALL, "--json")


@pytest.fixture(scope="module")
def measured(table: Path, surroundings: Path) -> tuple[Path, Done]:
    run = table.parent / "number"
    return run, finegraft("train", table, *NUMBER, "-o", run, *SMALL, "--metric", "rmse", "--json")


def test_train_says_how_good_the_tags_are(tagged: tuple[Path, Done]) -> None:
    run, done = tagged
    assert done.code == 0, done.err
    said = done.object
    assert said["classes"] == ["blue", "green", "red"]
    assert said["micro_f1"] == said["metrics"]["micro_f1"]["value"]
    assert (said["judged_on"], said["n_train"] + said["n_judged"]) == ("held-out", 80)
    stored = Run.open(run)
    evaluation = stored.evaluation()
    assert isinstance(evaluation, TagsEvaluation)
    assert list(evaluation.thresholds) == pytest.approx(said["thresholds"], rel=1e-5)  # type: ignore[arg-type]
    assert list(stored.settings["thresholds"].values()) == list(evaluation.thresholds)  # type: ignore[arg-type]
    assert evaluation.metrics()["micro_f1"].value == said["micro_f1"], "read back with its own thresholds"
    assert stored.settings["metric"] == "hamming_loss"
    assert set(stored.history()[0]) >= {"epoch", "train_loss", "valid_loss", "hamming_loss", "seconds"}
    assert "hamming loss" in done.err


def test_train_says_how_far_off_the_numbers_are(measured: tuple[Path, Done]) -> None:
    run, done = measured
    assert done.code == 0, done.err
    said = done.object
    assert said["mae"] == said["metrics"]["mae"]["value"]
    stored = Run.open(run)
    assert isinstance(stored.evaluation(), NumberEvaluation)
    assert stored.settings["metric"] == "rmse"
    last = stored.history()[-1]["rmse"]
    assert last == pytest.approx(said["metrics"]["rmse"]["value"], rel=1e-5), "the table shows the metric asked for"
    assert "rmse" in done.err
    assert "error rate" not in done.err


@pytest.mark.parametrize("kind", ["tagged", "measured"])
def test_eval_repeats_the_judgement_of_the_training(kind: str, table: Path, request: pytest.FixtureRequest) -> None:
    run, trained = request.getfixturevalue(kind)
    done = finegraft("eval", run, table, *(TAGS if kind == "tagged" else NUMBER), "--json")
    assert done.code == 0, done.err
    assert (done.object["n_judged"], done.object["learned_from"]) == (
        trained.object["n_judged"],
        trained.object["n_train"],
    )
    for name, metric in trained.object["metrics"].items():
        assert done.object["metrics"][name]["value"] == pytest.approx(metric["value"], rel=1e-3), name


def test_predict_tells_the_tags_in_every_form(tagged: tuple[Path, Done], table: Path) -> None:
    run, _ = tagged
    files = [str(table.parent / "photos" / f"{i:03}.jpg") for i in range(4)]
    rows = finegraft("predict", run, *files, "--json", "--top", "2").rows
    for row in rows:
        assert set(row) == {"path", "labels", "unsure", "ranking"}
        assert len(row["ranking"]) == 2
        assert all(set(entry) == {"label", "probability"} for entry in row["labels"])
    cells = list(csv.DictReader(io.StringIO(finegraft("predict", run, *files, "--csv").out)))
    for row, cell in zip(rows, cells, strict=True):
        given = {entry["label"] for entry in row["labels"]}
        assert {colour for colour in COLOURS if cell[colour] == "1"} == given
    lines = finegraft("predict", run, *files).out.splitlines()
    for row, line in zip(rows, lines, strict=True):
        assert all(entry["label"] in line for entry in row["labels"])
        assert row["labels"] or "no tag" in line


def test_predict_tells_the_number_and_its_interval(measured: tuple[Path, Done], table: Path) -> None:
    run, _ = measured
    photo = table.parent / "photos" / "000.jpg"
    (row,) = finegraft("predict", run, photo, "--json").rows
    assert set(row) == {"path", "value", "interval", "unsure"}
    low, high = row["interval"]
    width = Run.open(run).settings["half_width"]
    assert (low, high) == pytest.approx((row["value"] - width, row["value"] + width), rel=1e-5)
    (cells,) = csv.DictReader(io.StringIO(finegraft("predict", run, photo, "--csv").out))
    assert [float(cells[name]) for name in ("value", "low", "high")] == [row["value"], low, high]


def headings(page: str) -> list[str]:
    return re.findall(r"<h[12][^>]*>[^<]*", page)


@pytest.mark.parametrize("kind", ["tagged", "measured"])
def test_pages_are_written_and_the_report_is_built_again(
    kind: str, table: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    run, _ = request.getfixturevalue(kind)
    page = tmp_path / "answers.html"
    assert finegraft("predict", run, table.parent / "photos" / "000.jpg", "--html", page).code == 0
    assert page.read_text().startswith("<!doctype html>")
    before = (run / "report.html").read_text()
    assert finegraft("report", run, "-o", tmp_path / "report.html").code == 0
    again = (tmp_path / "report.html").read_text()
    assert headings(again) == headings(before)
    assert ("Tag by tag" if kind == "tagged" else "How far to trust it") in before
    assert before.count("<image") > 0, "its photos are there"


def test_the_metric_asked_for_leads_the_summary_and_the_report(table: Path, tmp_path: Path) -> None:
    done = finegraft("train", table, *TAGS, "-o", tmp_path / "run", *FAST, "--metric", "macro_f1")
    assert done.code == 0, done.err
    assert done.out.startswith("macro f1: 0.")
    stored = Run.open(tmp_path / "run")
    assert stored.settings["metric"] == stored.settings["settings"]["metric"] == "macro_f1"
    assert f"Macro F1 {100 * stored.settings['metrics']['macro_f1']['value']:.1f}" in stored.report.read_text()
    assert (finegraft("report", tmp_path / "run").code, finegraft("runs", tmp_path).code) == (0, 0)


@pytest.mark.parametrize(
    ("target", "metric", "said"),
    [
        (TAGS, "mirco_f1", "There is no metric 'mirco_f1' of tags. Did you mean 'micro_f1'? Known: exact_match, "),
        (NUMBER, "accuracy", "There is no metric 'accuracy' of numbers. Known: mae, rmse, "),
        (("--path", "file", "--target", "side"), "rmse", "There is no metric 'rmse' of classes. "),
    ],
)
def test_an_unknown_metric_is_refused_before_the_work(
    target: tuple[str, ...], metric: str, said: str, table: Path, tmp_path: Path
) -> None:
    done = finegraft("train", table, *target, "-o", tmp_path / "run", "--metric", metric)
    assert (done.code, done.out) == (2, "")
    assert said in done.error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("kind", ["tagged", "measured"])
def test_what_only_classes_can_is_refused_with_a_reason(
    kind: str, table: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    run, _ = request.getfixturevalue(kind)
    photo = table.parent / "photos" / "000.jpg"
    among = finegraft("predict", run, photo, "--among", "red")
    assert (among.code, among.out) == (2, "")
    assert "there is nothing to choose among" in among.error
    into = finegraft("predict", run, photo, "--sort-into", tmp_path / "sorted")
    assert (into.code, into.out) == (2, "")
    assert "--sort-into needs one class for each photo" in into.error
    assert not (tmp_path / "sorted").exists()
    (tmp_path / "map.csv").write_text("red,warm\n")
    mapped = finegraft("eval", run, table, *TAGS if kind == "tagged" else NUMBER, "--map", tmp_path / "map.csv")
    assert (mapped.code, mapped.out) == (2, "")
    assert "--map joins classes" in mapped.error


def test_runs_of_every_kind_stand_in_one_table(tagged: tuple[Path, Done], measured: tuple[Path, Done]) -> None:
    folder = tagged[0].parent
    rows = finegraft("runs", folder, "--json").object["rows"]
    assert [(row["target"], row["metric"]) for row in rows] == [("tags", "exact_match"), ("number", "mae")]
    text = finegraft("runs", folder).out
    assert "exact match" in text
    assert "mae" in text


def rows_of(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["file", "value"], *rows])
    return path


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["5.5"] * 12, "All 12 numbers are 5.5: there is nothing to tell apart."),
        (["1.5"], "All 1 numbers are 1.5: there is nothing to tell apart."),
        (["1.5", "2.5", "3.5"], "There are 3 numbers only; none could be held out"),
        (["1e300", *(str(i + 0.5) for i in range(11))], "differences are lost"),
        ([str(10**9 + i / 7) for i in range(12)], "differences are lost"),
    ],
)
def test_numbers_that_cannot_be_learned_are_refused(values: list[str], said: str, table: Path, tmp_path: Path) -> None:
    rows = [[str(table.parent / "photos" / f"{i:03}.jpg"), value] for i, value in enumerate(values)]
    data = rows_of(tmp_path / "table.csv", rows)
    done = finegraft("train", data, "--path", "file", "--target", "value", "-o", tmp_path / "run")
    assert (done.code, done.out) == (1, "")
    assert said in done.error
    assert not (tmp_path / "run").exists()


def test_negative_and_unusual_numbers_are_learned_and_a_cell_that_is_none_is_left_out(
    table: Path, tmp_path: Path
) -> None:
    with table.open() as file:
        lights = [float(row["light"]) for row in csv.DictReader(file)]
    rows = [[str(table.parent / "photos" / f"{i:03}.jpg"), str(-1e6 * light)] for i, light in enumerate(lights)]
    rows[3][1] = "nan"
    data = rows_of(tmp_path / "table.csv", rows)
    told = ("--path", "file", "--target", "value")
    done = finegraft("train", data, *told, "-o", tmp_path / "run", *SMALL, "--json")
    assert done.code == 0, done.err
    assert done.object["n_train"] + done.object["n_judged"] == 79
    assert done.object["metrics"]["r2"]["value"] > 0.5
    (row,) = finegraft("predict", tmp_path / "run", rows[0][0], "--json").rows
    assert row["value"] < 0
    assert json.dumps(row["interval"])


def test_a_tag_that_every_photo_has_and_one_that_only_the_test_part_has(table: Path, tmp_path: Path) -> None:
    with table.open() as file:
        told = list(csv.DictReader(file))
    with (tmp_path / "table.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "part", "always", "red", "late"])
        for i, row in enumerate(told):
            part = "train" if i < 60 else "test"
            writer.writerow([table.parent / row["file"], part, 1, row["red"], int(i > 70)])
    options = ("--path", "file", "--target", "always,red,late", "--split-column", "part")
    done = finegraft("train", tmp_path / "table.csv", *options, "-o", tmp_path / "run", *SMALL, "--json")
    assert done.code == 0, done.err
    evaluation = Run.open(tmp_path / "run").evaluation()
    assert isinstance(evaluation, TagsEvaluation)
    found = {score.label: score for score in evaluation.per_tag()}
    assert found["always"].recall.value == 1.0
    assert (found["late"].answered, found["late"].support) == (0, 9), "judged, and missed"
    assert "Tag 'late' has nothing to learn from" in finegraft(
        "report", tmp_path / "run", "-o", tmp_path / "r.html"
    ).out or ("has nothing to learn from" in (tmp_path / "run" / "report.html").read_text())


def test_two_runs_of_a_kind_are_compared_and_others_are_not(
    tagged: tuple[Path, Done], measured: tuple[Path, Done], table: Path, tmp_path: Path
) -> None:
    worse = tmp_path / "worse"
    assert finegraft("train", table, *NUMBER, "-o", worse, *SMALL[:4], "--epochs", "1", "--lr", "1e-7").code == 0
    said = finegraft("compare", measured[0], worse, "--json").object
    assert (said["verdict"], said["leads"]) == ("A is better", "mae")
    assert said["difference"]["mae"]["value"] > 0
    text = finegraft("compare", measured[0], worse)
    assert text.out.startswith("A is better: mean error +")
    page = finegraft("compare", measured[0], worse, "--html", tmp_path / "page.html")
    assert (page.code, page.out) == (2, "")
    assert "--html shows photos that changed classes" in page.error
    mixed = finegraft("compare", tagged[0], measured[0])
    assert (mixed.code, mixed.out) == (1, "")
    assert mixed.error.endswith("answers with tags. Compare two runs that answer alike.")

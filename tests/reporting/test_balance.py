"""Unbalanced classes in a report: which figure leads, and what is said of weights and of classes with few photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from finegraft.data.dataset import Dataset
from finegraft.data.record import Record
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.run import Run
from finegraft.reporting.report import report
from finegraft.targets import Category
from tests.reporting.making import run_of
from tests.reporting.reading import Outline

REASON = "Class 'grizzly' has 130 to learn from, 'teddy' only 12: a record of 'teddy' counts 10.8 times one of it."


def written(source: Run | Evaluation, folder: Path) -> Outline:
    outline = Outline(report(source, folder / "report.html").read_text(encoding="utf-8"))
    assert outline.errors == []
    return outline


def bears(matrix: list[list[int]]) -> Evaluation:
    """An evaluation with this confusion matrix, the truth in rows."""
    counts = np.array(matrix)
    truth, predicted = (index.repeat(counts.ravel()) for index in np.indices(counts.shape).reshape(2, -1))
    keys = tuple(f"{i}.jpg" for i in range(len(truth)))
    return Evaluation(keys, Category(("black", "grizzly", "teddy")), truth, np.eye(3)[predicted])


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace(" ,", ",").replace(" .", ".")


def test_macro_recall_leads_where_a_class_is_rare_and_accuracy_says_why_it_does_not(tmp_path: Path) -> None:
    judged = bears([[31, 1, 0], [0, 33, 0], [0, 1, 2]])
    outline = written(judged, tmp_path)
    text = plain(outline.text)
    low, high = judged.metrics()["macro_recall"].interval or (0, 0)
    assert f"87.8 % found {100 * low:.1f}–{100 * high:.1f} %" in text
    assert "Of teddy, the weakest class, it found 2 of 3 (20.8–93.9 %)." in text
    assert (
        "What comes first is macro recall : the share found of each class, averaged over the classes. 97.1 % "
        "(89.9–99.2 %) are right in all, but rare classes hardly count in that: teddy is 3 of the 68 judged. "
        f"Macro F1: {judged.macro_f1}."
    ) in text
    assert "The range holds the true macro recall in 95 of 100 such measurements." in text
    assert (
        text.index("Macro recall Share found") < text.index("Macro F1 From 0 to 1") < text.index("Right Share of right")
    )
    drawn = [str(svg["aria-label"]) for svg in outline.all("svg") if svg.get("role") == "img"]
    ruler = next(words for words in drawn if "between" in words)
    assert "87.8 % found, between" in plain(ruler)
    assert "always naming the commonest class would give 33.3 %" in plain(ruler)


def test_the_rarest_class_is_told_beside_the_weakest(tmp_path: Path) -> None:
    text = plain(written(bears([[30, 2, 0], [0, 33, 0], [0, 0, 3]]), tmp_path).text)
    assert "Of black, the weakest class, it found 30 of 32 (79.9–98.3 %)." in text
    assert "Of teddy, the rarest, 3 of 3 (43.9–100.0 %)." in text


def test_accuracy_leads_where_the_judged_classes_are_balanced(tmp_path: Path) -> None:
    text = plain(written(bears([[9, 1, 0], [0, 9, 1], [0, 0, 9]]), tmp_path).text)
    assert "93.1 % right " in text
    assert "The range holds the true accuracy in 95 of 100 such measurements." in text
    assert "weakest class" not in text
    assert text.index("Right Share of right") < text.index("Macro recall Share found")


def test_the_weights_are_told_with_what_they_do_to_the_probabilities(tmp_path: Path) -> None:
    weights = {"black": 0.7, "grizzly": 0.7, "teddy": 7.4}
    run = run_of(tmp_path, ("daisy", "rose"), class_weights=weights, class_weights_reason=REASON)
    text = plain(written(run, tmp_path).text)
    assert REASON in text
    assert "With class weights the probabilities still mean what they say of all answers together" in text


def test_without_weights_only_the_reason_is_told_and_nothing_of_an_older_run(tmp_path: Path) -> None:
    run = run_of(tmp_path / "new", ("daisy", "rose"), class_weights=None, class_weights_reason="All count the same.")
    text = written(run, tmp_path).text
    assert "All count the same." in text
    assert "With class weights" not in text
    assert "class weights" not in written(run_of(tmp_path / "old", ("daisy", "rose")), tmp_path).text


def test_classes_with_very_few_photos_are_named_and_many_of_them_fold(tmp_path: Path) -> None:
    run = run_of(tmp_path, ("daisy", "rose"))
    names = [(label, i) for label in ("daisy", "rose") for i in range(30)]
    records = [Record(f"{label}{i}.jpg", f"{label}{i}", label, "train") for label, i in names]
    records += [Record(f"rare{i}.jpg", f"rare{i}", f"class {i:02d}", "train") for i in range(15)]
    run.write_dataset(Dataset(tuple(records), tmp_path / "data", "vision"))
    outline = written(run, tmp_path)
    assert "Class 'class 00' has only 1 to learn from: it is learned, but how well cannot be told." in outline.text
    assert "3 more classes with very few records" in plain(outline.text)
    assert outline.text.count("better 49") == 15

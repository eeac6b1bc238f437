"""What calling an answer unsure is worth, as a section: the curve, the chosen point, the reasons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from finegraft.evaluation.result import Evaluation
from finegraft.reporting.coverage import curve
from finegraft.reporting.doubt import doubt, unsure, wanted
from finegraft.reporting.material import Material
from finegraft.targets import Category
from tests.reporting.making import evaluation_of, run_of
from tests.reporting.reading import Outline


def four(novelty: list[float] | None = None) -> Evaluation:
    top = np.array([0.95, 0.9, 0.6, 0.55])
    return Evaluation(
        ("a.jpg", "b.jpg", "c.jpg", "d.jpg"),
        Category(("a", "b")),
        np.array([0, 1, 0, 1]),
        np.column_stack([top, 1 - top]),
        novelty=None if novelty is None else np.array(novelty),
    )


def text_of(material: Material) -> str:
    return Outline(unsure(material).body.text).text


def told(evaluation: Evaluation, **settings: object) -> str:
    return text_of(Material(evaluation, settings=settings))


def test_what_is_unlike_training_is_no_close_call() -> None:
    found = doubt(four([0.2, 1.5, 0.3, 1.01]), 0.8)
    assert found.unlike.tolist() == [False, True, False, True]
    assert found.close.tolist() == [False, False, True, False]
    assert found.sure.tolist() == [True, False, False, False]


def test_the_reasons_are_counted_apart() -> None:
    text = told(four([0.2, 1.5, 0.3, 0.9]), unsure_below=0.8)
    assert "It calls 3 of 4 answers unsure; of the other 1, 100.0 %" in text
    assert "Sure Answered without reserve. 1 25.0 % 0 0.0 %" in text
    assert "Close call Two classes are nearly as likely. 2 50.0 % 1 50.0 %" in text
    assert "Unlike training It resembles nothing that was learned from. 1 25.0 % 1 100.0 %" in text


def test_without_novelty_there_is_one_reason() -> None:
    text = told(four(), unsure_below=0.8)
    assert "Unlike training" not in text
    assert "With the least sure 50.0 % set aside, 50.0 % are wrong instead of 50.0 %" in text


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "No threshold for “unsure” was chosen"),
        ({}, "Of the surest half 50.0 % are wrong, of all 50.0 %"),
        ({"unsure_below": 0.0}, "It is sure of every answer here."),
        ({"unsure_below": 0.0}, "Nothing is set aside: 50.0 % are wrong"),
        ({"unsure_below": 1.0}, "It calls 4 of 4 answers unsure: none is left."),
        ({"unsure_below": 1.0}, "No answer is sure enough: all are set aside"),
        ({"unsure_below": 0.8}, "so that at most 5 % of what is left would be wrong"),
        ({"unsure_below": 0.8, "unsure": {"wanted_error": 0.025}}, "so that at most 2.5 % of what is left"),
    ],
)
def test_every_state_has_its_words(settings: dict[str, object], words: str) -> None:
    assert words in told(four(), **settings)


def test_the_wanted_error_and_the_chosen_point_are_marked() -> None:
    evaluation = evaluation_of(tuple("abc"), n=300, right=0.8)
    figure = curve(Material(evaluation, settings={"unsure_below": 0.9}))
    kept = (evaluation.probabilities.max(axis=1) >= 0.9).mean()
    assert f"chosen: answers {100 * kept:.3g} %" in figure.svg.text
    assert "wanted: at most 5 %" in figure.svg.text


def test_the_answers_out_of_fold_are_a_second_line() -> None:
    stored = {"out_of_fold": {"risk_coverage": {"coverage": [0.1, 0.6, 1.0], "error": [0.0, 0.02, 0.08]}}}
    material = Material(evaluation_of(tuple("abc"), n=300), settings={"unsure_below": 0.9, "calibration": stored})
    figure = curve(material)
    assert figure.svg.text.count("<polyline") == 2
    assert "out of fold" in figure.svg.text


@pytest.mark.parametrize("n", [1, 2, 9, 10, 11])
def test_few_records_are_drawn_too(n: int) -> None:
    assert curve(Material(evaluation_of(("a", "b"), n=n))).svg.text.startswith("<svg")


def test_photos_of_either_reason_are_shown(tmp_path: Path) -> None:
    run = run_of(tmp_path, ("daisy", "rose", "tulip"), unsure_below=0.99)
    evaluation = run.evaluation()
    novelty = np.zeros(len(evaluation))
    worst = [evaluation.keys.index(judged.key) for judged in evaluation.top_losses(3)]
    novelty[worst] = [3.0, 1.5, 2.0]
    run.write_evaluation(
        Evaluation(evaluation.keys, evaluation.target, evaluation.truth, evaluation.probabilities, novelty=novelty)
    )
    material = Material.of(run)
    material.album.prepare(wanted(material))
    shown = [str(s["aria-label"]) for s in Outline(unsure(material).body.text).all("svg") if s.get("class") == "photo"]
    assert shown[-3:] == [evaluation.keys[worst[i]] for i in (0, 2, 1)]  # the least like anything first
    assert len(shown) > 3

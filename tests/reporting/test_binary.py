from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from finegraft.evaluation import binary as ranking
from finegraft.evaluation.binary import Choices
from finegraft.evaluation.result import Evaluation
from finegraft.reporting.binary import binary, odds, precision_recall, roc, thinned
from finegraft.reporting.material import Material
from finegraft.targets import Category
from tests.reporting.making import HOSTILE, evaluation_of
from tests.reporting.reading import Outline


def two(n: int = 300, labels: tuple[str, str] = ("fine", "scratched"), seed: int = 0) -> Evaluation:
    rng = np.random.default_rng(seed)
    truth = (rng.random(n) < 0.2).astype(np.int64)
    scores = 1 / (1 + np.exp(1.5 - 2.5 * truth - rng.normal(size=n)))
    return Evaluation(tuple(map(str, range(n))), Category(labels), truth, np.stack([1 - scores, scores], axis=1))


def outline(evaluation: Evaluation, **settings: object) -> Outline:
    found = binary(Material(evaluation, Path("run") if settings else None, settings))
    assert found is not None
    return Outline(found.body.text)


def test_it_says_from_which_probability_on_and_what_that_gives() -> None:
    evaluation = two()
    scores, truth = evaluation.probabilities[:, 1], evaluation.truth == 1
    threshold = ranking.threshold_for(scores, truth, recall=0.95)
    assert threshold is not None
    line = ranking.at(scores, truth, threshold)
    said = outline(evaluation).text
    assert f"To find 95 % of scratched , call it so from a probability of {threshold:.3f} on" in said
    assert odds(line) in said
    assert f"that finds {100 * line.recall.value:.1f} % (" in said
    assert f"scratched is {int(truth.sum())} of the 300 records judged." in said
    assert "chosen on these same records, so what they give flatters a little" in said


def test_thresholds_of_the_run_are_taken_as_they_are() -> None:
    evaluation = two()
    stored = ranking.choices(evaluation.labels, two(seed=1).truth, two(seed=1).probabilities, "fine").to_json()
    said = outline(evaluation, thresholds=stored).text
    assert "To find 95 % of fine" in said
    assert "chosen on the training part, out of fold" in said
    assert f"{Choices.from_json(stored).lines[0].threshold:.3f}" in said


def test_it_has_two_figures_and_a_table_and_is_well_formed() -> None:
    found = outline(two())
    assert found.errors == []
    assert len(found.all("figure")) == 2
    assert len(found.all("tr")) == 1 + len(ranking.WANTED)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name: str) -> None:
    found = outline(two(labels=("fine", name)))
    assert found.errors == []
    assert not found.all("script")


def test_without_two_judged_classes_there_is_no_section() -> None:
    assert binary(Material(evaluation_of(("a", "b", "c")))) is None
    alone = Evaluation(("x",), Category(("a", "b")), np.array([1]), np.array([[0.2, 0.8]]))
    assert binary(Material(alone)) is None


def test_figures_name_their_areas_and_stay_small() -> None:
    evaluation = two(5000)
    scores, truth = evaluation.probabilities[:, 1], evaluation.truth == 1
    curve, areas = ranking.curve(scores, truth), ranking.of_two(evaluation.probabilities, evaluation.truth, 1)
    first, second = roc(curve, areas["auroc"], "x"), precision_recall(curve, areas["average_precision"], "x", 0.2)
    assert first.title == f"It ranks x first in {100 * areas['auroc'].value:.1f}\u00a0% of pairs"
    assert second.title.startswith("With 9 of 10 alarms right it finds ")
    for figure in (first, second):
        ElementTree.fromstring(figure.svg.text)
        assert len(figure.svg.text) < 25_000


def test_thinning_keeps_the_ends_and_what_can_be_seen() -> None:
    points = [(0.0, 0.0), (0.1, 0.1), (5.0, 0.0), (5.1, 0.0), (5.2, 0.0)]
    assert thinned(points) == [(0.0, 0.0), (5.0, 0.0), (5.2, 0.0)]
    assert thinned([(1.0, 1.0)]) == [(1.0, 1.0)]


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        (0, 0, "there is no alarm"),
        (4, 0, "no alarm is false"),
        (3, 1, "1 in 4 alarms is false"),
        (2, 2, "1 in 2 alarms is false"),
        (1, 2, "7 in 10 alarms are false"),
        (1, 99, "nearly every alarm is false"),
    ],
)
def test_odds_are_told_in_words(right: int, wrong: int, words: str) -> None:
    scores = np.array([*[0.9] * (right + wrong), 0.1, 0.1])
    truth = np.array([*[True] * right, *[False] * wrong, True, False])
    assert odds(ranking.at(scores, truth, 0.5)) == words

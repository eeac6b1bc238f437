"""Whether the probabilities are true, as a section: the diagram, what chance allows, and the answer in words."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from scipy import stats

from finegraft.evaluation.calibration import Reliability
from finegraft.evaluation.result import Evaluation
from finegraft.reporting.material import Material
from finegraft.reporting.reliability import calibration, chance, diagram
from finegraft.targets import Category
from tests.reporting.making import run_of
from tests.reporting.reading import Outline

SVG = "{http://www.w3.org/2000/svg}"


def bins(count: list[int], right: list[int], confidence: list[float]) -> Reliability:
    return Reliability(np.array(count), np.array(right), np.array(confidence))


def text_of(material: Material) -> str:
    return Outline(calibration(material).body.text).text


def answering(n: int, says: float, right: float, seed: int = 0) -> Evaluation:
    """Answers around `says` sure, which are right by `right - says` more often than each of them says."""
    rng = np.random.default_rng(seed)
    top = rng.uniform(says - 0.08, says + 0.08, n).clip(0.51, 0.999)
    truth = (rng.random(n) > top + right - says).astype(np.int64)
    return Evaluation(tuple(f"{i}.jpg" for i in range(n)), Category(("a", "b")), truth, np.column_stack([top, 1 - top]))


@pytest.mark.parametrize(("n", "p"), [(25, 0.6), (80, 0.95), (400, 0.999)])
def test_what_chance_allows_is_the_binomial_range(n: int, p: float) -> None:
    found = chance(bins([n], [n], [p]))
    low, high = stats.binom.ppf([0.025, 0.975], n, p) / n
    assert found.low[0] == pytest.approx(low, abs=1.01 / n)
    assert found.high[0] == pytest.approx(high, abs=1.01 / n)


def test_the_error_of_chance_is_exceeded_25_times_in_a_thousand() -> None:
    table = bins([40, 40, 40], [0, 0, 0], [0.6, 0.8, 0.95])
    rng = np.random.default_rng(1)
    drawn = rng.binomial(table.count, table.confidence, size=(20_000, 3))
    errors = np.abs(table.count * table.confidence - drawn).sum(axis=1) / 120
    assert (errors > chance(table).error).mean() == pytest.approx(0.025, abs=0.009)


@pytest.mark.parametrize(
    ("says", "right", "words"),
    [
        (0.8, 0.8, "The probabilities are as true as chance lets one see"),
        (0.9, 0.7, "The probabilities promise more than they hold"),
        (0.7, 0.9, "The probabilities hold more than they promise"),
    ],
)
def test_the_title_answers(says: float, right: float, words: str) -> None:
    text = text_of(Material(answering(600, says, right)))
    assert words in text
    assert ("chance alone gives up to" in text) is (says == right)


def test_errors_that_cancel_are_told_as_going_both_ways() -> None:
    figure = diagram(bins([400, 400], [320, 320], [0.6, 0.999]))
    assert figure.title.replace("\u00a0", " ") == "The probabilities are off by 20.0 %, both ways"


def test_a_bin_that_chance_does_not_explain_has_a_shape_of_its_own() -> None:
    root = ElementTree.fromstring(diagram(bins([100, 100], [61, 60], [0.6, 0.95])).svg.text)
    assert len(list(root.iter(f"{SVG}circle"))) == 1
    assert len([path for path in root.iter(f"{SVG}path") if "--alarm" in str(path.get("fill"))]) == 1


@pytest.mark.parametrize("confidence", [[1.0], [0.5], [0.51, 1.0]])
def test_extreme_bins_are_drawn_within_the_picture(confidence: list[float]) -> None:
    k = len(confidence)
    root = ElementTree.fromstring(diagram(bins([30] * k, [30] * k, confidence)).svg.text)
    places = [(float(str(c.get("cx"))), float(str(c.get("cy")))) for c in root.iter(f"{SVG}circle")]
    places = places or [(0, 0)]
    assert all(0 <= x <= 560 and 0 <= y <= 470 for x, y in places)


def test_answers_out_of_fold_stand_beside_the_judged_ones(tmp_path: Path) -> None:
    stored = {
        "temperature": 1.25,
        "out_of_fold": {
            "accuracy": 0.9,
            "ece": {"value": 0.012, "interval": [0.0, 0.02]},
            "reliability": {"count": [100, 100], "right": [79, 96], "confidence": [0.8, 0.96]},
            "risk_coverage": {"coverage": [0.5, 1.0], "error": [0.01, 0.1]},
        },
    }
    text = text_of(Material.of(run_of(tmp_path, ("daisy", "rose", "tulip"), calibration=stored)))
    assert "The probabilities out of fold are as true as chance lets one see" in text
    assert "divided by a temperature of 1.25" in text
    assert "There a stated probability is off by 1.2 % (0.0–2.0 %)." in text
    assert "The answers out of fold Stated Answers Right By chance 80.0 % 100 79.0 %" in text


@pytest.mark.parametrize("stored", [None, {}, {"out_of_fold": None}, {"out_of_fold": {"reliability": {"count": []}}}])
def test_an_older_run_shows_the_judged_ones_alone(tmp_path: Path, stored: object) -> None:
    text = text_of(Material.of(run_of(tmp_path, ("daisy", "rose"), calibration=stored)))
    assert "out of fold are" not in text
    assert "divided by a temperature of 1.07" in text


def test_one_answer_is_told_too() -> None:
    assert "chance alone gives up to" in text_of(Material(answering(1, 0.9, 1.0)))

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.reporting.material import Material
from finegraft.reporting.measures import short
from finegraft.reporting.numeric import against, residuals_by_answer, sections, spread
from finegraft.reporting.report import page_of
from finegraft.targets import Number
from tests.reporting.making import HOSTILE
from tests.reporting.reading import Outline


def judged(n: int = 120, bias: float = 0.0, fan: bool = False) -> NumberEvaluation:
    rng = np.random.default_rng(0)
    truth = rng.uniform(0, 100, n)
    noise = rng.normal(0, 5, n) * (truth / 50 if fan else 1)
    return NumberEvaluation(tuple(f"photos/{i}.jpg" for i in range(n)), Number(), truth, truth + noise + bias)


def page_of_numbers(evaluation: NumberEvaluation) -> str:
    return page_of(Material(evaluation))


def part(evaluation: NumberEvaluation, anchor: str) -> Outline:
    """One section of the page."""
    (found,) = (section for section in sections(Material(evaluation)) if section.anchor == anchor)
    return Outline(found.body.text)


def test_the_page_says_how_far_off_it_is_and_what_the_mean_would_be() -> None:
    evaluation = judged()
    page = Outline(page_of_numbers(evaluation))
    assert page.errors == []
    assert f"Off by {evaluation.metrics()['mae'].value:.3g} on average" in page.text
    assert f"Always answering their mean would be off by {evaluation.baseline()['mae']:.3g}." in page.text
    assert [part.heading for part in sections(Material(evaluation))] == [
        "Furthest off",
        "How good",
        "Which way it errs",
    ]
    assert len(page.all("figure")) == 3


def test_the_direction_of_errors_is_told_only_where_it_is_sure() -> None:
    said = [part(judged(bias=bias), "residuals").text for bias in (0.0, 4.0, -4.0)]
    assert "It errs both ways alike" in said[0]
    assert "On average it answers too much, by " in said[1]
    assert "On average it answers too little, by " in said[2]


def test_figures_say_what_they_show_and_are_well_formed() -> None:
    evaluation = judged(fan=True)
    assert against(evaluation).title.startswith("It explains ")
    assert residuals_by_answer(evaluation).title == "The larger the answer, the further off it is"
    assert residuals_by_answer(judged()).title == "Errors are of one size wherever the answer lies"
    assert spread(evaluation).title.startswith("Half of the residuals lie between −")
    worse = replace(judged(), predicted=np.random.default_rng(1).uniform(0, 100, 120))
    assert against(worse).title == "It is no better than always answering the mean"
    for drawn in (against, residuals_by_answer, spread):
        ElementTree.fromstring(drawn(evaluation).svg.text)


def test_large_sets_are_drawn_in_part_and_say_so() -> None:
    drawn = against(judged(4000))
    assert drawn.svg.text.count("<circle") == 1500
    assert "1,500 of 4,000 are drawn, by chance." in drawn.note


def test_the_largest_residuals_come_first() -> None:
    evaluation = judged()
    page = part(evaluation, "worst")
    first = evaluation.largest(1)[0]
    assert page.text.index(evaluation.keys[first]) == min(
        page.text.index(evaluation.keys[row]) for row in evaluation.largest(12)
    )


@pytest.mark.parametrize("n", [1, 2])
def test_few_or_exact_answers_have_a_page_too(n: int) -> None:
    exact = NumberEvaluation(tuple(map(str, range(n))), Number(), np.full(n, 3.0), np.full(n, 3.0))
    page = Outline(page_of_numbers(exact))
    assert page.errors == []
    assert "Off by 0 on average" in page.text


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name: str) -> None:
    page = Outline(page_of_numbers(replace(judged(2), keys=("a", name))))
    assert page.errors == []
    assert not page.all("script")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0"),
        (0.01234, "0.0123"),
        (-12.345, "−12.3"),
        (12345, "12,300"),
        (3.2e-5, "3.20\u00a0×\u00a010⁻⁵"),
        (-4e9, "−4.00\u00a0×\u00a010⁹"),
        (float("nan"), "–"),
    ],
)
def test_numbers_are_written_short(value: float, written: str) -> None:
    assert short(value) == written

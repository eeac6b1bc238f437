"""The first screen: how often the judged part was looked at, and what would help most."""

from __future__ import annotations

from typing import Any

import pytest

from finegraft.reporting.material import Material
from finegraft.reporting.verdict import header
from tests.reporting.making import HOSTILE, evaluation_of
from tests.reporting.reading import Outline


def told(**settings: Any) -> str:
    material = Material(evaluation_of(("daisy", "rose", "tulip")), settings={"modality": "vision", **settings})
    outline = Outline(header(material).text)
    assert outline.errors == []
    return outline.text.replace(" ,", ",").replace(" .", ".")


def rows(*labels: str) -> list[dict[str, Any]]:
    return [{"label": label, "stands_out": True} for label in labels]


@pytest.mark.parametrize(("looks", "words"), [(2, "judged once before"), (3, "judged twice before"), (9, "8 times")])
def test_how_often_the_judged_part_was_looked_at_is_said(looks: int, words: str) -> None:
    text = told(looks=looks)
    assert words in text
    assert "the figure flatters a little" in text


@pytest.mark.parametrize("looks", [1, None, 0, "often"])
def test_a_first_look_needs_no_words(looks: object) -> None:
    assert "before: if you" not in told(looks=looks)


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        (rows("rose"), "More photos of rose would help most."),
        (rows("rose", "daisy"), "More photos of rose and daisy would help most."),
        (rows("rose", "daisy", "tulip"), "More photos of rose, daisy and tulip would help most."),
        (rows("a", "b", "c", "d"), "More photos of a, b and c would help most."),
    ],
)
def test_the_classes_that_more_photos_would_help_are_named(classes: list[dict[str, Any]], words: str) -> None:
    assert words in told(learning_curve={"classes": [*classes, {"label": "other", "stands_out": False}]})


@pytest.mark.parametrize(
    ("twice", "words"), [(0.934, "add about 2.4 points."), (0.915, "hardly help."), (0.91, "hardly help.")]
)
def test_where_no_class_stands_out_it_is_said_what_twice_as_many_of_all_would_add(twice: float, words: str) -> None:
    curve = {"classes": [{"label": "rose", "stands_out": False}], "now": {"accuracy": 0.91}}
    text = told(learning_curve={**curve, "twice": {"accuracy": twice}})
    assert f"Twice as many photos would {words}" in text


@pytest.mark.parametrize("curve", [None, {}, {"classes": None, "twice": None}, {"classes": []}])
def test_without_a_learning_curve_nothing_is_promised(curve: object) -> None:
    text = told(learning_curve=curve)
    assert "would help most" not in text
    assert "Twice as many" not in text


def test_hostile_names_stay_text_on_the_first_screen() -> None:
    assert f"More photos of {HOSTILE[0]}" in told(learning_curve={"classes": rows(HOSTILE[0])})

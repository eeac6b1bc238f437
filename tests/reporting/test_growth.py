from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import numpy as np

from finegraft.evaluation.growth import FewPhotos, LearningCurve, Point, curve_of
from finegraft.reporting.growth import growth
from finegraft.reporting.growth_curve import growth_curve
from finegraft.reporting.material import Material
from finegraft.reporting.wording import percent
from tests.reporting.making import HOSTILE, evaluation_of
from tests.reporting.reading import Outline

SIZES = (90, 270, 820, 2400)
FEW = (FewPhotos(5, 0, Point(15, 3000, 2100)), FewPhotos(50, 1, Point(140, 3000, 2700)))


def curve(exponent: float = 0.4, hard: float = 1.0, labels: tuple[str, ...] = ("cat", "dog", "hen")) -> LearningCurve:
    """3,000 records; the errors of the last class are `hard` times those of the others."""
    k = len(labels)
    truth = np.arange(3000) % k
    draw, times = np.random.default_rng(0).random(3000), np.where(truth == k - 1, hard, 1.0)
    wrong = np.stack([draw < (0.06 if exponent == 0 else 2 * n**-exponent) * times for n in SIZES])
    return curve_of(labels, truth, [str(i) for i in range(3000)], SIZES, wrong.astype(np.float64), FEW)


def shown(stored: Any, modality: str = "vision") -> str:
    material = Material(evaluation_of(("cat", "dog")), settings={"learning_curve": stored, "modality": modality})
    outline = Outline(growth(material).body.text)
    assert outline.errors == []
    return outline.text


def test_the_title_says_what_twice_the_photos_would_bring() -> None:
    found = curve()
    now, twice = found.at(3000), found.twice
    assert now is not None
    assert twice is not None
    low, high = twice.interval
    expected = (
        f"Twice the photos would help: about {percent(twice.accuracy)} ({100 * low:.1f}–{100 * high:.1f} %) right"
    )
    expected += f", now {percent(now.accuracy)}"
    text = shown(found.to_json())
    assert expected.replace("\u00a0", " ") in text
    assert "Would more photos help?" in text
    assert "Measured within the training part of 3,000 photos" in text


def test_a_flat_curve_says_that_twice_the_photos_would_help_little() -> None:
    assert "Twice the photos would probably help little: about 94." in shown(curve(exponent=0).to_json())


def test_the_figure_shows_what_was_measured_with_intervals_and_marks_what_is_foretold() -> None:
    figure = growth_curve(curve(), lambda n: f"{n} photos")
    assert figure is not None
    root = ElementTree.fromstring(figure.svg.text)
    svg = "{http://www.w3.org/2000/svg}"
    words = [(t.text or "").replace("\u00a0", " ") for t in root.iter(f"{svg}text")]
    assert {"now", "× 2", "× 4", "right, %", "photos learned from", "100", "10,000"} <= set(words)
    assert len(list(root.iter(f"{svg}circle"))) == len(SIZES) + 3
    assert len(list(root.iter(f"{svg}polygon"))) == 1
    assert "90 photos" in (root.findtext(f"{svg}desc") or "")
    for drawn in root.iter(f"{svg}circle"):
        assert 0 < float(str(drawn.get("cx"))) < 560
        assert 0 < float(str(drawn.get("cy"))) < 330


def test_accuracy_with_few_photos_of_each_class_is_a_table_that_says_who_had_fewer() -> None:
    text = shown(curve().to_json())
    assert "With few photos of each class" in text
    assert "5 15 70.0 %" in text
    assert "50 140 90.0 %" in text
    assert "1 class has fewer than 50 to learn from and gave what there is." in text


def test_the_class_that_gains_most_is_named_with_its_reason() -> None:
    text = shown(curve(hard=3.0).to_json())
    said = r"More photos of hen would help most: each doubling has added \d+\.\d points to what is found of it, and "
    assert re.search(rf"{said}\d\.\d points to the average class\.", text)


def test_two_classes_that_gain_most_are_named_with_the_range_of_their_gains() -> None:
    stored = curve().to_json()
    for row, gain in zip(stored["classes"], (0.052, 0.041, 0.007), strict=True):
        row |= {"gain": gain, "stands_out": gain > 0.04}
    first, second = (row["label"] for row in stored["classes"][:2])
    assert (
        f"More photos of {first} and {second} would help most: each doubling has added 4.1 to 5.2 points to what is "
        "found of them, and 3.3 points to the average class."
    ) in shown(stored)


def test_where_no_class_stands_out_it_says_so() -> None:
    assert "No class stands out: add photos of all of them." in shown(curve().to_json())


def test_many_classes_fold_and_no_name_becomes_markup() -> None:
    labels = (*HOSTILE, *(f"class {i}" for i in range(10)))
    text = shown(curve(labels=labels).to_json())
    assert "5 more classes" in text
    assert HOSTILE[0] in text


def test_every_other_state_says_why_there_is_no_curve() -> None:
    assert "No learning curve was measured in this run; train again to see one." in shown(None)
    assert "7 photos of 2 classes are too few." in shown(
        LearningCurve(7, reason="7 photos of 2 classes are too few.").to_json()
    )
    assert "The learning curve in run.json cannot be read; train again to see one." in shown({"photos": 7})


def test_records_that_are_no_photos_are_called_records() -> None:
    text = shown(curve().to_json(), modality="unknown")
    assert "Would more records help?" in text
    assert "No class stands out: add records of all of them." in text

"""The picture of the first screen: a tick for every judged record, a row for every class."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

import numpy as np
import pytest

from finegraft.evaluation.result import Evaluation
from finegraft.reporting.strip import strip
from finegraft.targets import Category
from tests.reporting.making import HOSTILE

SVG = "{http://www.w3.org/2000/svg}"


def judged(found: Sequence[int], missed: Sequence[int], labels: Sequence[str] = ()) -> Evaluation:
    """Of class i so many were found and so many missed, each of these taken for the next class."""
    k = len(found)
    truth = np.repeat(np.arange(k), np.add(found, missed))
    answers = np.concatenate([np.repeat([i, (i + 1) % k], [found[i], missed[i]]) for i in range(k)])
    names = tuple(labels) or tuple(f"class {i:03d}" for i in range(k))
    return Evaluation(tuple(f"{i}.jpg" for i in range(len(truth))), Category(names), truth, np.eye(k)[answers])


def drawn(evaluation: Evaluation) -> ElementTree.Element:
    return ElementTree.fromstring(strip(evaluation, "photo").svg.text)


def texts(root: ElementTree.Element) -> list[str]:
    return [t.text or "" for t in root.iter(f"{SVG}text")]


def marks(root: ElementTree.Element, colour: str) -> int:
    return sum(str(p.get("d")).count("M") for p in root.iter(f"{SVG}path") if colour in str(p.get("stroke")))


@pytest.mark.parametrize(
    ("found", "missed"),
    [([9, 5], [1, 0]), ([70, 3, 12], [2, 9, 0]), ([2] * 37, [1] * 37), ([0, 3], [2, 0])],
)
def test_every_judged_record_is_one_mark(found: list[int], missed: list[int]) -> None:
    root = drawn(judged(found, missed))
    assert (marks(root, "--leaf"), marks(root, "--alarm")) == (sum(found), sum(missed))


def test_wrong_ones_are_taller_and_come_after_the_right_ones() -> None:
    root = drawn(judged([3, 2], [2, 0]))
    right, wrong = (str(path.get("d")) for path in list(root.iter(f"{SVG}path"))[:2])
    assert "v14" in right
    assert "v22" in wrong
    last_right, first_wrong = (float(part.split()[0]) for part in (right.split("M")[3], wrong.split("M")[1]))
    assert last_right < first_wrong


def test_the_class_found_least_comes_first_and_is_the_answer() -> None:
    evaluation = judged([9, 5, 6], [1, 5, 0])
    named = [text for text in texts(drawn(evaluation)) if text.startswith("class")]
    assert named == ["class 001", "class 000", "class 002"]
    title = strip(evaluation, "photo").title.replace("\u00a0", " ")
    assert title == "6 of 26 answers are wrong; class 001 is found least, 5 of 10"


@pytest.mark.parametrize(
    ("found", "missed", "title"),
    [
        ([5, 5], [0, 0], "All 10 answers are right"),
        ([1, 0], [0, 0], "The one answer is right"),
        ([5, 4], [0, 1], "1 of 10 answers is wrong; class 001 is found least, 4 of 5"),
    ],
)
def test_the_title_says_what_the_picture_shows(found: list[int], missed: list[int], title: str) -> None:
    assert strip(judged(found, missed), "photo").title.replace("\u00a0", " ") == title


def test_a_class_that_was_not_judged_has_no_row() -> None:
    assert "class 001" not in texts(drawn(judged([4, 0, 4], [0, 0, 0])))


def test_many_classes_with_few_records_stand_in_two_columns_each_by_name() -> None:
    root = drawn(judged([2] * 37, [0] * 37))
    assert sum(text.startswith("class") for text in texts(root)) == 37
    assert len({t.get("x") for t in root.iter(f"{SVG}text")}) == 2


def test_of_very_many_classes_the_worst_are_named_and_the_others_counted_together() -> None:
    shown = texts(drawn(judged([1] * 60, [1] * 3 + [0] * 57)))
    assert shown[:2] == ["class 000", "1 of 2"]
    assert shown[-2:] == ["50 other classes", "50 of 50"]


@pytest.mark.parametrize(
    ("found", "missed", "ticks"),
    [([40_000, 9_000], [1000, 0], 0), ([900, 4, 2], [60, 3, 0], 9), ([10] * 200, [5] * 200, 150)],
)
def test_where_there_are_too_many_for_ticks_a_bar_holds_their_shares(
    found: list[int], missed: list[int], ticks: int
) -> None:
    figure = strip(judged(found, missed), "photo")
    root = ElementTree.fromstring(figure.svg.text)
    assert marks(root, "--leaf") + marks(root, "--alarm") == ticks
    assert len(figure.svg.text) < 8000
    assert "Where there are too many, a bar holds their shares." in figure.note
    bars = [float(str(rect.get("width"))) for rect in root.iter(f"{SVG}rect")]
    biggest = max(range(len(found)), key=lambda i: found[i] + missed[i]) if len(found) < 200 else 0
    assert bars[1] / bars[0] == pytest.approx(found[biggest] / (found[biggest] + missed[biggest]), abs=0.001)


def test_hostile_names_stay_text() -> None:
    evaluation = judged([3] * len(HOSTILE), [1] * len(HOSTILE), sorted(HOSTILE))
    root = drawn(evaluation)
    assert not list(root.iter(f"{SVG}script"))
    assert any("<script>" in text for text in texts(root))

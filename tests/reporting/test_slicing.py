from __future__ import annotations

import numpy as np
import pytest

from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.slices import slices
from finegraft.reporting.markup import tag
from finegraft.reporting.material import Material
from finegraft.reporting.page import document
from finegraft.reporting.slicing import slicing
from finegraft.targets import Category
from tests.reporting.making import HOSTILE
from tests.reporting.reading import Outline


def judged(right: np.ndarray, traits: dict[str, np.ndarray]) -> Evaluation:
    """Two classes in turn, answered rightly where `right`."""
    n = len(right)
    truth = np.arange(n) % 2
    probabilities = np.where((np.arange(2) == truth[:, None]) == right[:, None], 0.9, 0.1)
    return Evaluation(tuple(map(str, range(n))), Category(("rose", "tulip")), truth, probabilities, traits=traits)


def read(evaluation: Evaluation, **settings: str) -> Outline:
    part = slicing(Material(evaluation, settings=settings))
    outline = Outline(document("Slices", tag("h1", "Slices"), [part], "The end."))
    assert outline.errors == []
    return outline


def plain(outline: Outline) -> str:
    return outline.text.replace("\u00a0", " ")


def cameras(n: int, *names: str) -> np.ndarray:
    return np.array([names[i // 2 % len(names)] for i in range(n)], dtype=object)


def test_a_slice_that_stands_out_is_told_first_with_what_it_is_compared_with() -> None:
    camera = cameras(400, "left", "right")
    right = (np.arange(400) % 10 > 0) & ~((camera == "left") & (np.arange(400) % 8 < 3))
    evaluation = judged(right, {"camera": camera, "brightness": np.arange(400) * 7 % 400 / 400})
    worst = slices(evaluation)[0]
    text = plain(read(evaluation, modality="vision"))
    assert (worst.words, worst.n, worst.stands_out) == ("camera is left", 200, True)
    assert (
        f"It is worse for camera is left : {100 * worst.accuracy.value:.1f} % of 200 photos are right, where "
        f"{100 * worst.rest:.1f} % of the others are. That is more than chance makes among 6 slices looked at. "
        "More photos like these to learn from are the first thing to try."
    ) in text
    assert "Others: those that are not in the slice, on as many of each class" in text
    assert "Brightness: from 0, black, to 1, white." in text
    assert text.count(" % yes ") == sum(one.stands_out for one in slices(evaluation))
    assert text.index("camera is left 200") < text.index("camera is right 200")


def test_no_slice_stands_out() -> None:
    text = plain(read(judged(np.arange(200) % 7 > 0, {"camera": cameras(200, "left", "right")})))
    assert "No slice stands out among 2 slices: such differences come by chance alone." in text
    assert " % yes " not in text
    assert text.count(" % no ") == 2


def test_more_than_ten_are_folded() -> None:
    names = [f"camera {i:02d}" for i in range(14)]
    outline = read(judged(np.arange(1400) % 9 > 0, {"camera": cameras(1400, *names)}))
    assert "4 more slices" in plain(outline)
    (folded,) = outline.all("details")
    assert outline.text.count(" % no ") == 14
    assert folded is not None


def test_several_that_stand_out_are_counted() -> None:
    camera = cameras(1200, "a", "b", "c", "d")
    wrong = np.isin(camera, ["a", "b"]) & (np.arange(1200) % 8 < 4) & (np.arange(1200) % 5 < 3)
    text = plain(read(judged(~wrong, {"camera": camera})))
    assert "1 more slice stands out too." in text


@pytest.mark.parametrize(
    ("n", "traits", "said"),
    [
        (40, {}, "Nothing is known of these records besides their class. A training of this version keeps brightness"),
        (30, {"camera": cameras(30, "left", "right")}, "Too few were judged to look closer: 20 records with something"),
    ],
)
def test_what_is_said_where_there_is_nothing_to_slice(n: int, traits: dict[str, np.ndarray], said: str) -> None:
    outline = read(judged(np.arange(n) % 3 > 0, traits))
    assert said in plain(outline)
    assert outline.all("table") == []


def test_hostile_names_are_text() -> None:
    outline = read(judged(np.arange(400) % 5 > 0, {HOSTILE[0]: cameras(400, *HOSTILE[1:])}))
    assert f"{HOSTILE[0]} is {HOSTILE[1]}" in outline.text
    assert outline.all("script") == []

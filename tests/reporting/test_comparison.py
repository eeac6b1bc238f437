from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finegraft.evaluation.comparison import Comparison, compare
from finegraft.evaluation.result import Evaluation
from finegraft.reporting import difference
from finegraft.reporting.comparison import page_of
from finegraft.reporting.material import Material
from finegraft.targets import Category
from tests.making import photo
from tests.reporting.making import HOSTILE, settings_of
from tests.reporting.reading import Outline
from tests.reporting.test_pages import OVERFLOWING, TINY

LABELS = ("birman", "ragdoll", "siamese")


def answered(truth: Sequence[int], answers: Sequence[int], labels: Sequence[str] = LABELS) -> Evaluation:
    probabilities = np.full((len(truth), len(labels)), 0.1 / (len(labels) - 1))
    probabilities[np.arange(len(truth)), answers] = 0.9
    return Evaluation(
        tuple(f"{i}.jpg" for i in range(len(truth))), Category(tuple(labels)), np.array(truth), probabilities
    )


def compared(fixed: int, broken: int, still: int = 0) -> Comparison:
    """90 records: only B has the first `fixed` right, only A the next `broken`; the last `still` are wrong in both."""
    truth = [0] * 30 + [1] * 30 + [2] * 30
    a, b = list(truth), list(truth)
    a[:fixed] = [1] * fixed
    b[fixed : fixed + broken] = [2] * broken
    for i in range(89, 89 - still, -1):
        a[i], b[i] = 0, 1
    return compare(answered(truth, a), answered(truth, b))


def page(comparison: Comparison, root: Path = Path("gone"), caveats: Sequence[str] = (), **changed: Any) -> Outline:
    a, b = (
        Material(side, Path(folder), settings_of(root, side, **more))
        for side, folder, more in ((comparison.a, "runs/one", {}), (comparison.b, "runs/two", changed))
    )
    outline = Outline(page_of(comparison, a, b, caveats))
    assert outline.errors == []
    return outline


def test_the_first_screen_says_which_is_better_by_how_much_and_how_surely() -> None:
    outline = page(compared(14, 2, 1))
    assert "B is better by 13.3 points (5.3 to 22.7)" in outline.text
    assert "On the 90 photos that both judged, A, one , has 83.3 % right (74.3–89.6 %) and B, two , has" in outline.text
    assert (
        "They agree on 81.1 %. Of the 17 answers that differ, 14 are right in B only, 2 in A only, 1 in neither."
        in outline.text
    )
    assert (
        "Between two equally good models chance makes a difference this large in 2 of 1,000 comparisons."
        in outline.text
    )
    described = outline.all("svg")[0]["aria-label"]
    assert described == "B less A: +13.3 points (+5.3 to +22.7)".replace(" points", "\u00a0points")


def test_each_kind_of_change_is_a_section_with_its_number_and_none_is_there_for_nothing() -> None:
    outline = page(compared(14, 2, 1))
    assert [s["id"] for s in outline.all("section")] == ["fixed", "broken", "still-wrong", "classes", "settings"]
    assert "Right in B only (14)" in outline.text
    assert [s["id"] for s in page(compared(3, 0)).all("section")] == ["fixed", "classes", "settings"]


def test_a_photo_stands_with_its_label_and_both_answers_told_by_a_sign_too(tmp_path: Path) -> None:
    (tmp_path / "0.jpg").write_bytes(photo(1, orientation=6))
    outline = page(compared(2, 0), tmp_path)
    (shown,) = outline.all("img")
    assert shown["alt"] == "0.jpg"
    assert "is birman A ✗ ragdoll , 90.0 % B ✓ birman , 90.0 % 0.jpg no picture is birman" in outline.text
    assert [s["aria-label"] for s in outline.all("span") if s.get("role") == "img"] == ["wrong", "right"] * 2


def test_without_the_data_the_photos_are_listed_and_it_is_said_why() -> None:
    outline = page(compared(2, 0))
    assert "No pictures: the data is no longer at gone . Put it back and compare anew." in outline.text
    assert "0.jpg birman ragdoll , 90.0 % birman , 90.0 %" in outline.text
    assert outline.all("img") == []


def test_the_pictures_may_come_from_the_data_of_either_run(tmp_path: Path) -> None:
    (tmp_path / "0.jpg").write_bytes(photo(1))
    assert len(page(compared(1, 0), tmp_path, data="gone").all("img")) == 1


def test_beyond_the_first_photos_the_rest_is_folded(tmp_path: Path) -> None:
    truth = [0, 1] * 60
    comparison = compare(answered(truth, [2] * 120), answered(truth, truth))
    outline = page(comparison, tmp_path)
    assert outline.text.count("no picture") == 48
    assert "72 more photos" in outline.text


def test_nothing_changed_and_nothing_differs_are_states_of_their_own() -> None:
    outline = page(compared(0, 0))
    assert "The same answers B 0.0 points (−4.1 to +4.1)" in outline.text
    assert "Both give the same answer to every photo." in outline.text
    assert "Nothing changed sides: the two give the same answer everywhere." in outline.text
    assert "Both runs were made with the same settings from the same data." in outline.text


def test_settings_that_differ_stand_side_by_side_and_no_others() -> None:
    outline = page(compared(3, 1), n_train=500, settings={"seed": 1, "epochs": 8, "mixup": False, "weights": None})
    assert "Setting A B learned from 480 500 seed 0 1" in outline.text
    assert "epochs" not in outline.text


def test_the_classes_that_changed_most_come_first_and_chance_is_minded() -> None:
    outline = page(compared(14, 2, 1))
    assert "Class Only A right Which way Only B right A found B found Judged Beyond chance birman 2 14" in outline.text
    assert "Marked is what chance would hardly make anywhere among 3 classes." in outline.text
    assert "No row shows more than chance makes somewhere among 3 classes." in page(compared(3, 1)).text


def test_caveats_stand_under_the_verdict() -> None:
    outline = page(compared(3, 1), caveats=["2 <photos> are left out."])
    assert "Mind: 2 <photos> are left out." in outline.text
    assert {"class": "attention"} in outline.all("p")


def test_unbalanced_classes_are_led_by_the_mean_over_the_classes() -> None:
    truth = [0] * 100 + [1] * 100 + [2] * 20
    a = list(truth)
    a[200:210] = [0] * 10
    outline = page(compare(answered(truth, a), answered(truth, truth)))
    assert "B is better by 16.7 points" in outline.text
    assert "has 100.0 % found" in outline.text
    assert "averaged over the classes, decides here, because rare classes hardly count in the accuracy." in outline.text


def test_hostile_names_stay_text() -> None:
    truth = list(range(len(HOSTILE))) * 4
    comparison = compare(answered(truth, [0] * len(truth), HOSTILE), answered(truth, truth, HOSTILE))
    outline = page(comparison, settings={"weights": HOSTILE[0]}, caveats=HOSTILE)
    assert {"script", "b"} & {name for name, _ in outline.elements} == set()
    assert HOSTILE[0] in outline.text


@pytest.mark.parametrize(
    ("share", "words"), [(0.0321, "+3.2 points"), (-0.01, "−1.0 point"), (0.0, "0.0 points"), (-0.0002, "−0.02 points")]
)
def test_points(share: float, words: str) -> None:
    assert difference.points(share).replace("\u00a0", " ") == words


@pytest.mark.page
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_and_is_quiet(browser: Any, tmp_path: Path, width: int, scheme: str) -> None:
    truth = list(range(len(HOSTILE))) * 4
    comparison = compare(answered(truth, [0] * len(truth), HOSTILE), answered(truth, truth, HOSTILE))
    a, b = (
        Material(side, Path("a" * 100), settings_of(tmp_path, side, created="", lr=rate))
        for side, rate in ((comparison.a, 0.1), (comparison.b, 0.2))
    )
    (tmp_path / "page.html").write_text(page_of(comparison, a, b, ["A long caveat. " * 20]), encoding="utf-8")
    shown = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    noise: list[str] = []
    shown.on("console", lambda message: noise.append(message.text))
    shown.on("pageerror", lambda error: noise.append(str(error)))
    shown.goto((tmp_path / "page.html").as_uri())
    assert noise == []
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert shown.evaluate(OVERFLOWING) == []
    assert shown.evaluate(TINY) == 0
    shown.close()

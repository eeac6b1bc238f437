"""The numbers of the matrix lead to their photos; the pairs confused most stand side by side."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from finegraft.evaluation.result import Evaluation
from finegraft.reporting import cells
from finegraft.reporting.album import Album
from finegraft.reporting.cells import mistakes, panels, wanted
from finegraft.reporting.material import Material
from finegraft.reporting.matrix import confusion_matrix
from finegraft.reporting.pairs import pairs
from finegraft.reporting.report import page_of
from finegraft.targets import Category
from tests.making import encoded, picture
from tests.reporting.making import HOSTILE, evaluation_of, run_of
from tests.reporting.reading import Outline


def pictured(
    evaluation: Evaluation,
    content: bytes | None = None,
    missing: tuple[str, ...] = (),
    settings: dict[str, object] | None = None,
) -> Material:
    """Material whose photos are there, without a folder."""
    found = content or encoded(picture(1, (40, 30)), "WEBP")
    material = Material(evaluation, settings=settings or {})
    material.__dict__["album"] = Album(lambda key: None if key in missing else found)  # where the property keeps it
    return material


def test_behind_every_number_are_exactly_its_records() -> None:
    evaluation = evaluation_of(("a", "b", "c"), n=90, right=0.6)
    matrix = evaluation.confusion_matrix()
    found = mistakes(evaluation)
    assert {pair: len(rows) for pair, rows in found.items()} == {
        (i, j): matrix[i, j] for i, j in np.argwhere(matrix).tolist() if i != j
    }
    for (i, j), rows in found.items():
        assert all(evaluation.truth[row] == i and evaluation.predicted[row] == j for row in rows)
        assert (np.diff(evaluation.losses[rows]) <= 0).all()
    assert [len(rows) for rows in found.values()] == sorted((len(rows) for rows in found.values()), reverse=True)


def test_every_link_of_the_matrix_has_its_place_with_its_photos() -> None:
    evaluation = evaluation_of(("a", "b", "c"), n=90, right=0.6)
    material = pictured(evaluation)
    material.album.prepare(wanted(material))
    matrix = Outline(confusion_matrix(evaluation.confusion_matrix(), evaluation.labels, linked=True).svg.text)
    places = Outline(panels(material, range(3)).text)
    assert [link["href"] for link in matrix.all("a")]
    assert {str(link["href"])[1:] for link in matrix.all("a")} == {
        str(place["id"]) for place in places.all("div") if place.get("class") == "panel"
    }
    wrong = int((evaluation.truth != evaluation.predicted).sum())
    assert len([svg for svg in places.all("svg") if svg.get("class") == "photo"]) == wrong
    assert matrix.all("svg")[0]["role"] == "group"
    labels = [str(link["aria-label"]) for link in matrix.all("a")]
    assert all(re.fullmatch(r"[abc] taken for [abc]: \d+\u00a0times?", label) for label in labels)


def test_without_mistakes_the_matrix_is_a_picture_without_links() -> None:
    matrix = Outline(confusion_matrix(np.diag([3, 4]), ("a", "b"), linked=True).svg.text)
    assert matrix.all("a") == []
    assert matrix.all("svg")[0]["role"] == "img"


def test_photos_without_a_picture_are_named_in_words() -> None:
    evaluation = evaluation_of(("a", "b"), n=60, right=0.5)
    rows = next(iter(mistakes(evaluation).values()))
    gone = tuple(evaluation.keys[row] for row in rows[:2])
    material = pictured(evaluation, missing=gone)
    material.album.prepare(wanted(material))
    text = Outline(panels(material, range(2)).text).text
    assert f"And: {gone[0]} , {gone[1]} ." in text


def test_one_number_shows_at_most_24_photos_and_names_at_most_40_more() -> None:
    n = 100
    evaluation = Evaluation(
        tuple(f"{i}.jpg" for i in range(n)),
        Category(("a", "b")),
        np.zeros(n, dtype=np.int64),
        np.tile([0.2, 0.8], (n, 1)),
    )
    material = pictured(evaluation)
    material.album.prepare(wanted(material))
    outline = Outline(panels(material, range(2)).text)
    assert len(outline.all("use")) == 24
    assert "and 36 more, which evaluation.jsonl names" in outline.text
    assert "a taken for b : 100 records" in outline.text


def test_the_worst_of_every_number_is_wanted_before_the_rest() -> None:
    evaluation = evaluation_of(tuple("abcdef"), n=300, right=0.5)
    behind = mistakes(evaluation)
    first = list(wanted(pictured(evaluation)))[: len(behind)]
    assert first == [evaluation.keys[rows[0]] for rows in behind.values()]


def test_a_report_of_37_classes_with_a_thousand_mistakes_stays_below_five_megabytes() -> None:
    evaluation = evaluation_of([f"a rather long class name {i}" for i in range(37)], n=3000, right=0.6)
    content = encoded(picture(1, (192, 144)), "WEBP", quality=70)
    content += b"\0" * max(0, 6000 - len(content))  # as large as photos get
    assert (evaluation.truth != evaluation.predicted).sum() > 1000
    page = page_of(pictured(evaluation, content))
    assert 3_500_000 < len(page.encode()) < 5_000_000
    assert page.count("<image ") > 300


def test_a_pair_shows_the_truth_the_mistake_and_what_it_was_taken_for() -> None:
    evaluation = evaluation_of(("rose", "tulip"), n=60, right=0.7)
    material = pictured(evaluation)
    material.album.prepare(evaluation.keys)
    outline = Outline(pairs(material)[0].text)
    (i, j), rows = next(iter(mistakes(evaluation).items()))
    actual, predicted = evaluation.labels[i], evaluation.labels[j]
    assert outline.text.startswith(f"{actual} taken for {predicted} {len(rows)} times")
    shown = [str(svg["aria-label"]) for svg in outline.all("svg")]
    at = {key: row for row, key in enumerate(evaluation.keys)}
    kinds = [(evaluation.truth[at[key]], evaluation.predicted[at[key]]) for key in shown]
    assert kinds == [(i, i)] * 4 + [(i, j)] * 4 + [(j, j)] * 4
    other = evaluation.probabilities[[at[key] for key in shown[:4]], j]
    assert (np.diff(other) <= 0).all()  # nearest to the border first


@pytest.mark.parametrize(("pairs_", "words"), [(9, "3 more pairs side by side"), (2, "as a table")])
def test_more_than_three_pairs_fold_and_six_is_the_most(pairs_: int, words: str) -> None:
    k = pairs_ + 1
    truth = np.repeat(np.arange(k), 3)
    answers = truth.copy()
    answers[: 3 * pairs_] = (truth[: 3 * pairs_] + 1) % k
    keys, labels = (tuple(f"{i}" for i in range(n)) for n in (len(truth), k))
    evaluation = Evaluation(keys, Category(labels), truth, np.eye(k)[answers])
    material = pictured(evaluation)
    material.album.prepare(evaluation.keys)
    text = Outline("<div>" + "".join(part.text for part in pairs(material)) + "</div>").text
    assert words in text
    assert text.count("taken for") == 2 * min(pairs_, 6) + 1  # a head and a group each, and the table's


def test_of_mistakes_that_never_repeat_the_gravest_three_are_shown() -> None:
    truth = np.arange(6)
    probabilities = np.zeros((6, 6))
    probabilities[truth, (truth + 1) % 6] = [0.9, 0.55, 0.8, 0.6, 0.7, 0.95]
    probabilities[truth, truth] = 1 - probabilities.sum(axis=1)
    evaluation = Evaluation(tuple(f"{i}.jpg" for i in range(6)), Category(tuple("abcdef")), truth, probabilities)
    material = pictured(evaluation)
    material.album.prepare(evaluation.keys)
    found = pairs(material)
    assert [Outline(part.text).text[:19] for part in found[:3]] == [
        "f taken for a once ", "a taken for b once ", "c taken for d once ",
    ]  # fmt: skip
    assert "No two classes were confused more than once." in found[-1].text


def test_without_photos_the_pairs_are_a_table_and_the_numbers_lead_to_names(tmp_path: Path) -> None:
    outline = Outline(page_of(Material.of(run_of(tmp_path, ("daisy", "rose", "tulip"), photos=False))))
    assert "Confused at least twice" in outline.text
    assert outline.all("image") == []
    assert len([a for _, a in outline.elements if a.get("class") == "panel"]) > 0
    assert "Back to the matrix" in outline.text


def test_hostile_names_stay_text_in_the_places(tmp_path: Path) -> None:
    evaluation = evaluation_of(sorted(HOSTILE), n=60, right=0.3, keys=[f"{HOSTILE[0]}{i}.jpg" for i in range(60)])
    material = pictured(evaluation)
    material.album.prepare(cells.wanted(material))
    outline = Outline(panels(material, range(len(HOSTILE))).text)
    assert outline.errors == []
    assert {"script", "b"} & {name for name, _ in outline.elements} == set()

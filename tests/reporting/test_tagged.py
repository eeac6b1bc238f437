from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from finegraft.evaluation.tags import TagsEvaluation
from finegraft.reporting.material import Material
from finegraft.reporting.report import page_of
from finegraft.reporting.tagged import sections
from finegraft.targets import Tags
from tests.reporting.making import HOSTILE
from tests.reporting.reading import Outline


def judged(labels: tuple[str, ...] = ("blue", "red", "round"), n: int = 80) -> TagsEvaluation:
    rng = np.random.default_rng(0)
    truth = (rng.random((n, len(labels))) < 0.4).astype(np.int64)
    probabilities = (0.25 + 0.5 * truth + rng.normal(0, 0.2, truth.shape)).clip(0, 1)
    return TagsEvaluation(tuple(f"photos/{i}.jpg" for i in range(n)), Tags(labels), truth, probabilities)


def page_of_tags(evaluation: TagsEvaluation) -> str:
    return page_of(Material(evaluation))


def part(evaluation: TagsEvaluation, anchor: str) -> Outline:
    """One section of the page."""
    (found,) = (section for section in sections(Material(evaluation)) if section.anchor == anchor)
    return Outline(found.body.text)


def test_the_page_says_how_many_are_right_in_all_and_which_tag_is_weakest() -> None:
    evaluation = judged()
    page = Outline(page_of_tags(evaluation))
    exact = evaluation.metrics()["exact_match"].value
    assert page.errors == []
    assert f"{100 * exact:.1f} % with all tags right" in page.text
    least = min(evaluation.per_tag(), key=lambda score: score.f1.value)
    assert f"It is weakest at {least.label} : it found " in page.text
    assert [part.heading for part in sections(Material(evaluation))] == ["Furthest off", "How good", "Tag by tag"]


def test_every_tag_and_every_measure_has_a_row() -> None:
    evaluation = judged()
    merits, each = part(evaluation, "merits"), part(evaluation, "tags")
    assert len(merits.all("tr")) == 1 + len(evaluation.metrics())
    assert len(each.all("tr")) == 1 + 3
    assert "No two judged records belong together" in merits.text
    by_cluster = replace(evaluation, groups=tuple(str(i // 2) for i in range(80)))
    assert "80 judged records are of 40 groups" in part(by_cluster, "merits").text


def test_records_with_wrong_tags_are_listed_with_what_was_missed_and_added() -> None:
    small = TagsEvaluation(
        ("a.jpg", "b.jpg"), Tags(("blue", "red")), np.array([[1, 0], [1, 1]]), np.array([[0.1, 0.9], [0.9, 0.9]])
    )
    said = part(small, "worst").text
    assert "1 record of 2 has a wrong or missing tag." in said
    assert "a.jpg blue blue red" in said
    right = part(small.subset(np.array([1])), "worst").text
    assert "Every record has exactly the tags it was given." in right


def test_a_tag_that_is_nowhere_says_so_and_many_tags_are_folded() -> None:
    many = judged(tuple(f"tag{i:02}" for i in range(50)))
    each = part(many, "tags")
    assert "10 more tags" in each.text
    nowhere = replace(judged(), truth=np.zeros((80, 3), dtype=np.int64))
    assert "none there" in part(nowhere, "tags").text
    assert "None of the records has a tag." in Outline(page_of_tags(nowhere)).text


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name: str) -> None:
    page = Outline(page_of_tags(judged(("blue", name))))
    assert page.errors == []
    assert not page.all("script")

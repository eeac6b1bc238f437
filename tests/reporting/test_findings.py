from __future__ import annotations

from pathlib import Path

import pytest

from finegraft.data.dataset import Dataset
from finegraft.data.findings import Finding
from finegraft.data.record import Record
from finegraft.reporting import wording
from finegraft.reporting.findings import findings_page, page_of
from tests.making import photo


def dataset(*findings: Finding, left_out: str | None = None) -> Dataset:
    records = [Record(f"{label}/{i}.jpg", f"{label}{i}", label) for label in ("rose", "tulip") for i in range(3)]
    if left_out:
        records.append(Record("notes.txt", "n", None, None, left_out))
    return Dataset(tuple(records), Path("flowers"), "vision", findings)


def jpeg(key: str) -> bytes:
    return photo(1, (20, 20))


def test_kinds_come_in_the_order_of_what_to_decide_with_both_pictures_of_a_pair() -> None:
    page = page_of(
        dataset(
            Finding("notes.txt", "not-a-photo", 1.0, "The content is not a photo."),
            Finding("rose/1.jpg", "dark", 0.9, "95 % of it is darker than 9 of 255."),
            Finding("tulip/0.jpg", "two-labels", 1.0, "Labelled 'tulip' here.", "rose/0.jpg"),
            Finding("", "imbalance", 0.9, "Class 'rose' has few."),
            left_out="The content is not a photo.",
        ),
        jpeg,
    )
    order = [page.index(f'id="{kind}"') for kind in ("classes", "two-labels", "imbalance", "dark", "not-a-photo")]
    assert order == sorted(order)
    assert page.count("<img") == 3, "two of the pair, one dark photo, none of what is no photo"
    assert "Labelled &#x27;tulip&#x27; here." in page
    assert f"{wording.count(6, 'photo')} can be used" in page
    assert f"{wording.count(3, 'suspicion')} to look at." in page


def test_nothing_found_is_said() -> None:
    assert "Nothing is wrong with them." in page_of(dataset(), jpeg)


def test_names_are_no_markup_and_missing_pictures_are_said() -> None:
    page = page_of(dataset(Finding("<b>&.jpg", "dark", 1.0, "<i>note</i>")), dict[str, bytes]().get)
    assert "<b>" not in page
    assert "<i>" not in page
    assert "no picture" in page


def test_many_findings_are_cut_and_it_is_said() -> None:
    found = [Finding(f"rose/{i}.jpg", "dark", 1.0, "Dark.") for i in range(1100)]
    asked: list[str] = []
    page = page_of(dataset(*found), lambda key: asked.append(key))
    assert len(asked) == 60
    assert "40 more: finegraft check --json lists them all." in page


def test_labels_that_are_numbers_have_no_classes() -> None:
    data = Dataset((Record("1.jpg", "d", 2.5), Record("2.jpg", "e", 3.5)), Path("ages"), "vision")
    page = page_of(data, jpeg)
    assert "They are labelled with numbers." in page
    assert 'id="classes"' not in page


@pytest.mark.parametrize("kind", ["unheard-of", "near-copy"])
def test_the_page_is_written_whole(tmp_path: Path, kind: str) -> None:
    path = findings_page(dataset(Finding("rose/0.jpg", kind, 1.0, "So.")), jpeg, tmp_path / "check.html")
    assert path.read_text().startswith("<!doctype html>")
    assert [p.name for p in tmp_path.iterdir()] == ["check.html"]

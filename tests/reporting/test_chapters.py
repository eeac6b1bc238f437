from __future__ import annotations

from pathlib import Path

import pytest

from finegraft.reporting.chapters import chapters
from finegraft.reporting.material import Material
from tests.reporting.making import HOSTILE, evaluation_of, run_of

FLOWERS = ("aster", "rose", "tulip")
DOUBT = {
    "calibration": {
        "out_of_fold": {
            "ece": {"value": 0.012, "interval": [0.0, 0.03]},
            "close_calls": 0.2,
            "unlike_training": 0.03,
        }
    },
    "unsure": {"wanted_error": 0.1},
}


def told(folder: Path, **settings: object) -> dict[str, str]:
    return chapters(Material.of(run_of(folder, FLOWERS, **settings)))


def test_a_run_tells_of_its_data_and_classes(tmp_path: Path) -> None:
    run = run_of(tmp_path, FLOWERS)
    found = chapters(Material.of(run))
    data = run.dataset()
    assert found["The data"].startswith(f"- {len(data.usable):,}\u00a0photos: ")
    rows = found["Class by class"].splitlines()[2:]
    shares = [float(row.split("|")[3].split("\u00a0")[0]) for row in rows]
    assert {row.split("|")[1].strip() for row in rows} == set(FLOWERS)
    assert shares == sorted(shares), "the class found least comes first"


def test_doubt_is_told_with_the_error_that_was_wanted(tmp_path: Path) -> None:
    text = told(tmp_path, **DOUBT)["How sure it is"]
    assert "off by 1.2\u00a0% on average" in text
    assert "20.0\u00a0% of such answers are called a close call; of the others at most 10.0\u00a0% are wrong" in text
    assert "3.0\u00a0% of the training photos are as unlike the rest" in text


def test_slices_that_stand_out_are_told_and_no_others(tmp_path: Path) -> None:
    row = {"trait": "brightness", "slice": "dark", "n": 40, "accuracy": 0.7, "rest": 0.9, "stands_out": True}
    other = {**row, "slice": "light", "stands_out": False}
    text = told(tmp_path, slices=[row, other])["Where it is worse"]
    assert text == "- dark: 70.0\u00a0% right of 40, where comparable ones are at 90.0\u00a0%."


def test_copies_between_given_splits_are_told(tmp_path: Path) -> None:
    leaked = {"records": 3, "accuracy_without": {"value": 0.5, "interval": None}, "optimism": 0.1}
    text = told(tmp_path, leakage=leaked)["The data"]
    assert "3\u00a0photos judged have a copy among those learned from." in text
    assert "Without them 50.0\u00a0% are right." in text


def test_what_a_run_does_not_know_has_no_chapter(tmp_path: Path) -> None:
    found = told(tmp_path, calibration={}, slices=[], learning_curve={})
    assert not found.keys() & {"How sure it is", "Where it is worse", "What more photos would bring"}
    assert list(chapters(Material(evaluation_of(FLOWERS)))) == ["Class by class"]


@pytest.mark.parametrize("label", HOSTILE)
def test_no_name_breaks_a_table(label: str, tmp_path: Path) -> None:
    text = chapters(Material(evaluation_of([label, "other"])))["Class by class"]
    assert len(text.splitlines()) == 4
    assert "<script>" not in text


def test_no_path_and_no_file_name_comes_along(tmp_path: Path) -> None:
    run = run_of(tmp_path, FLOWERS, **DOUBT)
    text = "\n".join(chapters(Material.of(run)).values())
    assert str(tmp_path) not in text
    assert not any(record.key in text for record in run.dataset().records)

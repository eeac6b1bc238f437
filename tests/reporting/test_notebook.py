from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from finegraft.data.dataset import Dataset
from finegraft.data.findings import Finding
from finegraft.data.record import Record
from finegraft.inference.prediction import Prediction
from finegraft.reporting.notebook import html_of
from finegraft.training.lr_finder import LRCurve
from tests.making import photo
from tests.reporting.making import HOSTILE, evaluation_of, finder_curve


def flowers(folder: Path) -> Dataset:
    """Two photos of each of two classes, and a file that is none."""
    records = []
    for label in ("rose", "tulip"):
        (folder / label).mkdir(parents=True)
        for number in range(2):
            (folder / label / f"{number}.jpg").write_bytes(photo(number))
            records.append(Record(f"{label}/{number}.jpg", f"{label}{number}", label))
    records.append(Record("rose/x.txt", "", "rose", None, "It is a text."))
    return Dataset(tuple(records), folder, "vision", (Finding("rose/x.txt", "not-a-photo", 1.0, "It is a text."),))


def test_a_dataset_shows_its_classes_and_a_photo_of_each(tmp_path: Path) -> None:
    shown = flowers(tmp_path)._repr_html_()
    assert "4\u00a0records of 2\u00a0classes" in shown
    assert "1\u00a0file left out. Found: not-a-photo 1." in shown
    assert shown.count("<img ") == 2
    assert "data:image/webp;base64," in shown


def test_a_dataset_whose_photos_are_gone_still_shows_itself(tmp_path: Path) -> None:
    data = flowers(tmp_path / "data")
    for path in (tmp_path / "data").rglob("*.jpg"):
        path.unlink()
    shown = data.split(0.5)._repr_html_()
    assert "<img " not in shown
    assert "Parts: held-out 2, train 2." in shown


def test_a_dataset_of_numbers_and_an_empty_one_show_themselves() -> None:
    numbers = Dataset((Record("a.jpg", "1", 0.5),), Path("nowhere"), "vision")
    assert "1\u00a0record, labelled with numbers" in numbers._repr_html_()
    assert "0\u00a0records" in Dataset((), Path("nowhere"), "vision")._repr_html_()


def test_a_curve_shows_the_chosen_rate() -> None:
    stored = finder_curve()
    curve = LRCurve(tuple(stored["lrs"]), tuple(stored["losses"]), 1.5e-3, "half", "it falls")
    shown = curve._repr_html_()
    assert "Rate 0.0015 was chosen, where the loss still falls" in shown
    assert "<polyline" in shown
    flat = LRCurve((1e-7,), (float("nan"),), 1e-3, "half", "nothing fell")._repr_html_()
    assert "Learning rate 0.001" in flat
    assert "nothing fell" in flat


def test_an_evaluation_shows_its_number_with_the_range_and_the_matrix() -> None:
    evaluation = evaluation_of(["rose", "tulip", "aster"])
    shown = evaluation._repr_html_()
    assert f"{100 * evaluation.accuracy.value:.1f}\u00a0% right" in shown
    low, high = evaluation.accuracy.interval or (0, 0)
    assert f"({100 * low:.1f}–{100 * high:.1f}\u00a0%)" in shown
    assert "Confusion matrix of 3 classes" in shown


def test_a_prediction_shows_its_photo_and_ranking(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(photo(1))
    ranking = (("rose", 0.7), ("tulip", 0.3))
    shown = Prediction("rose", 0.7, ranking, "close call", str(tmp_path / "a.jpg"))._repr_html_()
    assert shown.count("<img ") == 1
    assert "unsure: close call" in shown
    assert "70.0\u00a0%" in shown
    assert "30.0\u00a0%" in shown
    without = Prediction("rose", 0.7, ranking, None, None)._repr_html_()
    assert "<img " not in without
    assert "unsure" not in without


@pytest.mark.parametrize("label", HOSTILE)
def test_no_name_becomes_markup(label: str, tmp_path: Path) -> None:
    data = Dataset((Record("a.jpg", "1", label), Record("b.jpg", "2", "other")), tmp_path, "vision")
    shown = [
        data._repr_html_(),
        evaluation_of([label, "other"])._repr_html_(),
        Prediction(label, 1.0, ((label, 1.0),))._repr_html_(),
    ]
    assert not any("<script>" in html or "<b>" in html for html in shown)


def test_anything_else_is_refused() -> None:
    with pytest.raises(TypeError, match=r"A notebook shows Dataset, LRCurve, Evaluation, .*Prediction, not a ndarray"):
        html_of(np.zeros(3))

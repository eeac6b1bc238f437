from __future__ import annotations

import json

import numpy as np
import pytest

from finegraft.evaluation.growth import FewPhotos, Forecast, LearningCurve, Point, curve_of
from finegraft.evaluation.intervals import wilson

SIZES = (30, 90, 270, 800)
FEW = (FewPhotos(5, 0, Point(10, 1000, 700)), FewPhotos(50, 1, Point(97, 1000, 850)))


def curve(seed: int = 0) -> LearningCurve:
    """1,000 training records of two classes; the smaller models were asked about 400 of them."""
    rng = np.random.default_rng(seed)
    draw, truth = rng.random(1000), rng.integers(0, 2, 1000)
    wrong = np.stack([draw < 1.2 * n**-0.4 for n in SIZES]).astype(np.float64)
    wrong[:-1, 400:] = np.nan
    return curve_of(("cat", "dog"), truth, [str(i) for i in range(1000)], SIZES, wrong, FEW)


def test_its_points_count_who_was_asked_and_who_was_right() -> None:
    found = curve()
    assert [point.photos for point in found.points] == list(SIZES)
    assert [point.judged for point in found.points] == [400, 400, 400, 1000]
    last = found.points[-1]
    assert last.accuracy == last.right / 1000 == pytest.approx(1 - 1.2 * 800**-0.4, abs=0.03)
    assert last.interval == wilson(last.right, 1000)
    assert {row.label for row in found.classes} == {"cat", "dog"}


def test_it_foretells_the_law_that_the_answers_were_drawn_by() -> None:
    found = curve()
    twice = found.twice
    assert twice is not None
    assert twice.photos == 2000
    assert twice.interval[0] < 1 - 1.2 * 2000**-0.4 < twice.interval[1]
    now = found.at(1000)
    assert now is not None
    assert now.accuracy < twice.accuracy


def test_a_measured_accuracy_is_compared_with_a_wider_interval() -> None:
    plain, measured = curve().at(2000), curve().at(2000, judged=200)
    assert plain is not None
    assert measured is not None
    assert measured.interval[0] < plain.interval[0] < plain.interval[1] < measured.interval[1]
    assert measured.accuracy == pytest.approx(plain.accuracy, abs=0.01)


def test_what_was_stored_as_json_foretells_the_same() -> None:
    found = curve()
    stored = json.loads(json.dumps(found.to_json()))
    back = LearningCurve.from_json(stored)
    assert back == found
    assert back.at(5000) == found.at(5000)
    assert stored["twice"] == found.twice.to_json()  # type: ignore[union-attr]
    assert set(stored["twice"]) == {"photos", "accuracy", "low", "high"}
    assert set(stored) == {"photos", "reason", "now", "twice", "points", "covariance", "few", "classes"}


def test_where_nothing_can_be_said_there_is_a_reason_and_no_forecast() -> None:
    found = LearningCurve(7, reason="7 photos are too few.")
    assert found.twice is None
    assert found.at(100) is None
    stored = json.loads(json.dumps(found.to_json()))
    assert (stored["twice"], stored["now"], stored["points"]) == (None, None, [])
    assert LearningCurve.from_json(stored) == found


def test_another_shape_is_refused() -> None:
    stored = curve().to_json()
    with pytest.raises(KeyError):
        LearningCurve.from_json({key: value for key, value in stored.items() if key != "few"})
    with pytest.raises(TypeError):
        LearningCurve.from_json({**stored, "points": [{"photos": 3}]})


def test_all_right_is_not_taken_for_perfect() -> None:
    wrong = np.zeros((2, 50))
    found = curve_of(("a", "b"), np.arange(50) % 2, [str(i) for i in range(50)], (16, 40), wrong)
    twice = found.twice
    assert twice is not None
    assert 0.95 < twice.accuracy < 1
    assert twice.interval[0] < 0.98
    assert [row.stands_out for row in found.classes] == [False, False]


def test_a_forecast_is_written_with_its_ends_by_name() -> None:
    assert Forecast(10, 0.9, (0.8, 0.95)).to_json() == {"photos": 10, "accuracy": 0.9, "low": 0.8, "high": 0.95}

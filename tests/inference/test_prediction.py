from __future__ import annotations

import json
import subprocess
import sys

import finegraft
from finegraft.inference.prediction import Prediction, PredictionError

ANSWER = Prediction("rose", 0.61234567, (("rose", 0.61234567), ("tulip", 0.3), ("oak", 0.08765433)), path="a/b.jpg")


def test_the_package_offers_it_from_where_it_is_defined() -> None:
    code = "import sys, finegraft; finegraft.Prediction; print('finegraft.inference.predictor' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert finegraft.Prediction is Prediction


def test_a_prediction_is_one_line_of_json() -> None:
    assert json.loads(json.dumps(ANSWER.to_json(2))) == {
        "path": "a/b.jpg",
        "label": "rose",
        "probability": 0.612346,
        "unsure": None,
        "ranking": [{"label": "rose", "probability": 0.612346}, {"label": "tulip", "probability": 0.3}],
    }


def test_without_a_number_the_ranking_is_whole() -> None:
    assert [row["label"] for row in ANSWER.to_json()["ranking"]] == ["rose", "tulip", "oak"]
    assert len(ANSWER.to_json(10)["ranking"]) == 3


def test_an_error_takes_the_place_of_an_answer() -> None:
    error = PredictionError("x.txt", "not-a-photo", "The content is not a photo.")
    assert error.to_json() == {
        "path": "x.txt",
        "error": {"code": "not-a-photo", "message": "The content is not a photo."},
    }

"""Tags and numbers: what is answered from scores, and what `model.json` holds of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from finegraft.errors import BundleError, UsageError
from finegraft.inference.answering import answering_of
from finegraft.inference.bundle import load
from finegraft.inference.card import card
from finegraft.inference.model_json import parsed, written
from finegraft.inference.prediction import NumberPrediction, TagsPrediction
from finegraft.inference.predictor import Predictor
from finegraft.targets import Number, Tags
from finegraft.vision.preprocess import Preprocess
from tests.graphs import small_graph
from tests.inference.making import description, predictor
from tests.making import photo

TAGS = Tags(("ant", "bee", "cat"))
PLATT = ((1.0, 0.0), (0.5, 1.0), (2.0, -1.0))
CUTS = (0.5, 0.2, 0.9)


def tagger(**options: Any) -> Predictor:
    told: dict[str, Any] = {"thresholds": CUTS, "platt": PLATT, "unsure_below": 0.1} | options
    return Predictor(small_graph(3), Preprocess(size=8), TAGS, description(), **told)


def measurer(**options: Any) -> Predictor:
    told: dict[str, Any] = {"half_width": 1.5, "spread": 4.0} | options
    return Predictor(small_graph(1), Preprocess(size=8), Number(), description(), **told)


def test_tags_are_answered_from_their_thresholds_on() -> None:
    way = answering_of(TAGS, 1.0, 0.0, CUTS, PLATT, None)
    scores = np.array([0.1, -4.0, 1.0])
    answer = way.prediction(scores, False, "x.jpg")
    assert isinstance(answer, TagsPrediction)
    wanted = expit(scores * [1.0, 0.5, 2.0] + [0.0, 1.0, -1.0])
    np.testing.assert_allclose(way.values(scores), wanted)
    assert answer.labels == (("ant", pytest.approx(wanted[0])), ("bee", pytest.approx(wanted[1])))
    assert [label for label, _ in answer.ranking] == ["cat", "ant", "bee"], (
        "the likeliest is not answered: its bar is high"
    )
    none = way.prediction(np.array([-9.0, -9.0, -9.0]), False, None)
    assert isinstance(none, TagsPrediction)
    assert (none.labels, none.unsure) == ((), None)


def test_a_tag_near_its_threshold_makes_a_close_call_and_what_is_strange_comes_first() -> None:
    way = answering_of(Tags(("a",)), 1.0, 0.2, (0.5,), None, None)
    doubts = [way.prediction(np.array([score]), False, None).unsure for score in (0.0, 0.3, -0.3, 2.0, -2.0)]
    assert doubts == ["close call", "close call", "close call", None, None]
    assert way.prediction(np.array([0.0]), True, None).unsure == "unlike training"


def test_a_number_comes_with_its_interval() -> None:
    answer = answering_of(Number(), 1.0, 0.0, None, None, 1.5).prediction(np.array([-3.25]), False, "x.jpg")
    assert answer == NumberPrediction(-3.25, (-4.75, -1.75), None, "x.jpg")
    assert answer.to_json() == {"path": "x.jpg", "value": -3.25, "interval": [-4.75, -1.75], "unsure": None}
    alone = answering_of(Number(), 1.0, 0.0, None, None, None).prediction(np.array([1.0]), True, None)
    assert alone.to_json() == {"path": None, "value": 1.0, "interval": None, "unsure": "unlike training"}


def test_json_of_tags_cuts_the_ranking_and_never_the_answer() -> None:
    answer = TagsPrediction((("a", 0.9), ("b", 0.8)), (("a", 0.9), ("b", 0.8), ("c", 0.1)), None, "x")
    assert answer.to_json(1) == {
        "path": "x",
        "labels": [{"label": "a", "probability": 0.9}, {"label": "b", "probability": 0.8}],
        "unsure": None,
        "ranking": [{"label": "a", "probability": 0.9}],
    }


@pytest.mark.parametrize("options", [{"thresholds": (0.5,)}, {"thresholds": (0.5, 0.0, 0.5)}, {"platt": PLATT[:2]}])
def test_what_does_not_fit_the_tags_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"^3 tags need as many "):
        tagger(**options)


@pytest.mark.parametrize("made", [tagger, measurer])
def test_only_classes_can_be_chosen_among(made: Any) -> None:
    with pytest.raises(UsageError, match="there is nothing to choose among"):
        made().among(["ant"])


@pytest.mark.parametrize("made", [tagger, measurer])
def test_a_bundle_gives_everything_back(made: Any, tmp_path: Path) -> None:
    first = made()
    first.save(tmp_path / "model.fg")
    again = load(tmp_path / "model.fg")
    for name in ("target", "thresholds", "platt", "half_width", "spread", "unsure_below"):
        assert getattr(again, name) == getattr(first, name), name
    assert again.predict(photo(1)) == first.predict(photo(1))
    wrong = Predictor(small_graph(2), Preprocess(size=8), first.target, description())
    with pytest.raises(BundleError, match=r"scores of shape \(2,\) for (3 tags|a number)"):
        wrong.predict(photo(1))


def of_tags(**changes: Any) -> bytes:
    return _changed(written(tagger(), "d", {"small.png": [0.5, 0.25, 0.25]}), changes)


def of_number(**changes: Any) -> bytes:
    return _changed(written(measurer(), "d", {"small.png": [0.5]}), changes)


def _changed(content: bytes, changes: dict[str, Any]) -> bytes:
    stored = json.loads(content) | changes
    return json.dumps({name: value for name, value in stored.items() if value is not ...}).encode()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (of_tags(thresholds=...), "no field 'thresholds'"),
        (of_tags(thresholds=[0.5, 0.5]), "'thresholds' cannot be"),
        (of_tags(thresholds=[0.5, 0.5, 1.0]), "'thresholds' cannot be"),
        (of_tags(thresholds=[0.5, 0.5, "1"]), "'thresholds' cannot be"),
        (of_tags(thresholds={"ant": 0.5}), "'thresholds' cannot be"),
        (of_tags(platt=...), "no field 'platt'"),
        (of_tags(platt=[[1, 0], [1, 0]]), "'platt' cannot be"),
        (of_tags(platt=[[1, 0], [1, 0], [0, 0]]), "'platt' cannot be"),
        (of_tags(platt=[[1, 0], [1, 0], [1, 0, 0]]), "'platt' cannot be"),
        (of_tags(platt=[[1, 0], [1, 0], [True, 0]]), "'platt' cannot be"),
        (of_tags(platt=[[1, 0], [1, 0], [1, 10**400]]), "'platt' cannot be"),
        (of_tags(target={"kind": "tags", "labels": []}), "'target' needs different tags"),
        (of_tags(target={"kind": "tags", "labels": ["a", "a", "b"]}), "'target' needs different tags"),
        (of_tags(samples=[{"name": "small.png", "value": 1.0}]), "'samples' cannot be"),
        (of_tags(samples=[{"name": "small.png", "probabilities": [0.5, 0.5, 1.5]}]), "'samples' cannot be"),
        (of_number(half_width=...), "no field 'half_width'"),
        (of_number(half_width=-1), "'half_width' cannot be"),
        (of_number(half_width="wide"), "'half_width' cannot be"),
        (of_number(spread=0), "'spread' cannot be"),
        (of_number(spread=...), "no field 'spread'"),
        (of_number(samples=[{"name": "small.png", "probabilities": [1.0]}]), "'samples' cannot be"),
        (of_number(samples=[{"name": "small.png", "value": None}]), "'samples' cannot be"),
        (of_number(target={"kind": ["number"]}), "targets of the kind"),
    ],
)
def test_a_hostile_model_json_is_refused_by_its_field(content: bytes, why: str) -> None:
    with pytest.raises(BundleError, match=why):
        parsed(content)


def test_classes_have_none_of_these_fields() -> None:
    content = json.loads(written(predictor(), "d", {"small.png": [0.5, 0.25, 0.25]}))
    assert not {"thresholds", "platt", "half_width", "spread"} & set(content)


def test_the_card_says_what_a_close_call_is_and_how_far_a_number_may_be_off() -> None:
    text = card(tagger())
    assert text.startswith("# 3 tags from lite0\n")
    assert "any number of them or none" in text
    assert "where any tag lies nearer than 10 % of the way to the threshold" in text
    text = card(measurer())
    assert text.startswith("# A number from lite0\n")
    assert "The true number lies within 1.5 of the answer in 90 of 100 cases." in text
    assert "How far its numbers may be off was not measured." in card(measurer(half_width=None))

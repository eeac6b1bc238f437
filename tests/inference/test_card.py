from __future__ import annotations

import numpy as np

from finegraft.inference.card import card
from finegraft.models.graph import with_head
from finegraft.models.novelty import Likeness, Novelty
from tests.graphs import small_graph
from tests.inference.making import description, predictor


def test_it_says_what_how_well_from_what_and_how_to_use_it() -> None:
    text = card(predictor(unsure_below=0.6))
    for words in (
        "# 3 classes from lite0",
        "- ant\n- Bee\n- cat fish",
        "Measured on a part held out of training, 30 items",
        "| accuracy | 0.910 (0.880 to 0.940) |",
        "| ece | 0.020 |",
        "- licence of the weights: Apache-2.0",
        "- items learned from: 120",
        "finegraft predict model.fg photo.jpg",
        "Answers below a probability of 0.60 are called a close call: let a person look. It cannot tell items unlike",
    ):
        assert words in text


def test_what_is_not_known_is_not_claimed() -> None:
    unjudged = description(metrics={}, n_train=None, n_judged=None, judged_on=None, backbone={"name": "mine"})
    text = card(predictor(description=unjudged))
    assert "It was not judged on any data." in text
    assert "It never calls an answer a close call." in text
    assert "licence" not in text
    assert "None" not in text


def test_a_thousand_classes_are_counted_rather_than_listed() -> None:
    text = card(predictor(tuple(f"class{i}" for i in range(130))))
    assert "- class99\n- and 30 more, listed in model.json" in text
    assert "class100" not in text


def test_names_stay_text_whatever_they_hold() -> None:
    text = card(predictor(("a\n# big", "<script>", "`x`|*y*")))
    assert "\n# big" not in text
    assert "- a \\# big" in text
    assert "\\<script\\>" in text
    assert "\\`x\\`\\|\\*y\\*" in text


def test_chapters_stand_between_the_figures_and_the_origin() -> None:
    text = card(predictor(), {"The data": "- 5 photos", "Class by class": "| a |"})
    assert text.index("How good it is") < text.index("## The data\n\n- 5 photos") < text.index("## Class by class")
    assert text.index("## Class by class\n\n| a |") < text.index("Where it comes from")


def test_it_says_that_it_knows_what_is_unlike_its_training() -> None:
    one = np.ones((1, 1), np.float32)
    like = Likeness(np.zeros(4, np.float32), np.ones(4, np.float32), np.eye(4, 1, dtype=np.float32), one, one, one)
    graph = with_head(small_graph(), [(np.eye(3, 4), np.zeros(3))], Novelty(like, np.zeros(3), 0.0))
    assert "Items unlike those it learned from are called so: do not trust" in card(predictor(graph=graph))

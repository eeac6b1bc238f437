from __future__ import annotations

from finegraft.inference.card import card
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
        "Answers below a probability of 0.60 are called unsure",
    ):
        assert words in text


def test_what_is_not_known_is_not_claimed() -> None:
    unjudged = description(metrics={}, n_train=None, n_judged=None, judged_on=None, backbone={"name": "mine"})
    text = card(predictor(description=unjudged))
    assert "It was not judged on any data." in text
    assert "It never calls an answer unsure." in text
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

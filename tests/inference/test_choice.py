from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from finegraft.errors import UsageError
from finegraft.inference.choice import among, everything
from finegraft.targets import Category

ANIMALS = Category(("ant", "Bee", "cat fish", "dog"))
SCORES = np.array([2.0, 1.0, 3.0, -1.0], np.float32)


def test_everything_is_the_plain_softmax() -> None:
    choice = everything(ANIMALS)
    probabilities = choice.probabilities(SCORES, 1.5)
    assert choice.labels == ANIMALS.labels
    np.testing.assert_allclose(probabilities, softmax(SCORES.astype(float) / 1.5))
    assert choice.labels[choice.answer(SCORES, probabilities)] == "cat fish"


def test_several_share_the_whole_probability_in_the_order_they_were_named() -> None:
    choice = among(ANIMALS, ["dog", "ant"])
    whole = softmax(SCORES.astype(float) / 1.5)
    probabilities = choice.probabilities(SCORES, 1.5)
    assert choice.labels == ("dog", "ant")
    np.testing.assert_allclose(probabilities, whole[[3, 0]] / whole[[3, 0]].sum())
    assert choice.labels[choice.answer(SCORES, probabilities)] == "ant"


def test_several_that_have_next_to_nothing_still_sum_to_one() -> None:
    scores = np.array([-2000.0, -2001.0, 2000.0, 0.0])
    np.testing.assert_allclose(among(ANIMALS, ["ant", "bee"]).probabilities(scores, 1.0), softmax([1.0, 0.0]))


@pytest.mark.parametrize(("name", "answer"), [("cat fish", "yes"), ("ant", "no")])
def test_one_alone_is_yes_where_it_comes_first_among_all(name: str, answer: str) -> None:
    choice = among(ANIMALS, [name])
    probabilities = choice.probabilities(SCORES, 1.0)
    own = softmax(SCORES.astype(float))[ANIMALS.labels.index(name)]
    assert choice.labels == ("yes", "no")
    np.testing.assert_allclose(probabilities, [own, 1 - own])
    assert choice.labels[choice.answer(SCORES, probabilities)] == answer


def test_the_first_of_many_is_yes_even_with_little_probability() -> None:
    many = Category(tuple(map(str, range(1000))))
    scores = np.zeros(1000)
    scores[7] = 1.0
    choice = among(many, ["7"])
    probabilities = choice.probabilities(scores, 1.0)
    assert probabilities[0] < 0.01
    assert choice.answer(scores, probabilities) == 0


@pytest.mark.parametrize(
    ("names", "judged_by"),
    [(["ant", "dog"], "ant"), (["dog"], "cat fish"), (["cat fish"], "cat fish"), (["dog", "cat fish"], "cat fish")],
)
def test_certainty_is_a_probability_among_all_classes(names: list[str], judged_by: str) -> None:
    wanted = softmax(SCORES.astype(float) / 1.5)[ANIMALS.labels.index(judged_by)]
    assert among(ANIMALS, names).certainty(SCORES, 1.5) == pytest.approx(wanted)
    assert everything(ANIMALS).certainty(SCORES, 1.5) == everything(ANIMALS).probabilities(SCORES, 1.5).max()


def test_names_match_whatever_their_case_and_only_once() -> None:
    assert among(ANIMALS, ["BEE", "bee", "Dog"]).labels == ("Bee", "dog")


def test_case_counts_where_it_tells_classes_apart() -> None:
    chess = Category(("Pawn", "pawn", "king"))
    assert among(chess, ["pawn", "king"]).labels == ("pawn", "king")
    with pytest.raises(UsageError, match=r"no class 'PAWN'\. Did you mean 'Pawn'"):
        among(chess, ["PAWN"])


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"^The model has no class 'catfish'\. Did you mean 'cat fish'\?$"):
        among(ANIMALS, ["ant", "catfish"])


def test_an_unknown_name_like_no_other_is_answered_with_what_there_is() -> None:
    many = Category(tuple(f"class {i}" for i in range(12)))
    with pytest.raises(UsageError, match=r"It knows: ant, Bee, cat fish, dog\.$"):
        among(ANIMALS, ["helicopter"])
    with pytest.raises(UsageError, match=r"class 9, …\.$"):
        among(many, ["helicopter"])


def test_a_choice_needs_a_class() -> None:
    with pytest.raises(UsageError, match=r"No class was given to choose among\. Name at least one\."):
        among(ANIMALS, [])

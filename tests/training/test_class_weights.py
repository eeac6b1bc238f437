from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional

from finegraft.errors import UsageError
from finegraft.models.heads import Standardise
from finegraft.training.class_weights import MOST, centred, choose, of_records, weights_of
from finegraft.training.objective import of_categories
from finegraft.training.recipe import Fit, Recipe, Table, scores_of
from finegraft.training.schedule import one_cycle
from tests.training.making import table

BEARS = {"black": 126, "grizzly": 130, "teddy": 12}


def test_weights_are_scikit_learns_balanced_ones() -> None:
    truth = np.repeat([0, 1, 2], list(BEARS.values()))
    expected = compute_class_weight("balanced", classes=np.arange(3), y=truth)
    np.testing.assert_allclose(weights_of(np.bincount(truth)), expected)


@pytest.mark.parametrize("counts", [[5, 5], [300, 100, 7], [636, 1], [100_000, 1, 3]])
def test_weights_average_one_over_the_records_and_none_is_a_hundred_times_another(counts: list[int]) -> None:
    weights = weights_of(np.array(counts))
    assert (weights * counts).sum() == pytest.approx(sum(counts))
    assert weights.max() / weights.min() <= MOST * (1 + 1e-12)


def test_unbalanced_classes_are_weighed_and_the_reason_says_how_much() -> None:
    chosen = choose(BEARS)
    assert chosen.values is not None
    assert chosen.unbalanced
    assert chosen.reason == (
        "Class 'grizzly' has 130 to learn from, 'teddy' only 12: a record of 'teddy' counts 10.8 times one of "
        "'grizzly', so that every class counts the same."
    )
    assert chosen.to_json(tuple(BEARS)) == {
        "class_weights": {"black": 0.709, "grizzly": 0.6872, "teddy": 7.4444},
        "class_weights_reason": chosen.reason,
    }


def test_a_single_record_counts_no_more_than_is_safe() -> None:
    assert choose({"a": 636, "b": 1}).reason == (
        "Class 'a' has 636 to learn from, 'b' only 1: a record of 'b' counts 100 times one of 'a', as much as is safe."
    )


def test_balanced_classes_are_not_weighed() -> None:
    chosen = choose({"a": 20, "b": 79})
    assert (chosen.values, chosen.unbalanced) == (None, False)
    assert chosen.reason == "All records count the same: no class has 4 times the records of another."
    assert chosen.to_json(("a", "b")) == {"class_weights": None, "class_weights_reason": chosen.reason}


def test_no_means_no_and_says_what_was_passed_over() -> None:
    chosen = choose(BEARS, "no")
    assert (chosen.values, chosen.unbalanced) == (None, True)
    assert chosen.reason == (
        "Class 'grizzly' has 130 to learn from, 'teddy' only 12; all records count the same nonetheless, as was asked "
        "for."
    )


@pytest.mark.parametrize("word", ["yes", "", None, {"a": 2.0}])
def test_another_word_is_refused(word: Any) -> None:
    with pytest.raises(UsageError, match=r"^Class weights are 'auto' or 'no', got "):
        choose(BEARS, word)


def test_a_weighted_loss_is_that_of_records_written_so_many_times() -> None:
    """Weights 1 and 3: as if the records of the second class were there three times, over the records there are."""
    scores, truth = torch.randn(6, 2, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 0, 0, 1, 0])
    written = torch.cat([torch.arange(6), *[torch.tensor([1, 4])] * 2])
    expected = functional.cross_entropy(scores[written], truth[written], reduction="sum") / 6
    assert of_categories(weights=torch.tensor([1.0, 3.0]))(scores, truth).item() == pytest.approx(expected.item())


def test_the_loss_of_a_batch_does_not_depend_on_how_many_of_the_rare_class_are_in_it() -> None:
    """A record adds the same, whatever its neighbours: the mean over batches is the mean over the records."""
    objective = of_categories(weights=torch.tensor([0.5, 5.0]))
    scores = torch.randn(8, 2, generator=torch.Generator().manual_seed(1))
    truth = torch.tensor([0, 0, 0, 0, 0, 0, 1, 1])
    parts = [objective(scores[rows], truth[rows]).item() for rows in (slice(0, 4), slice(4, 8))]
    assert np.mean(parts) == pytest.approx(objective(scores, truth).item())


def test_features_are_centred_on_the_middle_of_the_classes() -> None:
    features, truth = torch.tensor([[0.0, 2.0], [2.0, 2.0], [1.0, 8.0]]), torch.tensor([0, 0, 1])
    weight = of_records(weights_of(np.array([2, 1])), truth)
    moved = centred(Standardise(features.mean(0), torch.tensor([3.0, 5.0])), features, weight)
    assert moved.get_buffer("mean").tolist() == pytest.approx([1.0, 5.0])
    assert moved.get_buffer("deviation").tolist() == [3.0, 5.0]


def lopsided(few: int, seed: int) -> Table:
    """`few` records of the second class beside 300 of the first, close together in 60 dimensions."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(1).normal(0, 0.35, (2, 60))
    truth = np.repeat([0, 1], [300, few])
    features = centres[truth] + rng.normal(0, 1, (len(truth), 60))
    return Table(torch.from_numpy(features.astype(np.float32)), torch.from_numpy(truth))


def recalls(weights: np.ndarray | None, head: Any) -> np.ndarray:
    loss = of_categories(weights=None if weights is None else torch.from_numpy(weights).float())
    recipe, learned, judged = Recipe(2, loss, 16, 0, weights), lopsided(8, seed=0), lopsided(300, seed=2)
    network = recipe.fresh(head, learned)
    recipe.train(network, learned, Fit(one_cycle(0.003), 8))
    answers, truth = scores_of(network, judged).argmax(1), judged.truth.numpy()
    return np.array([(answers[truth == label] == label).mean() for label in (0, 1)])


@pytest.mark.parametrize("head", ["linear", "mlp"])
def test_with_weights_more_of_the_rare_class_is_found_and_the_common_one_is_kept(head: Any) -> None:
    plain, weighed = recalls(None, head), recalls(weights_of(np.array([300, 8])), head)
    assert weighed.mean() > plain.mean() + 0.05
    assert weighed[0] > 0.9


def test_a_class_missing_in_a_fold_and_a_batch_of_two_do_no_harm() -> None:
    weights = weights_of(np.array([30, 30, 1]))
    recipe = Recipe(3, of_categories(weights=torch.from_numpy(weights).float()), 2, 0, weights)
    part = table(12, classes=2)
    for head in ("linear", "mlp"):
        network = recipe.fresh(head, part)  # type: ignore[arg-type]
        recipe.train(network, part, Fit(one_cycle(0.01), 2))
        assert np.isfinite(scores_of(network, part)).all()

"""Records mixed in pairs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from finegraft.training.loaders import Batches
from finegraft.training.mixing import ALPHA, Mixed, MixedTruth, blended, cut_in, of_mixed
from finegraft.training.objective import of_categories, of_numbers, of_tags
from tests.training.making import table


def feed() -> Batches:
    learned = table(40)
    return Batches(learned.features, learned.truth, 8, seed=5)


def test_a_pair_is_a_weighed_sum_and_its_truth_says_of_whom() -> None:
    mixed = Mixed(feed(), "mixup")
    assert (len(mixed), mixed.records, mixed.seed) == (len(feed()), 40, 5)
    for (inputs, truth), (plain, own) in zip(mixed.epoch(2), feed().epoch(2), strict=True):
        assert isinstance(truth, MixedTruth)
        assert torch.equal(truth.own, own)
        assert len(truth) == len(own)
        place = [int(np.flatnonzero((plain == row).all(1))[0]) for row in plain]
        others = (inputs - truth.weight * plain) / (1 - truth.weight) if truth.weight < 1 else plain
        order = [int((plain - other).norm(dim=1).argmin()) for other in others]
        assert sorted(order) == sorted(place)  # a permutation of the batch
        assert torch.equal(own[order], truth.other)


def test_the_same_seed_mixes_the_same_and_every_epoch_anew() -> None:
    first, again = (list(Mixed(feed(), "mixup").epoch(1)) for _ in range(2))
    for (one, truth), (other, other_truth) in zip(first, again, strict=True):
        assert torch.equal(one, other)
        assert truth.weight == other_truth.weight
    weights = [truth.weight for epoch in range(3) for _, truth in Mixed(feed(), "mixup").epoch(epoch)]
    assert len(set(weights)) == len(weights)


def test_weights_follow_the_beta_distribution_of_the_paper() -> None:
    learned = table(2)
    many = Mixed(Batches(learned.features, learned.truth, 2, seed=0), "mixup")
    weights = np.array([truth.weight for epoch in range(3000) for _, truth in many.epoch(epoch)])
    alpha = ALPHA["mixup"]
    assert weights.mean() == pytest.approx(0.5, abs=0.03)
    assert weights.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), abs=0.01)


@pytest.mark.parametrize(
    ("objective", "own", "other", "scores"),
    [
        (of_categories(), torch.tensor([0, 1]), torch.tensor([1, 1]), torch.randn(2, 3)),
        (of_tags(), torch.eye(2), torch.ones(2, 2), torch.randn(2, 2)),
        (of_numbers(1.0), torch.tensor([0.5, 2.0]), torch.tensor([1.0, 1.0]), torch.randn(2, 1)),
    ],
)
def test_the_loss_is_that_of_both_for_every_target(objective, own, other, scores) -> None:  # type: ignore[no-untyped-def]
    found = of_mixed(objective)(scores, MixedTruth(own, other, 0.3))
    assert found.item() == pytest.approx(0.3 * objective(scores, own).item() + 0.7 * objective(scores, other).item())
    assert of_mixed(objective)(scores, own).item() == objective(scores, own).item()


def test_for_classes_it_is_the_loss_of_soft_labels() -> None:
    scores, own, other = torch.randn(4, 3), torch.tensor([0, 1, 2, 0]), torch.tensor([2, 2, 1, 0])
    soft = 0.4 * nn.functional.one_hot(own, 3) + 0.6 * nn.functional.one_hot(other, 3)
    found = of_mixed(of_categories())(scores, MixedTruth(own, other, 0.4))
    torch.testing.assert_close(found, nn.functional.cross_entropy(scores, soft))


def test_photos_and_maps_are_blended() -> None:
    order = torch.tensor([1, 0])
    photos = torch.stack([torch.zeros(2, 2, 3), torch.full((2, 2, 3), 100.0)]).to(torch.uint8)
    assert blended(photos, order, 0.25)[0, 0, 0, 0].item() == 75.0
    maps, below = blended((photos.float(), torch.tensor([[0.0], [8.0]])), order, 0.75)
    assert maps[0, 0, 0, 0].item() == 25.0
    assert below.tolist() == [[2.0], [6.0]]


@pytest.mark.parametrize("weight", [0.0, 0.2, 0.7, 1.0])
def test_a_rectangle_of_another_photo_is_cut_in_and_its_area_counts(weight: float) -> None:
    photos = torch.stack([torch.zeros(40, 30, 3), torch.ones(40, 30, 3)])
    for seed in range(20):
        cut, left = cut_in(photos, torch.tensor([1, 0]), weight, np.random.default_rng(seed))
        assert cut[0].mean().item() == pytest.approx(1 - left, abs=1e-6)
        assert cut[1].mean().item() == pytest.approx(left, abs=1e-6)
        assert left >= weight - 0.06  # what would lie outside is not cut in
        rows, columns = (cut[0, :, :, 0] == 1).nonzero(as_tuple=True)
        if len(rows):
            assert len(rows) == (rows.max() - rows.min() + 1) * (columns.max() - columns.min() + 1)


def test_of_maps_the_averages_follow_the_area() -> None:
    maps, below = torch.stack([torch.zeros(5, 8, 8), torch.ones(5, 8, 8)]), torch.tensor([[0.0], [1.0]])
    (cut, averages), left = cut_in((maps, below), torch.tensor([1, 0]), 0.5, np.random.default_rng(1))
    assert cut.shape == maps.shape
    assert cut[0].mean().item() == pytest.approx(1 - left, abs=1e-6)
    assert averages[0].item() == pytest.approx(1 - left, abs=1e-6)

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles

from finegraft.training import novelty as module
from finegraft.training.novelty import ALLOWED, likeness, novelty
from finegraft.training.recipe import Table


def cluster(n: int, classes: int = 4, width: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """`n` items of `classes` classes near a subspace of six dimensions, and their class numbers."""
    rng, fixed = np.random.default_rng(seed), np.random.default_rng(99)
    plane, centres = fixed.normal(size=(6, width)), fixed.normal(0, 3, (classes, 6))
    truth = rng.integers(0, classes, n)
    inside = centres[truth] + rng.normal(size=(n, 6))
    return (inside @ plane + 0.3 * rng.normal(size=(n, width))).astype(np.float32), truth


def told(features: np.ndarray, classes: int = 4) -> np.ndarray:
    """Scores by the distance to each class of `cluster`."""
    fixed = np.random.default_rng(99)
    plane, centres = fixed.normal(size=(6, features.shape[1])), fixed.normal(0, 3, (classes, 6))
    return -np.linalg.norm(features[:, None] - (centres @ plane)[None], axis=2)


def table(features: np.ndarray, truth: np.ndarray) -> Table:
    return Table(torch.from_numpy(features), torch.from_numpy(truth))


def test_new_items_like_the_training_data_are_seldom_called_unlike_it() -> None:
    features, truth = cluster(800)
    found = novelty(table(features, truth), told(features), np.arange(800) % 5, seed=0)
    assert found is not None
    measure, novel = found
    assert np.mean(novel > 1) == ALLOWED
    new, _ = cluster(2000, seed=1)
    assert 0.01 < np.mean(measure.of(new, told(new)) > 1) < 0.05


def test_what_lies_beside_the_subspace_is_unlike_whatever_the_head_says() -> None:
    features, truth = cluster(800)
    found = novelty(table(features, truth), told(features), np.arange(800) % 5, seed=0)
    assert found is not None
    strange = np.random.default_rng(2).normal(0, features.std(), (200, 40)).astype(np.float32)
    sure = np.full((200, 4), told(features).max())  # as high a score as any
    assert np.mean(found[0].of(strange, sure) > 1) > 0.99


def test_a_class_never_learned_is_more_novel_than_those_learned() -> None:
    features, truth = cluster(1000)
    known = truth < 3
    learned = table(features[known], truth[known])
    scores = told(features)[:, :3]
    found = novelty(learned, scores[known], np.arange(known.sum()) % 5, seed=0)
    assert found is not None
    held_back = found[0].of(features[~known], scores[~known])
    assert np.mean(held_back[:, None] > found[1][None]) > 0.9  # the area under the ROC curve


def test_the_subspace_is_that_of_the_principal_components() -> None:
    features, truth = cluster(400)
    found = likeness(table(features, truth), seed=0)
    standard = (features - features.mean(0)) / (features.std(0) + 1e-3)
    principal = np.linalg.svd(standard, full_matrices=False)[2][:6].T
    assert subspace_angles(found.basis, principal).max() < 1e-3
    np.testing.assert_allclose(found.basis.T @ found.basis, np.eye(found.basis.shape[1]), atol=1e-5)


def test_it_repeats_with_the_seed_and_leaves_the_callers_generator_alone() -> None:
    features, truth = cluster(100)
    torch.manual_seed(3)
    first = likeness(table(features, truth), seed=1)
    drawn = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(torch.rand(1), drawn)
    second = likeness(table(features, truth), seed=1)
    assert all(np.array_equal(getattr(first, name), getattr(second, name)) for name in vars(first))


def test_few_records_tell_nothing_and_equal_ones_break_nothing() -> None:
    features, truth = cluster(20)
    assert novelty(table(features, truth), told(features), np.arange(20) % 5, seed=0) is None
    same = np.ones((30, 40), np.float32)
    found = novelty(table(same, np.arange(30) % 2), np.zeros((30, 2)), np.arange(30) % 5, seed=0)
    assert found is not None
    assert np.isfinite(found[0].of(same, np.zeros((30, 2)))).all()


def test_a_class_without_a_record_in_a_fold_is_passed_over() -> None:
    features, truth = cluster(60, classes=3)
    truth[truth == 2] = 1
    truth[0] = 2
    found = novelty(table(features, truth), told(features, 3), np.arange(60) % 5, seed=0)
    assert found is not None
    assert np.isfinite(found[1]).all()


def test_of_many_records_some_are_taken_and_of_every_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 100)
    truth = np.concatenate([np.zeros(500, np.int64), np.ones(20, np.int64), np.full(3, 2)])
    taken = module.some_of(truth, seed=0)
    assert len(taken) == len(set(taken.tolist())) == 100
    counts = np.bincount(truth[taken], minlength=3)
    assert counts[1] >= 8
    assert counts[2] == 3, "all that there are"
    assert taken.tolist() == sorted(taken.tolist())
    assert module.some_of(truth[:50], seed=0).tolist() == list(range(50))
    assert module.some_of(truth, seed=1).tolist() != taken.tolist()


def test_classes_beyond_the_limit_all_have_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 10)
    truth = np.repeat(np.arange(5), 20)
    assert np.bincount(truth[module.some_of(truth, seed=0)]).tolist() == [8] * 5

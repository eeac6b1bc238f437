"""Confident learning beside a transcription of the paper, line by line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finegraft.cleaning.confident import doubt, joint, suspects


def sampled(seed: int, n: int = 200, k: int = 4, wrong: float = 0.1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels of which a share is wrong, what is right, and probabilities of a fair model."""
    rng = np.random.default_rng(seed)
    right = rng.integers(k, size=n)
    scores = rng.normal(size=(n, k)) + 2.5 * np.eye(k)[right]
    labels = np.where(rng.random(n) < wrong, rng.integers(k, size=n), right)
    return labels, right, np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)


def transcribed(labels: np.ndarray, p: np.ndarray) -> tuple[list[float], list[list[int]], np.ndarray]:
    """Equations 1 to 3 of the paper, a sum for a sum."""
    n, k = p.shape
    t = []
    for j in range(k):
        own = [p[x, j] for x in range(n) if labels[x] == j]
        t.append(sum(own) / len(own) if own else np.inf)
    counts = [[0] * k for _ in range(k)]
    for x in range(n):
        reached = [j for j in range(k) if p[x, j] >= t[j]]
        if reached:
            counts[labels[x]][max(reached, key=lambda j: p[x, j])] += 1
    shares = np.zeros((k, k))
    for i in range(k):
        row = sum(counts[i])
        for j in range(k):
            size = sum(label == i for label in labels.tolist())
            shares[i, j] = (counts[i][j] / row if row else float(i == j)) * size
    return t, counts, shares / shares.sum()


def pruned(labels: np.ndarray, p: np.ndarray, shares: np.ndarray) -> set[int]:
    """Prune by noise rate."""
    n, k = p.shape
    found: set[int] = set()
    for i in range(k):
        for j in range(k):
            if i != j:
                rows = sorted((x for x in range(n) if labels[x] == i), key=lambda x: p[x, i] - p[x, j])
                found.update(rows[: round(n * shares[i, j])])
    return found


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("n", "k"), [(200, 4), (60, 2), (300, 12)])
def test_it_is_what_the_paper_says(seed: int, n: int, k: int) -> None:
    labels, _, p = sampled(seed, n, k)
    thresholds, counts, shares = transcribed(labels, p)
    found = joint(labels, p)
    np.testing.assert_allclose(found.thresholds, thresholds)
    np.testing.assert_array_equal(found.counts, counts)
    np.testing.assert_allclose(found.shares, shares)
    assert set(np.flatnonzero(suspects(labels, p)).tolist()) == pruned(labels, p, shares)


@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(1, 40))
def test_shares_are_a_distribution_whatever_comes(seed: int, k: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    found = joint(rng.integers(k, size=n), rng.dirichlet(np.ones(k), n))
    assert found.shares.sum() == pytest.approx(1)
    assert (found.shares >= 0).all()
    assert 0 <= found.wrong <= 1


@pytest.mark.parametrize("seed", range(5))
def test_planted_errors_are_found_and_few_others(seed: int) -> None:
    labels, right, p = sampled(seed, n=2000, k=5, wrong=0.08)
    planted = labels != right
    chosen = suspects(labels, p)
    assert joint(labels, p).wrong == pytest.approx(planted.mean(), abs=0.03)
    assert planted[chosen].mean() > 0.6
    assert chosen[planted].mean() > 0.6
    score, other = doubt(labels, p)
    first = np.argsort(-score)[:50]
    assert planted[first].mean() > 0.9
    assert (other[first] == right[first])[planted[first]].mean() > 0.9


def test_clean_labels_of_a_sure_model_have_no_suspects() -> None:
    right = np.arange(60) % 3
    p = np.full((60, 3), 0.01)
    p[np.arange(60), right] = 0.98
    assert joint(right, p).wrong == 0
    assert not suspects(right, p).any()


def test_a_class_without_records_is_never_confident() -> None:
    labels, _, p = sampled(0, k=3)
    wider = np.concatenate([p * 0.5, np.full((len(p), 1), 0.5)], axis=1)
    found = joint(labels, wider)
    assert found.thresholds[3] == np.inf
    assert not (found.confident == 3).any()


def test_doubt_is_the_other_class_s_share_of_both() -> None:
    score, other = doubt(np.array([0, 1]), np.array([[0.2, 0.6, 0.2], [0.1, 0.9, 0.0]]))
    np.testing.assert_allclose(score, [0.75, 0.1])
    np.testing.assert_array_equal(other, [1, 0])
    score, _ = doubt(np.array([0]), np.array([[0.0, 0.0, 1.0]]))
    assert score[0] == 1.0

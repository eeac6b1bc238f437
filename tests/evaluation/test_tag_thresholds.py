from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import f1_score

from finegraft.evaluation.tag_thresholds import best_f1, certainty, probabilities_of, sigmoid, thresholds


def drawn(n: int, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    probabilities = rng.random((n, k)).round(2)
    return probabilities, (rng.random((n, k)) < probabilities).astype(np.int64)


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 40), st.integers(0, 10_000))
def test_no_cut_has_a_higher_f1_than_the_best(n: int, seed: int) -> None:
    (probabilities,), (truth,) = (part.T for part in drawn(n, 1, seed))
    if not truth.any():
        return
    found = best_f1(probabilities, truth)
    every = [f1_score(truth, probabilities >= cut, zero_division=0) for cut in np.unique(probabilities)]
    assert f1_score(truth, probabilities >= found, zero_division=0) == pytest.approx(max(every))
    assert 0 < found < 1
    assert not (probabilities == found).any() or found == 0.5, "no answer hangs on the last digit"


def test_a_half_is_kept_where_it_cuts_as_well() -> None:
    assert best_f1(np.array([0.9, 0.8, 0.2]), np.array([1, 1, 0])) == 0.5
    assert best_f1(np.zeros(3), np.array([1, 0, 1])) == 0.5


def test_tags_that_few_have_follow_all_together_and_common_ones_themselves() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.random((2000, 2))
    truth = np.stack([probabilities[:, 0] > 0.8, probabilities[:, 1] > 0.3], axis=1).astype(np.int64)
    truth[4:, 0] = 0
    truth[:4, 0] = 1
    rare, common = thresholds(probabilities, truth)
    together = best_f1(probabilities.ravel(), truth.ravel())
    own = best_f1(probabilities[:, 0], truth[:, 0])
    assert common == pytest.approx(0.3, abs=0.02)
    assert abs(rare - together) < abs(rare - own)


def test_a_tag_that_none_or_all_have_is_answered_from_a_half_on() -> None:
    probabilities, truth = drawn(50, 3)
    truth[:, 0], truth[:, 1] = 0, 1
    assert thresholds(probabilities, truth)[:2].tolist() == [0.5, 0.5]
    assert thresholds(probabilities, np.zeros((50, 3), dtype=int)).tolist() == [0.5] * 3


def test_probabilities_are_scipys() -> None:
    scores = np.random.default_rng(0).normal(0, 50, (20, 3))
    np.testing.assert_allclose(sigmoid(scores), expit(scores), atol=1e-15)
    platt = np.array([[1.0, 0.0], [0.5, 2.0], [2.0, -1.0]])
    np.testing.assert_allclose(probabilities_of(scores, platt), expit(scores * platt[:, 0] + platt[:, 1]), atol=1e-15)


def test_certainty_is_0_at_a_threshold_and_1_where_everything_is_sure() -> None:
    cuts = np.array([0.2, 0.5])
    assert certainty(np.array([[0.2, 0.9]]), cuts).tolist() == [0.0]
    assert certainty(np.array([[0.0, 1.0], [1.0, 0.0]]), cuts).tolist() == [1.0, 1.0]
    assert certainty(np.array([[0.1, 0.75]]), cuts) == pytest.approx([0.5])

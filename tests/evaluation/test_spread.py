from __future__ import annotations

import numpy as np
import pytest

from finegraft.evaluation.spread import centre_and_spread


def test_of_a_normal_sample_it_is_mean_and_deviation() -> None:
    numbers = np.random.default_rng(0).normal(50, 7, 100_000)
    assert centre_and_spread(numbers) == pytest.approx((50, 7), rel=0.01)


def test_a_few_mistyped_numbers_change_little() -> None:
    numbers = np.random.default_rng(0).normal(50, 7, 1000)
    numbers[:30] *= 1000
    assert centre_and_spread(numbers) == pytest.approx((50, 7), rel=0.1)


def test_it_is_never_0() -> None:
    assert centre_and_spread(np.full(5, 3.0)) == (3.0, 1.0)
    assert centre_and_spread(np.array([0.0] * 9 + [10.0])) == (0.0, 3.0)

from __future__ import annotations

import math

import numpy as np
import pytest

from finegraft.evaluation.conformal import half_width


def test_it_is_the_order_statistic_of_the_paper() -> None:
    residuals = np.random.default_rng(0).normal(size=137)
    wanted = np.sort(np.abs(residuals))[math.ceil(0.9 * 138) - 1]
    assert half_width(residuals) == wanted
    assert half_width(residuals, tuple(map(str, range(137)))) == wanted, "each stands alone"


@pytest.mark.parametrize("n", [9, 20, 100])
@pytest.mark.parametrize("draw", ["normal", "exponential", "standard_cauchy"])
def test_a_new_number_lies_inside_in_90_of_100_cases_whatever_the_errors_are_like(n: int, draw: str) -> None:
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(4000):
        errors = getattr(rng, draw)(size=n + 1)
        width = half_width(errors[:-1])
        assert width is not None
        held += abs(errors[-1]) <= width
    assert held / 4000 > 0.9 - 0.015
    if n == 100:
        assert held / 4000 < 0.93


def test_records_of_one_group_count_once_together() -> None:
    rng = np.random.default_rng(0)
    held, naive = 0, 0
    for _ in range(1500):
        own = rng.normal(size=31)
        sizes = np.where(np.arange(31) < 3, 40, 1)  # three groups with most of the records
        errors, groups = np.repeat(own, sizes)[:-1], np.repeat(np.arange(31), sizes)[:-1]
        held += abs(own[-1]) <= (half_width(errors, tuple(map(str, groups))) or 0.0)
        naive += abs(own[-1]) <= (half_width(errors) or 0.0)
    assert held / 1500 > 0.88
    assert naive < held


def test_too_few_records_promise_nothing() -> None:
    assert half_width(np.ones(8)) is None
    assert half_width(np.ones(30), ("a",) * 30) is None
    assert half_width(np.zeros(0)) is None

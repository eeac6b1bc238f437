"""Rates for groups of layers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from finegraft.errors import UsageError
from finegraft.training.rates import Decayed, peak_and_scales


def test_a_number_is_the_rate_of_all() -> None:
    assert peak_and_scales(2e-3, 3) == (2e-3, [1.0, 1.0, 1.0])


def test_a_slice_rises_by_equal_factors() -> None:
    peak, scales = peak_and_scales(slice(1e-5, 1e-3), 5)
    assert peak == 1e-3
    np.testing.assert_allclose(np.array(scales) * peak, np.geomspace(1e-5, 1e-3, 5), rtol=1e-12)


def test_half_a_slice_gives_all_but_the_head_a_tenth() -> None:
    assert peak_and_scales(slice(1e-3), 3) == (1e-3, [0.1, 0.1, 1.0])


def test_a_decay_falls_from_the_head_downwards() -> None:
    assert peak_and_scales(Decayed(1e-3, 0.5), 3) == (1e-3, [0.25, 0.5, 1.0])


def test_one_group_gets_the_highest_rate() -> None:
    assert peak_and_scales(slice(1e-5, 1e-3), 1) == (1e-3, [1.0])


@pytest.mark.parametrize("rate", [0, -1e-3, math.nan, math.inf, True, "1e-3"])
def test_what_is_no_rate_is_refused(rate: object) -> None:
    for given in (rate, slice(1e-5, rate), slice(rate, 1e-3), Decayed(rate, 0.5)):  # type: ignore[arg-type]
        with pytest.raises(UsageError, match=r"A learning rate must be above 0, got"):
            peak_and_scales(given, 3)  # type: ignore[arg-type]


def test_a_falling_slice_is_refused_with_what_to_write() -> None:
    with pytest.raises(UsageError, match=r"Lower layers get the lower rate") as caught:
        peak_and_scales(slice(1e-3, 1e-5), 3)
    assert caught.value.mend == "Write slice(1e-05, 0.001) instead."


@pytest.mark.parametrize("given", [slice(1e-5, 1e-3, 2), slice(1e-5, None)])
def test_a_slice_has_two_ends(given: slice) -> None:
    with pytest.raises(UsageError, match="A slice of rates has two ends, or one"):
        peak_and_scales(given, 3)


@pytest.mark.parametrize("decay", [0, 1.5, -1])
def test_a_decay_that_is_none_is_refused(decay: float) -> None:
    with pytest.raises(UsageError, match="must be above 0 and at most 1"):
        Decayed(1e-3, decay)

"""Where numbers lie and how far they spread, told so that a few mistyped ones do not matter."""

from __future__ import annotations

import numpy as np

_QUARTERS = 1.349  # between the quartiles of a normal distribution, in standard deviations


def centre_and_spread(numbers: np.ndarray) -> tuple[float, float]:
    """The median, and what the standard deviation would be by the distance of the quartiles: finite, above 0.

    Where these are equal, the standard deviation itself; 1 where all numbers are the same.

    >>> centre_and_spread(np.array([1.0, 2.0, 3.0, 4.0, 500.0]))
    (3.0, 1.4825796886582654)
    """
    low, middle, high = np.quantile(np.asarray(numbers, dtype=np.float64), (0.25, 0.5, 0.75)).tolist()
    spread = (high - low) / _QUARTERS or float(np.std(numbers)) or 1.0
    return middle, spread

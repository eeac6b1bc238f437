"""Probabilities as they are written: short, and still with the same answers."""

from __future__ import annotations

import numpy as np

from finegraft.evaluation.metrics import ranks
from finegraft.evaluation.rows import DIGITS


def rounded(truth: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Probabilities to 6 significant digits, float64 (n, k), such that nobody's place among the answers changes.

    Rounding can make two classes equal and so change which comes first; such rows stay as they are.
    """
    exact = np.asarray(probabilities, dtype=np.float64)
    magnitude = np.floor(np.log10(exact, out=np.zeros_like(exact), where=exact > 0))
    scale = 10.0 ** (DIGITS - 1 - magnitude.clip(-300))  # a larger power would be infinite
    rounded = np.rint(exact * scale) / scale
    moved = (rounded.argmax(axis=1) != exact.argmax(axis=1)) | (ranks(truth, rounded) != ranks(truth, exact))
    rounded[moved] = exact[moved]
    return rounded

"""How blurred a picture is, along each of its axes.

A blurred picture loses little when it is blurred again. Crété et al., 2007, "The blur effect: perception and
estimation with a new no-reference perceptual blur metric".
"""

from __future__ import annotations

import numpy as np

_RADIUS = 5  # half the width of the second blur, as in the paper: 11 pixels
_EVERY = 4  # lines that are looked at: every fourth one gives the same share at a quarter of the cost


def blur(grey: np.ndarray) -> tuple[float, float]:
    """The share of the differences between neighbours that survives a further blur: (from row to row, from column to
    column), each 0 (sharp) to 1.

    `grey` (h, w) of any number type. A picture of one grey, or one too small to tell, counts as sharp.
    """
    picture = np.asarray(grey, dtype=np.float32)
    return _along(picture[:, ::_EVERY].T), _along(picture[::_EVERY])


def _along(lines: np.ndarray) -> float:
    """The share for the rows of `lines`."""
    if lines.shape[1] < 2 * _RADIUS + 1:
        return 0.0
    padded = np.pad(lines, ((0, 0), (_RADIUS + 1, _RADIUS)), mode="edge")
    sums = padded.cumsum(axis=1, dtype=np.float32)
    blurred = (sums[:, 2 * _RADIUS + 1 :] - sums[:, : -(2 * _RADIUS + 1)]) / (2 * _RADIUS + 1)
    steps, blurred_steps = np.abs(np.diff(lines, axis=1)), np.abs(np.diff(blurred, axis=1))
    total = float(steps.sum(dtype=np.float64))
    lost = float(np.maximum(steps - blurred_steps, 0).sum(dtype=np.float64))
    return (total - lost) / total if total > 0 else 0.0

"""Which classes are taken for which, and which records are worst."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def confusion_matrix(truth: np.ndarray, predicted: np.ndarray, k: int) -> np.ndarray:
    """How often class i (row, the truth) was answered as class j (column): int64 (k, k).

    `truth` and `predicted` are class numbers in 0..k-1, int (n,).
    """
    cells = np.bincount(np.asarray(truth) * k + np.asarray(predicted), minlength=k * k)
    return cells.reshape(k, k)


def most_confused(matrix: np.ndarray, labels: Sequence[str], min_val: int = 2) -> list[tuple[str, str, int]]:
    """Pairs (actual, predicted, count) that happened at least `min_val` times, the most frequent first.

    Equal counts are in order of the names. `labels[i]` names row and column i of `matrix`.

    >>> most_confused(np.array([[9, 3], [0, 8]]), ["birman", "ragdoll"])
    [('birman', 'ragdoll', 3)]
    """
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    rows, columns = np.nonzero(wrong >= max(min_val, 1))
    pairs = [(labels[i], labels[j], int(wrong[i, j])) for i, j in zip(rows.tolist(), columns.tolist(), strict=True)]
    return sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1]))


def top_losses(losses: np.ndarray, k: int) -> np.ndarray:
    """Positions of the `k` largest losses (all, where there are fewer), largest first, int64; ties in order."""
    return np.argsort(-np.asarray(losses), kind="stable")[: max(k, 0)]

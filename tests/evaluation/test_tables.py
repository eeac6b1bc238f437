from __future__ import annotations

import numpy as np
from sklearn.metrics import confusion_matrix as sklearn_confusion_matrix

from finegraft.evaluation.tables import confusion_matrix, most_confused, top_losses


def test_confusion_matrix_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(0, 6, size=(2, 300))
    found = confusion_matrix(truth, predicted, 7)
    np.testing.assert_array_equal(found, sklearn_confusion_matrix(truth, predicted, labels=range(7)))
    assert found.dtype == np.int64


def test_most_confused_sorts_by_count_then_by_name() -> None:
    matrix = np.array([[9, 2, 1], [5, 9, 2], [0, 2, 9]])
    assert most_confused(matrix, ["c", "b", "a"]) == [("b", "c", 5), ("a", "b", 2), ("b", "a", 2), ("c", "b", 2)]
    assert most_confused(matrix, ["c", "b", "a"], min_val=3) == [("b", "c", 5)]


def test_most_confused_leaves_out_what_never_happened_and_leaves_the_matrix_alone() -> None:
    matrix = np.array([[3, 0], [1, 3]])
    assert most_confused(matrix, ["a", "b"], min_val=0) == [("b", "a", 1)]
    assert matrix[0, 0] == 3


def test_top_losses_come_largest_first_and_ties_in_order() -> None:
    losses = np.array([0.5, 2.0, 0.1, 2.0])
    assert top_losses(losses, 3).tolist() == [1, 3, 0]
    assert top_losses(losses, 99).tolist() == [1, 3, 0, 2]
    assert top_losses(losses, 0).tolist() == []

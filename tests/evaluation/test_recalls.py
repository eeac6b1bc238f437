from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import recall_score

from finegraft.evaluation.metrics import wilson
from finegraft.evaluation.recalls import Recall, of_classes, rarest, weakest
from finegraft.evaluation.result import Evaluation
from finegraft.targets import Category


def evaluation(matrix: list[list[int]]) -> Evaluation:
    """The evaluation with this confusion matrix, the truth in rows; the classes are a, b, c …"""
    counts = np.array(matrix)
    k = len(counts)
    truth, predicted = (index.repeat(counts.ravel()) for index in np.indices((k, k)).reshape(2, -1))
    target = Category(tuple("abcdefgh"[:k]))
    return Evaluation(tuple(map(str, range(len(truth)))), target, truth, np.eye(k)[predicted])


def test_recalls_agree_with_scikit_learn_and_pass_over_what_was_not_judged() -> None:
    judged = evaluation([[7, 3, 0, 0], [1, 4, 0, 0], [0, 0, 0, 0], [0, 1, 1, 0]])
    found = of_classes(judged)
    assert [(r.label, r.found, r.judged) for r in found] == [("a", 7, 10), ("b", 4, 5), ("d", 0, 2)]
    expected = recall_score(judged.truth, judged.predicted, average=None, labels=[0, 1, 3])
    assert [r.value for r in found] == pytest.approx(expected.tolist())
    assert [r.interval for r in found] == [wilson(7, 10), wilson(4, 5), wilson(0, 2)]


def test_the_weakest_class_and_the_rarest() -> None:
    judged = evaluation([[50, 10, 0], [0, 60, 0], [0, 0, 3]])
    assert weakest(judged) == Recall("a", 50, 60)
    assert rarest(judged) == Recall("c", 3, 3)


def test_of_classes_found_alike_the_one_with_fewer_records_is_the_weakest() -> None:
    assert weakest(evaluation([[60, 0, 0], [0, 3, 0], [0, 0, 3]])) == Recall("b", 3, 3)


def test_with_groups_the_intervals_are_by_cluster() -> None:
    judged = evaluation([[40, 8, 0], [0, 20, 4], [0, 0, 12]])
    fours = replace(judged, groups=tuple(str(i // 4) for i in range(len(judged))))
    for alone, together in zip(of_classes(judged), of_classes(fours), strict=True):
        assert together.value == alone.value
        assert together.effect >= 4  # the records of each four are answered alike, and the clusters are few
        assert together.interval[0] < alone.interval[0] <= alone.interval[1] <= together.interval[1]

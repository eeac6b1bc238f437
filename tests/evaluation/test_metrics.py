from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    precision_recall_fscore_support,
    recall_score,
    top_k_accuracy_score,
)

from finegraft.evaluation import metrics
from finegraft.evaluation.calibration import expected_calibration_error
from finegraft.evaluation.metrics import Metric
from finegraft.evaluation.tables import confusion_matrix
from finegraft.targets import softmax


def judged(n: int, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, size=n)
    scores = rng.normal(size=(n, k))
    scores[np.arange(n), truth] += 1.5
    return truth, softmax(scores)


@pytest.mark.parametrize(("n", "k"), [(1, 2), (30, 2), (200, 7), (500, 60)])
def test_values_agree_with_scikit_learn(n: int, k: int) -> None:
    truth, probabilities = judged(n, k)
    predicted = probabilities.argmax(axis=1)
    found = metrics.of_categories(truth, probabilities)
    assert found["accuracy"].value == pytest.approx(accuracy_score(truth, predicted))
    assert found["error_rate"].value == pytest.approx(1 - accuracy_score(truth, predicted))
    assert found["macro_f1"].value == pytest.approx(f1_score(truth, predicted, average="macro"))
    recall = recall_score(truth, predicted, average="macro", labels=np.unique(truth))
    assert found["macro_recall"].value == pytest.approx(recall)
    assert found["ece"].value == pytest.approx(expected_calibration_error(probabilities, truth))


@pytest.mark.parametrize("top", [1, 3, 5])
def test_top_k_agrees_with_scikit_learn(top: int) -> None:
    truth, probabilities = judged(300, 8)
    expected = top_k_accuracy_score(truth, probabilities, k=top, labels=range(8))
    assert metrics.top_k_accuracy(truth, probabilities, top).value == pytest.approx(expected)


def test_top_5_is_reported_only_with_more_than_five_classes() -> None:
    five = ["accuracy", "error_rate", "macro_f1", "macro_recall", "ece"]
    assert list(metrics.of_categories(*judged(40, 5))) == five
    assert list(metrics.of_categories(*judged(40, 6)))[-1] == "top_5_accuracy"


def test_every_value_lies_in_its_interval() -> None:
    for seed in range(10):
        for metric in metrics.of_categories(*judged(40, 6, seed)).values():
            assert metric.interval is not None
            low, high = metric.interval
            assert 0 <= low <= metric.value <= high <= 1


def test_equal_probabilities_rank_by_class_number_as_argmax_does() -> None:
    probabilities = np.full((3, 3), 1 / 3)
    assert metrics.ranks(np.array([0, 1, 2]), probabilities).tolist() == [0, 1, 2]


def test_per_class_agrees_with_scikit_learn_and_is_zero_where_a_class_never_occurs() -> None:
    truth, predicted = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 0])
    found = metrics.per_class(confusion_matrix(truth, predicted, 4))
    expected = precision_recall_fscore_support(truth, predicted, labels=range(4), zero_division=0)
    for ours, theirs in zip((found.precision, found.recall, found.f1, found.support), expected, strict=True):
        np.testing.assert_allclose(ours, theirs)


def test_a_class_that_occurs_nowhere_does_not_lower_the_macro_f1() -> None:
    assert metrics.macro_f1(np.diag([5, 5, 0])).value == 1.0


def test_a_metric_reads_well_and_becomes_json() -> None:
    metric = Metric(0.906, (0.88, 0.93))
    assert str(metric) == "0.906 (0.880 to 0.930)"
    assert metric.to_json() == {"value": 0.906, "interval": [0.88, 0.93]}
    assert str(Metric(0.5)) == "0.500"
    assert Metric(0.5).to_json() == {"value": 0.5, "interval": None}

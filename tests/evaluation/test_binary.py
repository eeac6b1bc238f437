from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from finegraft.errors import DataError, UsageError
from finegraft.evaluation import binary
from finegraft.evaluation.clusters import Clusters


def scored(
    n: int, share: float = 0.3, apart: float = 1.5, seed: int = 0, digits: int = 6
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < share
    truth[:2] = [True, False]
    return np.round(rng.normal(1.5 * truth, 1), digits), truth


@pytest.mark.parametrize("digits", [6, 0])  # 0: many equal scores
@pytest.mark.parametrize("n", [2, 7, 400])
def test_areas_agree_with_scikit_learn(n: int, digits: int) -> None:
    scores, truth = scored(n, digits=digits)
    assert binary.auroc(scores, truth).value == pytest.approx(roc_auc_score(truth, scores))
    assert binary.average_precision(scores, truth).value == pytest.approx(average_precision_score(truth, scores))


@pytest.mark.parametrize("digits", [6, 0])
def test_the_curve_agrees_with_scikit_learn(digits: int) -> None:
    scores, truth = scored(300, digits=digits)
    found = binary.curve(scores, truth)
    false, recall, thresholds = roc_curve(truth, scores, drop_intermediate=False)
    np.testing.assert_allclose(found.false, false)
    np.testing.assert_allclose(found.found, recall)
    np.testing.assert_allclose(found.thresholds, thresholds)
    precision, _, _ = precision_recall_curve(truth, scores)
    np.testing.assert_allclose(found.precision, precision[::-1])


@pytest.mark.parametrize("area", ["auroc", "average_precision"])
def test_areas_move_by_their_influences(area: str) -> None:
    scores, truth = scored(300)
    estimate = getattr(binary, area)(scores, truth)
    without = [getattr(binary, area)(np.delete(scores, i), np.delete(truth, i)).value for i in range(300)]
    assert estimate.influence.sum() == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(estimate.value - np.array(without), estimate.influence, atol=3e-4)
    assert np.corrcoef(estimate.value - np.array(without), estimate.influence)[0, 1] > 0.999


@pytest.mark.parametrize(
    ("n", "share", "apart", "spread"), [(100, 0.5, 1, 1), (200, 0.06, 2.5, 1), (100, 0.1, 4, 1), (200, 0.25, 2, 2)]
)
def test_intervals_of_the_areas_cover_the_truth(n: int, share: float, apart: float, spread: float) -> None:
    rng = np.random.default_rng(5)

    def drawn(size: int) -> tuple[np.ndarray, np.ndarray]:
        truth = rng.random(size) < share
        return rng.normal(apart * truth, np.where(truth, spread, 1)), truth

    many = drawn(400_000)
    for area in (binary.auroc, binary.average_precision):
        true, covered = area(*many).value, []
        for _ in range(300):
            scores, truth = drawn(n)
            if truth.any():
                low, high = area(scores, truth).metric().interval or (1, 0)
                covered.append(low <= true <= high)
        assert np.mean(covered) >= 0.91  # 0.95 less three standard errors of 300 sets


def test_perfect_order_is_no_proof() -> None:
    metric = binary.auroc(np.arange(20.0), np.arange(20) >= 10).metric()
    assert metric.value == 1
    assert metric.interval is not None
    assert 0.75 < metric.interval[0] < 0.9
    assert metric.interval[1] == 1


def test_repeated_records_count_once() -> None:
    scores, truth = scored(200)
    groups = Clusters.of([str(i) for i in np.repeat(np.arange(200), 4)])
    for area in (binary.auroc, binary.average_precision):
        once, many = area(scores, truth).metric(), area(np.repeat(scores, 4), np.repeat(truth, 4)).metric(groups)
        assert many.value == pytest.approx(once.value)
        assert many.interval == pytest.approx(once.interval, abs=0.01)
        assert (once.method, many.method) == ("Wilson", "Wilson, by cluster")


def test_a_threshold_for_a_recall_is_the_highest_that_reaches_it() -> None:
    scores, truth = scored(500)
    for wanted in (0.5, 0.95, 1.0):
        threshold = binary.threshold_for(scores, truth, recall=wanted)
        assert threshold is not None
        assert (scores[truth] >= threshold).mean() >= wanted
        above = scores[scores > threshold].min()
        assert (scores[truth] >= above).mean() < wanted


def test_a_threshold_for_a_precision_is_the_lowest_that_reaches_it() -> None:
    scores, truth = scored(500)
    threshold = binary.threshold_for(scores, truth, precision=0.8)
    assert threshold is not None
    assert truth[scores >= threshold].mean() >= 0.8
    assert all(truth[scores >= lower].mean() < 0.8 for lower in scores[scores < threshold])
    assert binary.threshold_for(np.array([0.9, 0.1]), np.array([0, 1]), precision=0.9) is None


def test_what_a_threshold_gives() -> None:
    line = binary.at(np.array([0.9, 0.8, 0.7, 0.2]), np.array([1, 0, 1, 1]), 0.7)
    assert (line.alarms, line.right, line.positives) == (3, 2, 3)
    assert (line.precision.value, line.recall.value) == pytest.approx((2 / 3, 2 / 3))
    nothing = binary.at(np.array([0.9, 0.1]), np.array([1, 0]), 1.0)
    assert nothing.precision.interval == (0.0, 1.0)
    assert nothing.recall.value == 0


def test_the_positive_class_is_the_rarer_one_unless_named() -> None:
    labels = ("cat", "dog")
    assert binary.positive_of(labels, np.array([0, 1, 1])) == 0
    assert binary.positive_of(labels, np.array([0, 0, 1])) == 1
    assert binary.positive_of(labels, np.array([0, 1])) == 1
    assert binary.positive_of(labels, np.array([0, 1]), "cat") == 0
    with pytest.raises(UsageError, match=r"There is no class 'cow'\. There are: cat, dog\."):
        binary.positive_of(labels, np.array([0]), "cow")
    with pytest.raises(UsageError, match="for two classes, got 3"):
        binary.positive_of(("a", "b", "c"), np.array([0]))


def test_what_cannot_be_told_is_refused() -> None:
    with pytest.raises(DataError, match=r"Of 2 judged records none is positive, .* Judge records of both classes\."):
        binary.auroc(np.array([0.1, 0.2]), np.array([0, 0]))
    with pytest.raises(DataError, match="none is other"):
        binary.curve(np.array([0.1]), np.array([1]))
    for wanted in ({}, {"recall": 0.9, "precision": 0.9}, {"recall": 0.0}, {"precision": 1.5}):
        with pytest.raises(UsageError, match=r"Give one of both, above 0 and at most 1, got .* Try recall=0\.95\."):
            binary.threshold_for(np.array([0.1, 0.2]), np.array([0, 1]), **wanted)


def test_choices_for_what_is_commonly_wanted_go_through_json() -> None:
    scores, truth = scored(400)
    probabilities = np.stack([-scores, scores], axis=1)
    found = binary.choices(("fine", "defect"), truth.astype(int), probabilities)
    assert found.positive == "defect"
    assert [(line.wanted, line.share) for line in found.lines] == list(binary.WANTED)
    for line in found.lines:
        assert line.threshold == binary.threshold_for(scores, truth, **{line.wanted: line.share})
    assert binary.Choices.from_json(json.loads(json.dumps(found.to_json()))) == found
    named = binary.choices(("fine", "defect"), truth.astype(int), probabilities, "fine")
    assert (named.positive, len(named.lines)) == ("fine", 5)
    assert binary.choices(("fine", "defect"), np.array([0]), probabilities[:1]).lines == ()

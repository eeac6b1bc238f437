from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from finegraft.evaluation import influence, metrics
from finegraft.evaluation.calibration import expected_calibration_error
from finegraft.evaluation.clusters import Clusters, design_effect, inflation, student_quantile, widening
from finegraft.targets import softmax


def of(sizes: list[int]) -> Clusters:
    return Clusters(np.repeat(np.arange(len(sizes)), sizes), np.array(sizes))


def test_clusters_are_read_from_groups() -> None:
    found = Clusters.of(["ann", "bob", "ann"])
    assert found is not None
    assert (found.member.tolist(), found.sizes.tolist(), len(found)) == ([0, 1, 0], [2, 1], 2)
    assert found.sums(np.array([1.0, 2.0, 3.0])).tolist() == [4.0, 2.0]
    assert found.rows(np.array([True, False, True])).sizes.tolist() == [2]
    assert Clusters.of([]) is None
    assert Clusters.of(["ann", "bob"]) is None


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_student_quantile_agrees_with_scipy(level: float) -> None:
    for freedom in (1, 2, 3, 4, 10, 100, 1e6):
        assert student_quantile(level, freedom) == pytest.approx(t.ppf((1 + level) / 2, freedom), rel=0.025)
    for freedom in (10, 30):
        assert student_quantile(0.95, freedom) == pytest.approx(t.ppf(0.975, freedom), rel=1e-5)


def test_student_quantile_falls_steadily_with_the_degrees_of_freedom() -> None:
    found = [student_quantile(0.95, freedom) for freedom in np.arange(1, 8, 0.1)]
    assert (np.diff(found) < 0).all()


def test_copies_count_once() -> None:
    """Every record five times over proves as much as once, but for the correction for few clusters."""
    hits = np.repeat(np.random.default_rng(0).random(400) < 0.8, 5)
    clusters = of([5] * 400)
    assert design_effect(influence.of_share(hits), clusters) == pytest.approx(5 * 400 / 399)
    assert widening(clusters.sizes) == pytest.approx(1.01, abs=0.005)


def test_independent_records_are_taken_for_nearly_so_and_an_effect_below_one_for_chance() -> None:
    rng = np.random.default_rng(0)
    clusters = of([4] * 500)
    effects = [design_effect(influence.of_share(rng.random(2000) < 0.8), clusters) for _ in range(20)]
    assert min(effects) == pytest.approx(1, abs=0.02)
    assert np.mean(effects) == pytest.approx(1.03, abs=0.03)
    balanced = np.tile([True, True, False, False], 500)  # every cluster has the same share
    assert design_effect(influence.of_share(balanced), clusters) == pytest.approx(1, abs=0.01)


def test_where_all_is_right_records_of_a_cluster_count_as_alike() -> None:
    assert design_effect(influence.of_share(np.ones(60, dtype=bool)), of([10, 20, 30])) == pytest.approx(1400 / 60)
    assert design_effect(influence.of_share(np.arange(9) < 5), of([9])) == 9  # a single cluster shows no difference
    low, high = metrics.share(np.ones(100, dtype=bool), of([100])).interval or (1, 0)
    assert low < 0.05
    assert high == 1


def test_without_clusters_nothing_is_divided() -> None:
    assert inflation(influence.of_share(np.arange(9) < 5), None) == 1.0


# clusters, mean size, share right, correlation within a cluster
@pytest.mark.parametrize(
    ("c", "size", "right", "correlation"),
    [(10, 20, 0.9, 0.1), (20, 10, 0.97, 0.2), (50, 8, 0.9, 0.3), (120, 3, 0.9, 0.5), (100, 10, 0.99, 0.2)],
)
def test_accuracy_by_cluster_covers_the_truth(c: int, size: int, right: float, correlation: float) -> None:
    rng = np.random.default_rng(4)
    spread = 1 / correlation - 1
    covered, plain = [], []
    for _ in range(500):
        clusters = of((1 + rng.poisson(size - 1, size=c)).tolist())
        own = rng.beta(right * spread, (1 - right) * spread, size=c)
        hits = rng.random(len(clusters.member)) < own[clusters.member]
        for kept, known in ((covered, clusters), (plain, None)):
            low, high = metrics.share(hits, known).interval or (1, 0)
            kept.append(low <= right <= high)
    assert np.mean(covered) >= 0.92  # 0.95 less three standard errors of 500 sets
    assert np.mean(plain) < 0.85


@pytest.mark.parametrize("name", ["macro_f1", "macro_recall", "ece", "accuracy"])
def test_every_metric_moves_by_its_influences(name: str) -> None:
    """Leaving a record out moves a metric by about its influence, with the opposite sign."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, size=400)
    scores = rng.normal(size=(400, 3))
    scores[np.arange(400), truth] += 1.5
    probabilities = softmax(3 * scores)
    predicted = probabilities.argmax(axis=1)
    ours = {
        "accuracy": influence.of_share(truth == predicted),
        "macro_recall": influence.of_macro_recall(truth, predicted, 3),
        "macro_f1": influence.of_macro_f1(truth, predicted, 3),
        "ece": influence.of_ece(truth, probabilities),
    }[name]
    assert ours.sum() == pytest.approx(0, abs=1e-12)
    value = {
        "accuracy": lambda rows: accuracy_score(truth[rows], predicted[rows]),
        "macro_recall": lambda rows: balanced_accuracy_score(truth[rows], predicted[rows]),
        "macro_f1": lambda rows: f1_score(truth[rows], predicted[rows], average="macro"),
        "ece": lambda rows: expected_calibration_error(probabilities[rows], truth[rows]),
    }[name]
    moved = [value(np.arange(400)) - value(np.delete(np.arange(400), i)) for i in range(80)]
    # Records change their bins when one is left out, which the influences of the calibration error leave aside.
    assert np.corrcoef(moved, ours[:80])[0, 1] > (0.8 if name == "ece" else 0.99)
    assert np.std(moved) == pytest.approx(np.std(ours[:80]), rel=0.3 if name == "ece" else 0.02)


def test_intervals_of_every_metric_widen_alike_where_records_are_repeated() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 3, size=150)
    scores = rng.normal(size=(150, 3))
    scores[np.arange(150), truth] += 1.5
    once = metrics.of_categories(truth, softmax(scores))
    groups = [str(i) for i in np.repeat(np.arange(150), 6)]
    many = metrics.of_categories(np.repeat(truth, 6), softmax(np.repeat(scores, 6, axis=0)), groups)
    for name in ("accuracy", "error_rate", "macro_f1", "macro_recall"):
        assert many[name].value == pytest.approx(once[name].value)
        assert many[name].interval == pytest.approx(once[name].interval, abs=0.02)
    assert many["ece"].interval is not None

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from finegraft.evaluation import binary, estimates
from finegraft.evaluation.clusters import Clusters
from finegraft.evaluation.intervals import wilson


def test_a_share_of_single_things_has_wilsons_interval() -> None:
    hits, things = np.array([1.0, 0, 1, 0, 0]), np.array([1.0, 1, 1, 0, 0])
    metric = estimates.share(hits, things).metric()
    assert metric.value == pytest.approx(2 / 3)
    assert metric.interval == pytest.approx(wilson(2, 3))
    assert estimates.share(hits * 0, things * 0).metric().interval == (0.0, 1.0)


def test_answers_of_one_record_that_go_together_count_less() -> None:
    hits = np.tile([4.0, 0.0], 50)  # of four answers all are right or none
    together = estimates.share(hits, np.full(100, 4.0)).metric().interval
    assert together == pytest.approx(wilson(50, 100), abs=0.001)
    apart = estimates.share(np.full(100, 2.0), np.full(100, 4.0)).metric().interval
    assert apart == pytest.approx(wilson(200, 400), abs=0.001)


def test_f1_agrees_with_scikit_learn_and_is_as_sure_as_the_share_it_comes_from() -> None:
    rng = np.random.default_rng(0)
    truth = (rng.random(200) < 0.3).astype(np.int64)
    answered = np.where(rng.random(200) < 0.8, truth, 1 - truth)
    metric = estimates.f1(truth, answered).metric()
    assert metric.value == pytest.approx(f1_score(truth, answered))
    hits, either = int((truth & answered).sum()), int((truth | answered).sum())
    ends = [2 * end / (1 + end) for end in wilson(hits, either)]
    assert metric.interval == pytest.approx(ends, abs=0.01)


def test_a_mean_is_surer_than_its_parts_unless_they_are_the_same() -> None:
    rng = np.random.default_rng(0)
    ones = np.ones(100)
    parts = [estimates.share((rng.random(100) < 0.7).astype(float), ones) for _ in range(4)]
    low, high = estimates.mean(parts).metric().interval or (0, 1)
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.21 / 400), rel=0.15)
    same = estimates.mean([parts[0]] * 4).metric()
    assert same.interval == pytest.approx(parts[0].metric().interval, abs=0.01)


@pytest.mark.parametrize(("clusters", "size", "pure"), [(40, 5, True), (25, 6, False)])
def test_intervals_by_cluster_cover_the_truth(clusters: int, size: int, pure: bool) -> None:
    rng = np.random.default_rng(1)

    def drawn(c: int) -> tuple[np.ndarray, np.ndarray, Clusters]:
        sizes = 1 + rng.poisson(size - 1, size=c)
        member = np.repeat(np.arange(c), sizes)
        truth = (rng.random(c) < 0.3)[member] if pure else rng.random(len(member)) < 0.3
        own = np.sqrt(0.4) * rng.normal(size=c)[member] + np.sqrt(0.6) * rng.normal(size=len(member))
        return 1.5 * truth + own, truth, Clusters(member, sizes)

    scores, truth, _ = drawn(20_000)
    true = binary.auroc(scores, truth).value
    covered = []
    for _ in range(200):
        scores, truth, known = drawn(clusters)
        if truth.any() and not truth.all():
            low, high = binary.auroc(scores, truth).metric(known).interval or (1, 0)
            covered.append(low <= true <= high)
    assert np.mean(covered) >= 0.9  # 0.95 less three standard errors of 200 sets

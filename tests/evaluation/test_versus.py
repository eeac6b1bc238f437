from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from finegraft.errors import DataError
from finegraft.evaluation import paired
from finegraft.evaluation.clusters import Clusters
from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.evaluation.tags import TagsEvaluation
from finegraft.evaluation.versus import of_numbers, of_tags
from finegraft.targets import Number, Tags

N = 200
KEYS = tuple(f"{i}.jpg" for i in range(N))


def numbers(noise: float, seed: int, keys: tuple[str, ...] = KEYS) -> NumberEvaluation:
    truth = np.random.default_rng(0).normal(size=N)
    return NumberEvaluation(keys, Number(), truth, truth + np.random.default_rng(seed).normal(0, noise, N))


def tagged(wrong: float, seed: int, labels: tuple[str, ...] = ("a", "b")) -> TagsEvaluation:
    truth = np.random.default_rng(0).integers(0, 2, (N, 2))
    flipped = np.random.default_rng(seed).random((N, 2)) < wrong
    return TagsEvaluation(KEYS, Tags(labels), truth, np.abs(truth - flipped).astype(float))


def test_the_difference_of_mean_errors_is_students_where_errors_are_tame() -> None:
    change = np.random.default_rng(0).normal(0.3, 1, 400)
    found = paired.of_distances(change)
    students = ttest_1samp(change, 0)
    assert found.value == pytest.approx(change.mean())
    np.testing.assert_allclose(found.interval, students.confidence_interval(0.95), atol=0.02)
    assert found.p == pytest.approx(students.pvalue, abs=0.002)


def test_its_interval_covers_and_its_p_keeps_the_level() -> None:
    rng = np.random.default_rng(1)
    covered = refused = 0
    for _ in range(300):
        found = paired.of_distances(rng.standard_t(3, 60))
        covered += found.interval[0] <= 0 <= found.interval[1]
        refused += found.p < 0.05
    assert covered / 300 > 0.92
    assert refused / 300 < 0.085


def test_records_of_one_cluster_prove_less() -> None:
    change = np.repeat(np.random.default_rng(0).normal(0.5, 1, 30), 10)
    alone = paired.of_distances(change)
    together = paired.of_distances(change, Clusters.of(tuple(str(i // 10) for i in range(300))))
    assert together.value == alone.value
    assert np.ptp(together.interval) > 2 * np.ptp(alone.interval)


def test_the_nearer_numbers_and_the_fewer_wrong_tags_are_better() -> None:
    found = of_numbers(numbers(1.0, 1), numbers(0.5, 2))
    assert (found.better, found.verdict, found.leads, len(found)) == ("B", "B is better", "mae", N)
    a, b = (side.metrics()["mae"].value for side in (found.a, found.b))
    assert found.difference.value == pytest.approx(b - a)
    assert of_numbers(numbers(0.5, 2), numbers(1.0, 1)).better == "A"
    tags = of_tags(tagged(0.05, 1), tagged(0.3, 2))
    assert (tags.better, tags.leads) == ("A", "exact_match")
    assert of_tags(tagged(0.1, 1), tagged(0.1, 2)).verdict == "no clear difference"
    same = of_numbers(numbers(1.0, 1), numbers(1.0, 1))
    assert (same.better, same.difference.value, same.difference.p) == (None, 0.0, 1.0)


def test_only_what_both_judged_and_neither_learned_is_compared() -> None:
    a, b = numbers(1.0, 1), numbers(0.5, 2)
    some = b.subset(np.arange(N)[::-2])
    found = of_numbers(a, some, left_out={"1.jpg", "3.jpg"})
    assert len(found) == 98
    assert found.a.keys == found.b.keys
    with pytest.raises(DataError, match=r"^There is nothing to compare: no photo was judged by both runs"):
        of_numbers(a, some, left_out=KEYS)
    moved = NumberEvaluation(KEYS, Number(), a.truth + 1, a.predicted)
    with pytest.raises(DataError, match=r"^'0\.jpg' has another label in A than in B\."):
        of_numbers(a, moved)
    with pytest.raises(DataError, match=r"^The two answer with different tags\."):
        of_tags(tagged(0.1, 1), tagged(0.1, 1, ("a", "c")))

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from finegraft.evaluation.stratified import Strata, deflated, excess, holm, scores


def random_table(k: int, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Class numbers, wrong and inside of n records."""
    return rng.integers(0, k, n), rng.random(n) < 0.2, rng.random(n) < 0.3


def test_counts_by_class() -> None:
    truth = np.array([0, 0, 0, 1, 1, 2])
    wrong = np.array([True, False, True, False, True, True])
    inside = np.array([True, True, False, False, True, True])
    strata = Strata.of(truth, wrong, inside)
    assert strata.part.tolist() == [2, 1, 1]
    assert strata.total.tolist() == [3, 2, 1]
    assert strata.wrong_in_part.tolist() == [1, 1, 1]
    assert strata.wrong.tolist() == [2, 1, 1]
    assert strata.shared.tolist() == [True, True, False]
    # As the rest: both of class 0 wrong, none of class 1; the one of class 2 has nothing to be compared with.
    assert strata.expected_wrong == 2 + 0 + 1


@pytest.mark.parametrize("seed", range(20))
def test_with_one_class_it_is_fishers_exact_test(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 300))
    truth, wrong, inside = random_table(1, n, rng)
    table = [[(wrong & inside).sum(), (~wrong & inside).sum()], [(wrong & ~inside).sum(), (~wrong & ~inside).sum()]]
    expected = stats.fisher_exact(table, alternative="greater").pvalue
    assert excess(Strata.of(truth, wrong, inside)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_with_several_classes_it_is_the_sum_of_scipys_hypergeometrics(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, wrong, inside = random_table(3, 60, rng)
    strata = Strata.of(truth, wrong, inside)
    each = [
        stats.hypergeom(total, w, part) for total, w, part in zip(strata.total, strata.wrong, strata.part, strict=True)
    ]
    observed = int(strata.wrong_in_part.sum())
    ranges = [range(int(part) + 1) for part in strata.part]
    expected = sum(
        np.prod([law.pmf(x) for law, x in zip(each, xs, strict=True)])
        for xs in itertools.product(*ranges)
        if sum(xs) >= observed
    )
    assert excess(strata) == pytest.approx(expected, rel=1e-9)


def test_many_records_agree_with_the_normal_approximation() -> None:
    truth, wrong, inside = random_table(37, 50_000, np.random.default_rng(0))
    wrong |= inside & (np.random.default_rng(1).random(50_000) < 0.01)
    strata = Strata.of(truth, wrong, inside)
    share = strata.part / strata.total
    variance = share * (1 - share) * strata.wrong * (strata.total - strata.wrong) / (strata.total - 1)
    z = (strata.wrong_in_part - strata.wrong * share).sum() - 0.5
    assert excess(strata) == pytest.approx(stats.norm.sf(z / np.sqrt(variance.sum())), rel=0.05)


def test_the_ends_of_the_range() -> None:
    none_wrong = Strata(np.array([10]), np.array([30]), np.array([0]), np.array([0]))
    assert excess(none_wrong) == 1.0
    far = Strata(np.array([5_000]), np.array([10_000]), np.array([2_000]), np.array([2_000]))
    assert excess(far) == 1e-15
    alone = Strata(np.array([10, 5]), np.array([10, 20]), np.array([10, 0]), np.array([10, 3]))
    assert excess(alone) == 1.0


def test_a_hard_class_is_not_the_slices_fault() -> None:
    truth = np.repeat([0, 1], 500)
    wrong = np.random.default_rng(0).random(1000) < np.where(truth == 0, 0.4, 0.02)
    inside = np.random.default_rng(1).random(1000) < np.where(truth == 0, 0.7, 0.1)
    table = [[(wrong & inside).sum(), (~wrong & inside).sum()], [(wrong & ~inside).sum(), (~wrong & ~inside).sum()]]
    assert stats.fisher_exact(table, alternative="greater").pvalue < 1e-10
    assert excess(Strata.of(truth, wrong, inside)) > 0.05


def test_scores_sum_to_the_excess() -> None:
    truth, wrong, inside = random_table(5, 200, np.random.default_rng(2))
    strata = Strata.of(truth, wrong, inside)
    expected = (strata.wrong_in_part - strata.part * strata.wrong / strata.total).sum()
    assert scores(truth, wrong, inside).sum() == pytest.approx(expected)


def test_a_p_is_deflated_as_its_normal_score() -> None:
    assert deflated(0.01, 1.0) == 0.01
    assert deflated(1.0, 3.0) == 1.0
    assert deflated(0.01, 2.5) == pytest.approx(stats.norm.sf(stats.norm.isf(0.01) / np.sqrt(2.5)))


def test_holm_steps_down_as_its_paper_says() -> None:
    for seed in range(20):
        p = np.random.default_rng(seed).random(8) ** 3
        for level in (0.01, 0.05, 0.2):
            rejected = set()
            for step, at in enumerate(np.argsort(p)):
                if p[at] > level / (len(p) - step):
                    break
                rejected.add(int(at))
            assert {int(at) for at in np.flatnonzero(holm(p) <= level)} == rejected


def test_holm_lies_between_benjamini_hochberg_and_bonferroni() -> None:
    p = np.random.default_rng(1).random(30) ** 4
    assert (holm(p) >= stats.false_discovery_control(p) - 1e-12).all()
    assert (holm(p) <= np.minimum(p * len(p), 1)).all()
    assert holm(np.empty(0)).tolist() == []

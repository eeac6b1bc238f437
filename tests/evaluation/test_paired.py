from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, norm

from finegraft.evaluation.clusters import Clusters
from finegraft.evaluation.paired import Difference, of_means, of_shares, sign_flip, tango


def change(wins: int, losses: int, n: int) -> np.ndarray:
    """`wins` records that only the second model has right, `losses` that only the first has, of `n`."""
    return np.array([1] * wins + [-1] * losses + [0] * (n - wins - losses))


@pytest.mark.parametrize(("wins", "losses", "n"), [(0, 0, 10), (1, 0, 10), (5, 3, 50), (10, 1, 100), (0, 40, 60)])
def test_tangos_interval(wins: int, losses: int, n: int) -> None:
    """Against its definition: the ends are the differences whose score, at the likeliest tables, is 1.96."""
    found = tango(wins, losses, n)
    z = norm.ppf(0.975)
    for end, sign in zip(found, (1, -1), strict=True):
        shares = np.linspace(max(0.0, -end), (1 - end) / 2, 200_001)  # of records that only the first has right
        with np.errstate(divide="ignore", invalid="ignore"):
            same = n - wins - losses
            logs = (wins * np.log(shares + end), losses * np.log(shares), same * np.log(1 - 2 * shares - end))
        likelihood = sum(np.where(count, log, 0.0) for count, log in zip((wins, losses, same), logs, strict=True))
        q = shares[np.nanargmax(likelihood)]
        score = (wins - losses - n * end) / np.sqrt(n * (2 * q + end - end**2))
        assert score == pytest.approx(sign * z, abs=2e-3)


@pytest.mark.parametrize(("wins", "losses"), [(5, 0), (9, 2), (30, 10), (4, 4), (6, 5), (700, 640), (1, 0)])
def test_mcnemars_mid_p_is_that_of_the_binomial(wins: int, losses: int) -> None:
    fewer, n = min(wins, losses), wins + losses
    leads = np.abs(2 * np.arange(n + 1) - n)
    chances = binom.pmf(np.arange(n + 1), n, 0.5)
    expected = chances[leads > n - 2 * fewer].sum() + chances[leads == n - 2 * fewer].sum() / 2
    assert of_shares(change(wins, losses, n + 50)).p == pytest.approx(expected)


def test_flips_of_unequal_sums_agree_with_all_of_them() -> None:
    sums = np.array([3.0, -1.0, 2.0, 2.0, 0.5, 1.0, -0.5, 4.0])
    signs = np.array(np.meshgrid(*[[-1, 1]] * len(sums))).reshape(len(sums), -1)
    totals, total = np.abs(sums @ signs), abs(sums.sum())
    exact = (totals > total + 1e-9).mean() + (np.abs(totals - total) < 1e-9).mean() / 2
    assert sign_flip(sums) == pytest.approx(exact, abs=0.005)
    assert sign_flip(sums * 1e-6) == sign_flip(sums)


def test_where_nothing_changed_nothing_is_shown_but_the_range() -> None:
    found = of_shares(np.zeros(100, dtype=np.int64))
    assert (found.value, found.p, found.needed, found.real) == (0.0, 1.0, None, False)
    assert found.interval == pytest.approx((-0.037, 0.037), abs=1e-4)


def test_a_difference_is_real_where_test_and_range_say_so() -> None:
    assert of_shares(change(30, 10, 180)).real
    assert not of_shares(change(4, 0, 100)).real
    assert of_shares(change(4, 0, 100)).interval[0] <= 0, "the test finds nothing, so the range holds 0"
    assert not Difference(0.02, (-0.01, 0.05), 0.04, 900).real


def test_the_records_needed_would_show_the_difference() -> None:
    """With as many records, drawn from the same shares, four in five comparisons find it."""
    needed = of_shares(change(30, 20, 500)).needed
    assert needed is not None
    rng = np.random.default_rng(0)
    draws = rng.multinomial(needed, [0.06, 0.04, 0.9], size=400)
    found = sum(of_shares(change(wins, losses, needed)).real for wins, losses, _ in draws.tolist())
    assert found / 400 == pytest.approx(0.8, abs=0.06)


def test_one_class_is_the_share_of_all_and_a_rare_class_counts_as_much_as_a_common_one() -> None:
    some = change(12, 5, 200)
    assert of_means(some, np.full(200, 7)) == of_shares(some)
    truth = np.repeat([0, 1], [190, 10])
    moved = np.concatenate([change(0, 19, 190), change(2, 0, 10)])
    assert of_means(moved, truth).value == pytest.approx((-0.1 + 0.2) / 2)
    assert of_shares(moved).value == pytest.approx(-17 / 200)


def test_records_that_belong_together_count_less() -> None:
    moved = np.repeat(change(12, 4, 60), 5)  # five photos of each of sixty, all of them alike
    alone = of_shares(moved)
    together = of_shares(moved, Clusters.of([f"{i // 5}" for i in range(300)]))
    by_head = of_shares(change(12, 4, 60))
    assert together.value == alone.value == by_head.value
    assert together.p == pytest.approx(by_head.p)
    assert alone.p < together.p / 10
    assert together.interval == pytest.approx(by_head.interval, abs=0.02)
    assert together.needed == pytest.approx(5 * (by_head.needed or 0), rel=0.02)


def _answers(rng: np.random.Generator, limits: np.ndarray, shared: float) -> np.ndarray:
    """Whether a model is right about each record, by a difficulty that models share by the correlation `shared`."""
    difficulty = rng.normal(size=limits.shape)
    return np.sqrt(shared) * difficulty + np.sqrt(1 - shared) * rng.normal(size=(2, *limits.shape)) < limits


@pytest.mark.parametrize(("shared", "n"), [(0.7, 1000), (0.3, 300)])
def test_models_that_are_equally_good_are_seldom_called_different(shared: float, n: int) -> None:
    rng = np.random.default_rng(1)
    real = 0
    for _ in range(500):
        a, b = _answers(rng, np.full(n, norm.ppf(0.9)), shared)
        real += of_shares(b.astype(int) - a).real
    assert real <= binom.ppf(0.99, 500, 0.05)


def test_of_unbalanced_classes_and_of_groups_too_the_range_holds_the_truth() -> None:
    rng = np.random.default_rng(2)
    truth = np.repeat([0, 1, 2], [160, 160, 15])
    group = np.repeat(np.arange(60), 5)
    covered = {"macro": 0, "groups": 0}
    for _ in range(100):
        limits = norm.ppf(np.array([0.95, 0.93, 0.75]))[truth]
        a, b = _answers(rng, limits, 0.6)
        macro = of_means(b.astype(int) - a, truth)
        covered["macro"] += macro.interval[0] <= 0 <= macro.interval[1]
        people = rng.normal(size=60)[group] * 0.8
        a, b = _answers(rng, norm.ppf(0.85) + np.zeros(300), 0.4)
        b &= people > -1.2  # the second model fails on some people
        found = of_shares(b.astype(int) - a, Clusters.of([str(g) for g in group]))
        true = -norm.cdf(-1.2 / 0.8) * 0.85
        covered["groups"] += found.interval[0] <= true <= found.interval[1]
    assert min(covered.values()) >= 90

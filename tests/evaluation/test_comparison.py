from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import binom, binomtest, norm

from finegraft.errors import DataError
from finegraft.evaluation.comparison import Comparison, compare
from finegraft.evaluation.metrics import wilson
from finegraft.evaluation.result import Evaluation
from finegraft.targets import Category


def answered(truth: Sequence[int], answers: Sequence[int], sure: float = 0.9, groups: Sequence[str] = ()) -> Evaluation:
    """Three classes; every answer has the probability `sure`, the others share the rest."""
    probabilities = np.full((len(truth), 3), (1 - sure) / 2)
    probabilities[np.arange(len(truth)), answers] = sure
    keys = tuple(f"{i}.jpg" for i in range(len(truth)))
    return Evaluation(keys, Category(("a", "b", "c")), np.array(truth), probabilities, tuple(groups))


TRUTH = [0] * 40 + [1] * 40 + [2] * 40


def sides(fixed: int, broken: int, still: int = 0, groups: Sequence[str] = ()) -> Comparison:
    """120 records, of which only B has `fixed` right, only A `broken`, and both `still` wrong in two ways."""
    a, b = list(TRUTH), list(TRUTH)
    for i in range(fixed):
        a[i] = 2
    for i in range(fixed, fixed + broken):
        b[i] = (TRUTH[i] + 1) % 3
    for i in range(119, 119 - still, -1):
        a[i], b[i] = 0, 1
    return compare(answered(TRUTH, a, 0.6, groups), answered(TRUTH, b, 0.8))


def test_the_four_counts_and_the_agreement() -> None:
    found = sides(fixed=9, broken=4, still=3)
    assert found.counts == {"both": 104, "only_a": 4, "only_b": 9, "neither": 3}
    assert found.agreement.value == pytest.approx(104 / 120)
    assert found.agreement.interval == pytest.approx(wilson(104, 120))
    assert found.accuracy.value == pytest.approx(found.b.accuracy.value - found.a.accuracy.value)
    assert (len(found), found.only_a, found.only_b) == (120, 0, 0)


@pytest.mark.parametrize(
    ("fixed", "broken", "verdict"),
    [(16, 2, "B is better"), (2, 16, "A is better"), (5, 4, "no clear difference"), (0, 0, "the same answers")],
)
def test_the_verdict(fixed: int, broken: int, verdict: str) -> None:
    found = sides(fixed, broken)
    assert found.verdict == verdict
    exact = binomtest(fixed, fixed + broken).pvalue if fixed + broken else 1.0
    assert found.accuracy.p <= exact, "mid-p is never above the exact value"
    assert (found.better is not None) == (exact < 0.05)
    low, high = found.accuracy.interval
    assert low <= found.accuracy.value <= high


def test_what_changed_is_told_the_most_surprising_first() -> None:
    truth = [0, 1, 2, 0]
    a = Evaluation(
        ("w", "x", "y", "z"),
        Category(("a", "b", "c")),
        np.array(truth),
        np.array([[0.9, 0.05, 0.05], [0.4, 0.3, 0.3], [0.7, 0.2, 0.1], [0.5, 0.4, 0.1]]),
    )
    b = Evaluation(
        ("z", "y", "x", "w"),
        Category(("c", "b", "a")),
        np.array([2, 0, 1, 2]),
        np.array([[0.1, 0.5, 0.4], [0.2, 0.7, 0.1], [0.3, 0.36, 0.34], [0.05, 0.85, 0.1]]),
    )
    found = compare(a, b)
    assert [(c.key, c.kind) for c in found.changes] == [
        ("w", "broken"),
        ("y", "still-wrong"),
        ("z", "broken"),
        ("x", "fixed"),
    ]
    first = found.changes[0]
    assert (first.label, first.a.label, first.a.probability) == ("a", "a", 0.9)
    assert (first.b.label, first.b.probability, first.surprise) == ("b", 0.85, pytest.approx(0.8))
    assert [c.key for c in found.of_kind("broken")] == ["w", "z"]


def test_only_what_both_judged_is_compared() -> None:
    a, b = answered(TRUTH, TRUTH), answered(TRUTH, TRUTH)
    found = compare(a.subset(np.arange(0, 100)), b.subset(np.arange(30, 120)))
    assert (len(found), found.only_a, found.only_b) == (70, 30, 20)
    assert found.a.keys == found.b.keys
    with pytest.raises(DataError, match="No record was judged by both"):
        compare(a.subset(np.arange(10)), b.subset(np.arange(10, 20)))


def test_macro_recall_decides_where_one_class_has_four_times_the_records_of_another() -> None:
    truth = [0] * 100 + [1] * 100 + [2] * 20
    a, b = list(truth), list(truth)
    a[200:210] = [0] * 10  # A misses half of the rare class, B ten of a common one
    b[0:10] = [1] * 10
    found = compare(answered(truth, a), answered(truth, b))
    assert (found.leads, sides(1, 0).leads) == ("macro_recall", "accuracy")
    assert found.accuracy.value == 0
    assert found.macro_recall.value == pytest.approx(
        found.b.metrics()["macro_recall"].value - found.a.metrics()["macro_recall"].value
    )
    assert found.verdict == "B is better"


def test_groups_of_either_side_are_minded() -> None:
    together = sides(16, 2, groups=[str(i // 20) for i in range(120)])
    assert together.verdict == "no clear difference"
    assert together.accuracy.method == "Tango, by cluster"
    assert sides(16, 2, groups=[str(i) for i in range(120)]).verdict == "B is better"


def test_each_class_is_told_and_marked_only_beyond_what_chance_makes_among_so_many() -> None:
    found = sides(fixed=12, broken=0, still=2)
    first, second, third = found.per_class()
    assert (first.label, first.judged, first.found_a, first.found_b) == ("a", 40, 28, 40)
    assert (first.fixed, first.broken, first.real) == (12, 0, True)
    assert (second.fixed, second.real, third.found_a) == (0, False, 38)
    six = sides(fixed=6, broken=0)
    assert six.accuracy.p < 0.05
    assert [row.real for row in six.per_class()] == [True, False, False]
    assert not any(row.real for row in sides(fixed=5, broken=0).per_class()), "0.03 alone, not among three"


def test_the_json_is_plain_and_whole() -> None:
    said = json.loads(json.dumps(sides(9, 4, 3).to_json(), allow_nan=False))
    assert (said["verdict"], said["better"], said["leads"], said["n_shared"]) == (
        "no clear difference",
        None,
        "accuracy",
        120,
    )
    assert said["right"] == {"both": 104, "only_a": 4, "only_b": 9, "neither": 3}
    assert set(said["difference"]["accuracy"]) == {"value", "interval", "p", "needed", "method"}
    assert len(said["rows"]) == 16
    assert set(said["rows"][0]) == {"key", "label", "a", "b", "change", "surprise"}


def _run(rng: np.random.Generator, difficulty: np.ndarray, accuracy: float, shared: float) -> Evaluation:
    own = rng.normal(size=difficulty.shape)
    right = np.sqrt(shared) * difficulty + np.sqrt(1 - shared) * own < norm.ppf(accuracy)
    return answered([0] * len(right), np.where(right, 0, 1).tolist())


@pytest.mark.parametrize(("gain", "least", "most"), [(0.0, 0, binom.ppf(0.99, 200, 0.05)), (0.03, 160, 200)])
def test_chance_is_seldom_taken_for_a_difference_and_three_points_in_a_thousand_are_found(
    gain: float, least: int, most: int
) -> None:
    """Two models find the same records hard, as real ones do: here they disagree on about 7 in 100."""
    rng = np.random.default_rng(7)
    called = 0
    for _ in range(200):
        difficulty = rng.normal(size=1000)
        found = compare(_run(rng, difficulty, 0.9, 0.9), _run(rng, difficulty, 0.9 + gain, 0.9))
        called += found.better == "B" if gain else found.better is not None
    assert least <= called <= most

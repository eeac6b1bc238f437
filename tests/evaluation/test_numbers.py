from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import bootstrap
from sklearn.metrics import mean_absolute_error, median_absolute_error, r2_score, root_mean_squared_error

from finegraft.errors import DataError, StorageError
from finegraft.evaluation import studentised
from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.targets import Number


def judged(truth: np.ndarray, predicted: np.ndarray, groups: tuple[str, ...] = ()) -> NumberEvaluation:
    return NumberEvaluation(tuple(map(str, range(len(truth)))), Number(), truth, predicted, groups)


def drawn(n: int, rng: np.random.Generator, own: float = 0.0, size: int = 1) -> NumberEvaluation:
    """`n` clusters of `size` records; the share `own` of the variance is the cluster's."""
    member = np.repeat(np.arange(n), size)

    def noise() -> np.ndarray:
        return np.sqrt(own) * rng.normal(size=n)[member] + np.sqrt(1 - own) * rng.normal(size=n * size)

    truth = 10 + 2 * noise()
    groups = tuple(map(str, member)) if size > 1 else ()
    return judged(truth, truth + noise(), groups)


def test_values_agree_with_scikit_learn() -> None:
    some = drawn(200, np.random.default_rng(0))
    found = some.metrics()
    assert found["mae"].value == pytest.approx(mean_absolute_error(some.truth, some.predicted))
    assert found["rmse"].value == pytest.approx(root_mean_squared_error(some.truth, some.predicted))
    assert found["r2"].value == pytest.approx(r2_score(some.truth, some.predicted))
    assert found["median_absolute_error"].value == pytest.approx(median_absolute_error(some.truth, some.predicted))
    assert found["mean_error"].value == pytest.approx((some.predicted - some.truth).mean())
    for metric in found.values():
        assert metric.interval is not None
        assert metric.interval[0] < metric.value < metric.interval[1]
    mean = np.full(200, some.truth.mean())
    assert some.baseline()["mae"] == pytest.approx(mean_absolute_error(some.truth, mean))
    assert some.baseline()["rmse"] == pytest.approx(root_mean_squared_error(some.truth, mean))


@pytest.mark.parametrize("name", ["mae", "rmse", "r2", "mean_error", "median_absolute_error"])
def test_intervals_agree_with_scipys_where_there_are_many_records(name: str) -> None:
    some = drawn(500, np.random.default_rng(1))
    values: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
        "mae": mean_absolute_error,
        "rmse": root_mean_squared_error,
        "r2": r2_score,
        "mean_error": lambda truth, predicted: (predicted - truth).mean(),
        "median_absolute_error": median_absolute_error,
    }
    expected = bootstrap(
        (some.truth, some.predicted), values[name], paired=True, vectorized=False, n_resamples=200, rng=0
    ).confidence_interval
    low, high = some.metrics()[name].interval or (1, 0)
    width = expected.high - expected.low
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.2 * width)


@pytest.mark.parametrize(("n", "size", "own"), [(40, 1, 0.0), (200, 1, 0.0), (12, 8, 0.3), (60, 3, 0.6)])
def test_intervals_cover_the_truth(n: int, size: int, own: float) -> None:
    rng = np.random.default_rng(2)
    true = {"mae": np.sqrt(2 / np.pi), "rmse": 1.0, "r2": 0.75, "median_absolute_error": 0.6745, "mean_error": 0.0}
    covered: dict[str, list[bool]] = {name: [] for name in true}
    for _ in range(60):
        for name, metric in drawn(n, rng, own, size).metrics().items():
            low, high = metric.interval or (1, 0)
            covered[name].append(low <= true[name] <= high)
    for name, held in covered.items():
        assert np.mean(held) >= 0.85, name  # 0.95 less three and a half standard errors of 60 sets


def test_repeated_records_count_once() -> None:
    rng = np.random.default_rng(3)
    once = drawn(80, rng)
    many = judged(np.repeat(once.truth, 5), np.repeat(once.predicted, 5), tuple(f"{i // 5:02}" for i in range(400)))
    for name, metric in many.metrics().items():
        assert metric.value == pytest.approx(once.metrics()[name].value)
        assert metric.method.endswith(", by cluster")
        if name != "median_absolute_error":
            assert metric.interval == pytest.approx(once.metrics()[name].interval)
    low, high = many.metrics()["median_absolute_error"].interval or (1, 0)
    expected = once.metrics()["median_absolute_error"].interval or (1, 0)
    assert high - low == pytest.approx(expected[1] - expected[0], rel=0.3)
    assert many.summary_json()["intervals"]["design_effect"] == pytest.approx(5, rel=0.05)


def test_many_records_are_joined_by_chance_and_none_is_lost() -> None:
    sums = np.random.default_rng(0).random((12_345, 3))
    blocks = studentised.joined(sums)
    assert blocks.shape == (5000, 3)
    np.testing.assert_allclose(blocks.sum(axis=0), sums.sum(axis=0))
    assert studentised.joined(sums[:100]) is not None
    some = drawn(20_000, np.random.default_rng(0))
    low, high = some.metrics()["rmse"].interval or (1, 0)
    assert high - low == pytest.approx(4 * 1 / np.sqrt(2 * 20_000), rel=0.15)


def test_what_cannot_be_known_has_no_interval_or_is_left_out() -> None:
    one = judged(np.array([1.0]), np.array([2.0])).metrics()
    assert {name: metric.interval for name, metric in one.items()} == dict.fromkeys(one, None)
    assert "r2" not in one
    exact = judged(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0])).metrics()
    assert (exact["mae"].value, exact["mae"].interval, exact["r2"].value) == (0.0, None, 1.0)
    assert judged(np.array([1.0, 1.0]), np.array([1.0, 2.0])).summary_json()["r2"] is None
    together = judged(np.array([1.0, 2.0]), np.array([1.5, 2.7]), ("a", "a")).metrics()
    assert together["mae"].interval is None


def test_residuals_are_told() -> None:
    some = judged(np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.0, 3.0]))
    assert some.residuals.tolist() == [0.5, 0.0, -1.0]
    assert some.largest(2) == [2, 0]
    assert some.residual_quantiles()[0.5] == 0.0
    assert some.subset(np.array([2])).keys == ("2",)
    assert repr(some) == "<NumberEvaluation: MAE 0.5 on 3 records, R² 0.732>"


def test_what_is_saved_is_read_to_the_last_bit(tmp_path: Path) -> None:
    some = drawn(10, np.random.default_rng(0), 0.5, 2)
    some.save(tmp_path / "evaluation.jsonl")
    read = NumberEvaluation.load(tmp_path / "evaluation.jsonl", Number())
    assert (read.keys, read.groups) == (some.keys, some.groups)
    np.testing.assert_array_equal(read.truth, some.truth)
    np.testing.assert_array_equal(read.predicted, some.predicted)
    assert read.summary_json() == some.summary_json()
    first = json.loads((tmp_path / "evaluation.jsonl").read_text().splitlines()[0])
    assert list(first) == ["key", "label", "predicted", "group"]


def test_summary_is_plain_json() -> None:
    summary = json.loads(json.dumps(drawn(30, np.random.default_rng(0)).summary_json(), allow_nan=False))
    assert set(summary) == {"metrics", "intervals", "mae", "rmse", "r2", "baseline", "n_judged"}
    assert summary["metrics"]["mae"]["method"] == "studentised bootstrap"
    assert "by a studentised bootstrap" in summary["intervals"]["why"]


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"keys": ()}, "no records to judge"),
        ({"keys": ("0", "0")}, "the key '0' occurs more often"),
        ({"truth": np.zeros(3)}, r"2 keys need truth and predicted of shape \(2,\), got \(3,\) and \(2,\)"),
        ({"predicted": np.array([1, np.nan])}, "the answer of '1' is nan.*use a lower learning rate"),
        ({"groups": ("a",)}, "2 records need as many groups or none"),
    ],
)
def test_what_does_not_fit_together_is_refused(changed: dict[str, object], text: str) -> None:
    with pytest.raises(DataError, match=text):
        replace(judged(np.zeros(2), np.ones(2)), **changed)  # type: ignore[arg-type]


def test_damaged_files_are_refused_by_line(tmp_path: Path) -> None:
    (tmp_path / "e.jsonl").write_text('{"key": "a", "label": 1.0, "predicted": 2.0}\n{"key": "b", "label": null}\n')
    with pytest.raises(DataError, match=r"Line 2 of .* is not a judged record \(TypeError"):
        NumberEvaluation.load(tmp_path / "e.jsonl", Number())
    with pytest.raises(StorageError, match="Cannot read"):
        NumberEvaluation.load(tmp_path / "none.jsonl", Number())

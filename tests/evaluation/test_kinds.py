from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from finegraft.errors import UsageError
from finegraft.evaluation.kinds import AnyEvaluation, check_metric, load, metric_names
from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.tags import TagsEvaluation
from finegraft.targets import Category, Number, Tags

KEYS = tuple(f"{i}.jpg" for i in range(40))


def classes(k: int) -> Evaluation:
    rng = np.random.default_rng(0)
    return Evaluation(KEYS, Category(tuple("abcdefghij"[:k])), np.arange(40) % k, rng.dirichlet(np.ones(k), 40))


def tagged() -> TagsEvaluation:
    rng = np.random.default_rng(0)
    return TagsEvaluation(
        KEYS, Tags(("a", "b")), rng.integers(0, 2, (40, 2)), rng.random((40, 2)), np.array([0.3, 0.6])
    )


def numbers() -> NumberEvaluation:
    rng = np.random.default_rng(0)
    return NumberEvaluation(KEYS, Number(), rng.normal(size=40), rng.normal(size=40))


EVERY = [classes(2), classes(3), classes(7), tagged(), numbers()]


@pytest.mark.parametrize("evaluation", EVERY)
def test_every_name_is_a_metric_and_every_metric_has_a_name(evaluation: AnyEvaluation) -> None:
    assert set(metric_names(evaluation.target)) == set(evaluation.metrics())


@pytest.mark.parametrize("evaluation", EVERY)
def test_each_is_read_back_by_its_target(evaluation: AnyEvaluation, tmp_path: Path) -> None:
    evaluation.save(tmp_path / "evaluation.jsonl")
    again = load(tmp_path / "evaluation.jsonl", evaluation.target, {"a": 0.3, "b": 0.6})
    assert type(again) is type(evaluation)
    assert again.keys == evaluation.keys
    for name, metric in evaluation.metrics().items():
        assert again.metrics()[name].value == pytest.approx(metric.value, abs=1e-6), name


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    check_metric("macro_f1", Category(("a", "b", "c")))
    with pytest.raises(UsageError) as refused:
        check_metric("macro-f1", Category(("a", "b", "c")))
    assert str(refused.value) == (
        "There is no metric 'macro-f1' of classes. Did you mean 'macro_f1'? Known: accuracy, error_rate, macro_f1, "
        "macro_recall, ece."
    )
    with pytest.raises(UsageError, match=r"^There is no metric 'accuracy' of numbers\. Known: mae, rmse, r2, "):
        check_metric("accuracy", Number())

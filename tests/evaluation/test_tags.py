from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    hamming_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)

from finegraft.errors import DataError, StorageError
from finegraft.evaluation.tags import TagsEvaluation
from finegraft.targets import Tags

COLOURS = Tags(("blue", "red", "round"))


def small() -> TagsEvaluation:
    return TagsEvaluation(
        ("a", "ü/b c", "d"),
        COLOURS,
        np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0]]),
        np.array([[0.9, 0.2, 0.4], [0.1, 0.2, 0.3], [0.6, 0.7, 0.1]]),
    )


def drawn(n: int, k: int = 4, seed: int = 0, alike: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Truth and probabilities; how hard a record is holds for all of its tags, more so with `alike`."""
    rng = np.random.default_rng(seed)
    truth = (rng.random((n, k)) < np.linspace(0.15, 0.5, k)).astype(np.int64)
    scores = 1.6 * (2 * truth - 1) * np.exp(alike * rng.normal(size=(n, 1))) + rng.normal(0, 1.2, (n, k))
    return truth, 1 / (1 + np.exp(-scores))


def large(n: int = 300, k: int = 4) -> TagsEvaluation:
    return TagsEvaluation(tuple(map(str, range(n))), Tags(tuple("abcdefgh"[:k])), *drawn(n, k))


def test_headline_numbers_agree_with_scikit_learn() -> None:
    judged = large()
    found = judged.metrics()
    for average in ("micro", "macro"):
        expected = precision_recall_fscore_support(judged.truth, judged.answered, average=average)
        for name, value in zip(("precision", "recall", "f1"), expected, strict=False):
            assert found[f"{average}_{name}"].value == pytest.approx(value)
    assert found["macro_auroc"].value == pytest.approx(roc_auc_score(judged.truth, judged.probabilities))
    mean = average_precision_score(judged.truth, judged.probabilities, average="macro")
    assert found["macro_average_precision"].value == pytest.approx(mean)
    assert found["exact_match"].value == pytest.approx(accuracy_score(judged.truth, judged.answered))
    assert found["hamming_loss"].value == pytest.approx(hamming_loss(judged.truth, judged.answered))
    for metric in found.values():
        assert metric.interval is not None
        assert 0 <= metric.interval[0] <= metric.value <= metric.interval[1] <= 1
        assert metric.method == "Wilson"


def test_each_tag_agrees_with_scikit_learn() -> None:
    judged = large()
    expected = zip(*precision_recall_fscore_support(judged.truth, judged.answered), strict=True)
    for score, (precision, recall, f1, support) in zip(judged.per_tag(), expected, strict=True):
        assert (score.precision.value, score.recall.value) == pytest.approx((precision, recall))
        assert score.f1.value == pytest.approx(f1)
        assert score.support == support
        assert score.auroc is not None


def test_a_tag_that_never_occurs_is_left_out_of_the_averages() -> None:
    scores = {score.label: score for score in small().per_tag()}
    assert (scores["blue"].support, scores["blue"].answered) == (1, 2)
    alone = replace(small(), truth=np.array([[1, 0, 0], [0, 0, 0], [0, 0, 0]]), thresholds=0.65)
    never = alone.per_tag()[2]
    assert (never.support, never.auroc, never.recall.interval) == (0, None, (0.0, 1.0))
    assert alone.metrics()["macro_recall"].value == pytest.approx(0.5)  # blue found, red answered wrongly
    assert alone.metrics()["macro_auroc"].value == 1.0
    nothing = replace(small(), truth=np.zeros((3, 3)), thresholds=0.95).metrics()
    assert "macro_f1" not in nothing
    assert (nothing["exact_match"].value, nothing["micro_f1"].interval) == (1.0, (0.0, 1.0))


@pytest.mark.parametrize("grouped", [False, True])
def test_intervals_cover_the_truth(grouped: bool) -> None:
    true = TagsEvaluation(tuple(map(str, range(60_000))), Tags(tuple("abcd")), *drawn(60_000, seed=1)).metrics()
    covered: dict[str, list[bool]] = {name: [] for name in true}
    for seed in range(150):
        truth, probabilities = drawn(120, seed=100 + seed)
        groups = ()
        if grouped:  # every record three times, as three photos of one thing
            truth, probabilities = np.repeat(truth, 3, axis=0), np.repeat(probabilities, 3, axis=0)
            groups = tuple(str(i // 3) for i in range(len(truth)))
        judged = TagsEvaluation(
            tuple(map(str, range(len(truth)))), Tags(tuple("abcd")), truth, probabilities, 0.5, groups
        )
        for name, metric in judged.metrics().items():
            low, high = metric.interval or (1, 0)
            covered[name].append(low <= true[name].value <= high)
    for name, held in covered.items():
        assert np.mean(held) >= 0.89, name  # 0.95 less three standard errors of 150 sets


def test_f1_of_one_tag_that_is_all_right_is_no_proof() -> None:
    truth = np.ones((10, 1), dtype=np.int64)
    one = TagsEvaluation(tuple("abcdefghij"), Tags(("a",)), truth, truth * 0.9)
    low, high = one.metrics()["micro_f1"].interval or (1, 0)
    assert 0.7 < low < 0.9
    assert high == 1.0


def test_which_records_are_wrong_and_what_was_said() -> None:
    judged = small()
    assert judged.wrong() == [0, 2]
    assert (judged.tags_of(0), judged.tags_of(0, answered=True)) == (("blue", "round"), ("blue",))
    assert judged.subset(np.array([2, 0])).keys == ("d", "a")
    assert repr(judged) == "<TagsEvaluation: micro F1 0.667 (0.251 to 0.923) on 3 records, 3 tags>"


def test_what_is_saved_is_read(tmp_path: Path) -> None:
    judged = replace(large(50), groups=tuple(str(i // 2) for i in range(50)), thresholds=np.array([0.3, 0.5, 0.6, 0.7]))
    judged.save(tmp_path / "evaluation.jsonl")
    read = TagsEvaluation.load(tmp_path / "evaluation.jsonl", judged.target, judged.thresholds)
    assert (read.keys, read.groups) == (judged.keys, judged.groups)
    np.testing.assert_array_equal(read.truth, judged.truth)
    np.testing.assert_array_equal(read.answered, judged.answered)
    np.testing.assert_allclose(read.probabilities, judged.probabilities, rtol=1e-5)
    first = json.loads((tmp_path / "evaluation.jsonl").read_text().splitlines()[0])
    assert list(first) == ["key", "label", "predicted", "group", "probabilities"]


def test_rounding_does_not_change_an_answer(tmp_path: Path) -> None:
    edge = TagsEvaluation(("a",), Tags(("red",)), np.array([[1]]), np.array([[0.49999999]]))
    edge.save(tmp_path / "e.jsonl")
    assert TagsEvaluation.load(tmp_path / "e.jsonl", edge.target).answered.tolist() == [[0]]


def test_summary_is_plain_json() -> None:
    summary = json.loads(json.dumps(small().summary_json(), allow_nan=False))
    assert set(summary) == {"metrics", "intervals", "micro_f1", "exact_match", "n_judged", "classes", "thresholds"}
    assert summary["thresholds"] == [0.5, 0.5, 0.5]
    assert summary["intervals"]["clusters"] is None
    assert summary["metrics"]["exact_match"]["method"] == "Wilson"


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"keys": ()}, "no records to judge"),
        ({"keys": ("a", "b", "a")}, "the key 'a' occurs more often"),
        ({"truth": np.zeros((3, 2))}, r"3 keys and 3 tags need truth and probabilities of shape \(3, 3\)"),
        ({"truth": np.full((3, 3), 2)}, r"must be 0 or 1\. Tags\.encode makes it"),
        ({"probabilities": np.full((3, 3), np.nan)}, r"must lie in 0\.\.1\. The logistic function"),
        ({"thresholds": np.zeros(2)}, r"3 tags need 3 thresholds, or one for all, got \(2,\)"),
        ({"groups": ("a",)}, "3 records need as many groups or none, got 1"),
    ],
)
def test_what_does_not_fit_together_is_refused(changed: dict[str, object], text: str) -> None:
    with pytest.raises(DataError, match=text):
        replace(small(), **changed)  # type: ignore[arg-type]


def test_damaged_files_are_refused_by_line(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.jsonl"
    small().save(path)
    with pytest.raises(DataError, match="rows of 3 probabilities, but there are 2 tags"):
        TagsEvaluation.load(path, Tags(("a", "b")))
    path.write_text(path.read_text() + '{"key": "x", "label": "red", "probabilities": []}\n')
    with pytest.raises(DataError, match=r"Line 4 of .* is not a judged record \(ValueError: the label is no list\)"):
        TagsEvaluation.load(path, COLOURS)
    with pytest.raises(StorageError, match="Cannot read"):
        TagsEvaluation.load(tmp_path / "none.jsonl", COLOURS)

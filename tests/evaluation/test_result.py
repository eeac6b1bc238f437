from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from finegraft.errors import DataError, StorageError
from finegraft.evaluation.result import Evaluation
from finegraft.targets import Category, softmax

FLOWERS = Category(("aster", "rose", "tulip"))


def small() -> Evaluation:
    """Four flowers; the third and the fourth are roses taken for tulips, the fourth with certainty."""
    probabilities = np.array([[0.8, 0.1, 0.1], [0.1, 0.2, 0.7], [0.05, 0.35, 0.6], [0.0, 0.0, 1.0]])
    return Evaluation(("a", "b", "ü/c d", "d"), FLOWERS, np.array([0, 2, 1, 1]), probabilities)


def large(n: int = 300, k: int = 12, dtype: type = np.float64) -> Evaluation:
    rng = np.random.default_rng(0)
    target = Category(tuple(f"class {i:02}" for i in range(k)))
    truth = rng.integers(0, k, size=n)
    probabilities: np.ndarray = softmax(rng.normal(scale=3, size=(n, k)) + 3 * np.eye(k)[truth]).astype(dtype)
    return Evaluation(tuple(f"{i}.jpg" for i in range(n)), target, truth, probabilities)


def test_answers_losses_and_confusions() -> None:
    judged = small()
    assert judged.labels == ("aster", "rose", "tulip")
    assert judged.predicted.tolist() == [0, 2, 2, 2]
    assert judged.accuracy.value == judged.error_rate.value == 0.5
    assert judged.most_confused() == [("rose", "tulip", 2)]
    assert judged.confusion_matrix().tolist() == [[1, 0, 0], [0, 0, 2], [0, 0, 1]]
    assert judged.per_class().recall.tolist() == [1.0, 0.0, 1.0]
    assert judged.losses[3] == pytest.approx(-np.log(1e-12))


def test_losses_agree_with_scikit_learn() -> None:
    judged = large()
    assert judged.losses.mean() == pytest.approx(log_loss(judged.truth, judged.probabilities))


def test_top_losses_say_what_was_answered() -> None:
    first, second = small().top_losses(2)
    assert (first.key, first.label, first.predicted, first.probability) == ("d", "rose", "tulip", 1.0)
    assert (second.key, second.probability) == ("ü/c d", 0.6)
    assert second.loss == pytest.approx(-np.log(0.35))
    assert len(small().top_losses()) == 4


def test_intervals_say_whether_they_are_by_cluster_and_why() -> None:
    judged = large()
    alone = judged.summary_json()["intervals"]
    assert (alone["level"], alone["clusters"], alone["design_effect"]) == (0.95, None, None)
    assert alone["why"].startswith(
        "No two judged records belong together, so each counts in full: shares have Wilson's"
    )
    tens = replace(judged, groups=tuple(str(i // 10) for i in range(len(judged))))
    told = tens.summary_json()["intervals"]
    assert told["clusters"] == -(-len(judged) // 10)
    assert told["design_effect"] >= 1
    assert f"records are of {told['clusters']} groups" in told["why"]
    assert tens.accuracy.method == "Wilson, by cluster"
    assert all(metric.method.endswith(", by cluster") for metric in tens.metrics().values())
    assert judged.accuracy.method == "Wilson"


def test_groups_that_all_differ_change_nothing() -> None:
    judged = small()
    apart = replace(judged, groups=judged.keys)
    assert apart.metrics() == judged.metrics()
    assert apart.summary_json() == judged.summary_json()


def test_two_classes_have_auroc_and_average_precision_of_the_rarer_one() -> None:
    two = Category(("no", "yes"))
    truth = np.array([0, 0, 0, 1, 1])
    yes = np.array([0.1, 0.6, 0.2, 0.55, 0.9])
    found = Evaluation(tuple("abcde"), two, truth, np.stack([1 - yes, yes], axis=1)).metrics()
    assert found["auroc"].value == pytest.approx(roc_auc_score(truth, yes))
    assert found["average_precision"].value == pytest.approx(average_precision_score(truth, yes))
    alone = Evaluation(("a",), two, np.array([0]), np.array([[0.9, 0.1]])).metrics()
    assert "auroc" not in alone


def test_it_shows_its_accuracy() -> None:
    assert repr(small()) == "<Evaluation: accuracy 0.500 (0.150 to 0.850) on 4 records, 3 classes>"
    assert len(small()) == 4


def test_summary_holds_the_promised_keys_as_plain_json() -> None:
    judged = large()
    summary = json.loads(json.dumps(judged.summary_json(), allow_nan=False))
    assert set(summary) == {
        "metrics", "intervals", "accuracy", "accuracy_interval", "error_rate", "macro_f1", "macro_recall", "ece",
        "n_judged", "classes",
    }  # fmt: skip
    assert set(summary["metrics"]) == {
        "accuracy", "error_rate", "macro_f1", "macro_recall", "ece", "top_5_accuracy",
    }  # fmt: skip
    assert summary["accuracy"] == summary["metrics"]["accuracy"]["value"] == judged.accuracy.value
    assert tuple(summary["accuracy_interval"]) == judged.accuracy.interval
    assert summary["macro_f1"] == judged.macro_f1.value
    assert summary["ece"] == judged.metrics()["ece"].value
    assert summary["n_judged"] == 300
    assert summary["classes"] == list(judged.labels)


def test_rows_hold_the_promised_keys() -> None:
    row = list(small().rows())[2]
    assert row == {
        "key": "ü/c d",
        "label": "rose",
        "predicted": "tulip",
        "probability": 0.6,
        "loss": 1.04982,
        "probabilities": [0.05, 0.35, 0.6],
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_saved_and_loaded_it_says_the_same(tmp_path: Path, dtype: type) -> None:
    judged = large(dtype=dtype)
    judged.save(tmp_path / "evaluation.jsonl")
    again = Evaluation.load(tmp_path / "evaluation.jsonl", judged.target)
    assert again.keys == judged.keys
    np.testing.assert_array_equal(again.truth, judged.truth)
    np.testing.assert_allclose(again.probabilities, judged.probabilities, rtol=5e-6)
    np.testing.assert_array_equal(again.predicted, judged.predicted)
    assert again.metrics()["macro_f1"] == judged.metrics()["macro_f1"]
    assert again.metrics()["top_5_accuracy"] == judged.metrics()["top_5_accuracy"]


def test_numbers_are_written_with_six_digits_and_tiny_ones_survive(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.jsonl"
    probabilities = np.array([[1 - 1 / 3, 1 / 3, 1.23456789e-9], [1.0, 5e-310, 0.0]])
    Evaluation(("a", "b"), FLOWERS, np.array([0, 0]), probabilities).save(path)
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert first["probabilities"] == [0.666667, 0.333333, 1.23457e-09]
    assert second["probabilities"] == [1.0, 0.0, 0.0]


def test_rounding_never_changes_who_comes_first(tmp_path: Path) -> None:
    close = Evaluation(("a",), FLOWERS, np.array([1]), np.array([[0.33333331, 0.33333339, 0.3333333]]))
    assert close.predicted.tolist() == [1]
    close.save(tmp_path / "evaluation.jsonl")
    again = Evaluation.load(tmp_path / "evaluation.jsonl", FLOWERS)
    assert again.predicted.tolist() == [1]
    assert again.accuracy == close.accuracy


@pytest.mark.parametrize("key", ["line\u2028end\x85.jpg", "tab\tand\nfeed.jpg", "not utf-8 \udcff.jpg"])
def test_odd_file_names_survive(tmp_path: Path, key: str) -> None:
    path = tmp_path / "evaluation.jsonl"
    Evaluation((key,), FLOWERS, np.array([0]), np.array([[1.0, 0.0, 0.0]])).save(path)
    assert Evaluation.load(path, FLOWERS).keys == (key,)


def test_its_arrays_cannot_be_changed() -> None:
    truth, probabilities = np.array([0]), np.array([[1.0, 0.0, 0.0]])
    judged = Evaluation(("a",), FLOWERS, truth, probabilities)
    for array in (judged.truth, judged.probabilities, judged.predicted, judged.losses):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    truth[0] = 1  # the caller's own arrays stay writeable


@pytest.mark.parametrize(
    ("keys", "truth", "probabilities", "said"),
    [
        ((), [], np.empty((0, 3)), "There are no records to judge"),
        (("a",), [0, 1], [[1, 0, 0]], r"need truth of shape \(1,\).*got \(2,\) and \(1, 3\)"),
        (("a",), [0], [[1, 0]], r"probabilities of shape \(1, 3\), got \(1,\) and \(1, 2\)"),
        (("a",), [3], [[1, 0, 0]], r"class numbers in 0\.\.2, got int64 in 3\.\.3\. Category\.encode"),
        (("a",), [0.0], [[1, 0, 0]], "class numbers in 0..2, got float64"),
        (("a", "a"), [0, 0], [[1, 0, 0]] * 2, "judged once, but the key 'a' occurs more often"),
        (("a", "b"), [0, 0], [[1, 0, 0], [2, 3, 4]], r"those of 'b' sum to 9\..*softmax makes them from scores"),
        (("a", "b"), [0, 0], [[1, 0, 0], [1.5, -0.5, 0]], "at least 0 and sum to one, but those of 'b'"),
        (("a",), [0], [[np.nan, 0.5, 0.5]], "those of 'a' sum to nan"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    keys: tuple[str, ...], truth: list[float], probabilities: list[list[float]], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        Evaluation(keys, FLOWERS, np.array(truth), np.array(probabilities))


@pytest.mark.parametrize(
    "line",
    ["{", "[]", '{"key": "a", "label": "rose"}', '{"key": "a", "label": "rose", "probabilities": 3}'],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "evaluation.jsonl"
    small().save(path)
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(DataError, match=r"Line 5 of .*evaluation\.jsonl is not a judged record.*judge again"):
        Evaluation.load(path, FLOWERS)


def test_other_classes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.jsonl"
    small().save(path)
    with pytest.raises(DataError, match="holds rows of 3 probabilities, but there are 2 classes"):
        Evaluation.load(path, Category(("rose", "tulip")))
    with pytest.raises(DataError, match="not classes of the model: aster"):
        Evaluation.load(path, Category(("lily", "rose", "tulip")))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"Cannot read .*none\.jsonl: No such file"):
        Evaluation.load(tmp_path / "none.jsonl", FLOWERS)
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(DataError, match="There are no records to judge"):
        Evaluation.load(tmp_path / "empty.jsonl", FLOWERS)


def known() -> Evaluation:
    """`small` with all that may be known of its records besides."""
    traits = {"brightness": np.array([0.25, np.nan, 0.5, 1.0]), "camera": np.array(["a", "", "b", "a"], dtype=object)}
    return replace(small(), groups=("x", "x", "y", "z"), traits=traits, novelty=np.array([0.5, 2.0, 0.125, 1.0]))


def test_what_is_known_besides_is_kept(tmp_path: Path) -> None:
    known().save(tmp_path / "evaluation.jsonl")
    again = Evaluation.load(tmp_path / "evaluation.jsonl", FLOWERS)
    assert again.groups == ("x", "x", "y", "z")
    assert again.novelty is not None
    assert again.novelty.tolist() == [0.5, 2.0, 0.125, 1.0]
    assert again.traits["camera"].tolist() == ["a", "", "b", "a"]
    np.testing.assert_array_equal(again.traits["brightness"], [0.25, np.nan, 0.5, 1.0])


def test_nothing_known_besides_stays_nothing(tmp_path: Path) -> None:
    small().save(tmp_path / "evaluation.jsonl")
    again = Evaluation.load(tmp_path / "evaluation.jsonl", FLOWERS)
    assert (again.groups, dict(again.traits), again.novelty) == ((), {}, None)


def test_a_subset_takes_all_that_is_known_along() -> None:
    part = known().subset(np.array([3, 1]))
    assert part.keys == ("d", "b")
    assert part.groups == ("z", "x")
    assert part.truth.tolist() == [1, 2]
    assert part.novelty is not None
    assert part.novelty.tolist() == [1.0, 2.0]
    assert part.traits["camera"].tolist() == ["a", ""]
    with pytest.raises(DataError, match="There are no records to judge"):
        known().subset(np.array([], dtype=np.int64))


@pytest.mark.parametrize(
    "more",
    [{"groups": ("x",)}, {"traits": {"camera": np.array(["a"], dtype=object)}}, {"novelty": np.array([1.0])}],
)
def test_what_is_known_besides_must_fit(more: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"4 records need .* of shape \(4,\), got \(1,\)"):
        replace(small(), **more)

from __future__ import annotations

import numpy as np
import pytest

from finegraft.evaluation.class_gains import class_gains

SIZES = (100, 200, 400)


def answers(errors: list[list[float]], n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(truth, wrong) for classes with `n` records each, whose errors at each size are given."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(errors)), n)
    draw = rng.random(len(truth))
    return truth, np.stack([draw < np.array(errors)[truth, size] for size in range(3)]).astype(np.float64)


def test_a_class_whose_recall_rises_fastest_stands_out() -> None:
    truth, wrong = answers([[0.2, 0.18, 0.16], [0.2, 0.18, 0.16], [0.2, 0.18, 0.16], [0.6, 0.45, 0.3]], 300)
    first, *rest = class_gains("abcd", truth, SIZES, wrong)
    assert (first.label, first.photos, first.stands_out) == ("d", 300, True)
    assert first.gain == pytest.approx(0.15, abs=0.03)
    assert first.recall == pytest.approx(0.7, abs=0.06)
    assert not any(row.stands_out for row in rest)


def test_among_equal_classes_hardly_one_stands_out() -> None:
    out = 0
    for seed in range(40):
        truth, wrong = answers([[0.3, 0.25, 0.2]] * 10, 60, seed)
        out += sum(row.stands_out for row in class_gains("abcdefghij", truth, SIZES, wrong))
    assert out <= 10  # of 400


def test_what_is_measured_of_a_few_records_is_drawn_to_what_is_expected() -> None:
    truth, wrong = answers([[0.4, 0.3, 0.2]] * 5, 200)
    few = np.array([[1, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]], dtype=np.float64)  # 25 points each
    rows = class_gains("abcdef", np.append(truth, [5] * 6), SIZES, np.hstack([wrong, few]))
    (tiny,) = (row for row in rows if row.label == "f")
    assert tiny.gain < 0.15
    assert not tiny.stands_out


def test_a_class_that_few_were_asked_of_has_what_is_expected_of_its_errors() -> None:
    truth, wrong = answers([[0.4, 0.3, 0.2], [0.4, 0.3, 0.2]], 200)
    wrong[:2, truth == 1] = np.nan
    one, other = class_gains("ab", truth, SIZES, wrong)
    assert one.gain == pytest.approx(other.gain, rel=0.4)


def test_a_class_of_one_record_and_one_without_errors_are_rows_too() -> None:
    truth = np.array([0] * 50 + [1])
    wrong = np.zeros((3, 51))
    rows = class_gains(("all found", "single"), truth, SIZES, wrong)
    assert {(row.label, row.recall, row.gain, row.stands_out) for row in rows} == {
        ("all found", 1.0, 0.0, False),
        ("single", 1.0, 0.0, False),
    }


def test_a_recall_that_falls_is_no_gain() -> None:
    truth, wrong = answers([[0.1, 0.15, 0.2], [0.1, 0.15, 0.2]], 100)
    assert [row.gain for row in class_gains("ab", truth, SIZES, wrong)] == [0.0, 0.0]

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import coverage
from benchmarks.promise import within
from benchmarks.promises.coverage import told


def test_within_is_a_limit_on_both_sides() -> None:
    wanted = within(0.93, 0.97)
    assert wanted.words == "0.93 to 0.97"
    assert [wanted.holds(number) for number in (0.929, 0.93, 0.97, 0.971)] == [False, True, True, False]


def test_whole_groups_are_drawn_and_each_draw_has_a_name_of_its_own() -> None:
    group = np.repeat(np.arange(30), 4)
    rows, names = coverage.together(group, 40, np.random.default_rng(0))
    assert len(rows) == len(names) == 40
    assert len(set(names)) == 10
    for name in set(names):
        members = [row for row, own in zip(rows.tolist(), names, strict=True) if own == name]
        assert len({row // 4 for row in members}) == 1
        assert len(members) == 4


def test_the_truth_is_what_the_head_does_on_all_others() -> None:
    truth = np.array([0, 0, 1, 2])
    probabilities = np.array([[0.9, 0.1, 0], [0.2, 0.8, 0], [0, 1.0, 0], [0.5, 0.2, 0.3]])
    true = coverage.worth(truth, probabilities, 200)
    assert (true["accuracy"], true["macro_recall"]) == pytest.approx((0.5, 0.5))
    assert true["macro_f1"] == pytest.approx((1 / 2 + 2 / 3 + 0) / 3)


def test_intervals_of_separable_photos_hold_the_truth() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, size=400)
    photos = coverage.grouped(rng.normal(size=(400, 5)) + 1.3 * np.eye(3, 5)[truth], truth)
    found = coverage.coverage(photos, splits=12, learned=60, judged=50)
    assert found["splits"] == 12
    for way in ("alone", "clustered", "unaware"):
        assert set(found[way]) == set(coverage.NAMES)
    assert found["alone"]["accuracy"] >= 0.75


def test_shares_are_told_by_metric() -> None:
    words = told({"accuracy": 0.95, "macro_recall": 0.96, "macro_f1": 0.97, "ece": 0.98})
    assert words == "accuracy 0.950, macro recall 0.960, macro F1 0.970, calibration error 0.980"

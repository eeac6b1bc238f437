from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.held_back import area, plain, scores_by_hand, without
from benchmarks.promises.doubting import calibrated_errors, unsure
from finegraft.training.recipe import Table, scores_of
from tests.training.making import blobs, dataset, learner


def test_drawn_truths_are_as_likely_as_their_probabilities_say() -> None:
    probabilities = np.tile([0.7, 0.2, 0.1], (5000, 1))
    errors = calibrated_errors(probabilities, 50)
    # With equal probabilities all answers share one bin, and the error is |share right - 0.7|: its mean is known.
    assert errors.mean() == pytest.approx(np.sqrt(2 / np.pi * 0.7 * 0.3 / 5000), rel=0.35)
    assert calibrated_errors(np.eye(3), 5).tolist() == [0.0] * 5


def test_reasons_are_counted_apart() -> None:
    rows = [{"unsure": reason} for reason in ("close call", None, "unlike training", "close call")]
    assert (unsure(rows, "close call"), unsure(rows, "unlike training")) == (0.5, 0.25)


def test_the_scores_by_hand_are_those_of_the_network() -> None:
    for head in ("linear", "mlp"):
        taught = learner(head=head)
        taught.fit_one_cycle(2, lr=0.1)
        features = blobs(30, seed=4)[0]
        wanted = scores_of(taught.network, Table(torch.from_numpy(features), torch.zeros(30, dtype=torch.int64)))
        np.testing.assert_allclose(scores_by_hand(taught, features), wanted, atol=1e-4)


def test_a_class_held_back_is_in_no_part() -> None:
    data = dataset([0, 1, 2, 0, 1, 2], ["train"] * 3 + ["test"] * 3)
    rest = without(data, "b")
    assert rest.classes == ("a", "c")
    assert [record.left_out for record in rest.records] == [None, "held back", None] * 2


def test_areas_and_distances() -> None:
    assert area(np.array([0.1, 0.2]), np.array([0.3, 0.15])) == 0.75
    learned = np.array([[1.0, 0.0], [0.0, 2.0]])
    np.testing.assert_allclose(plain(learned, np.array([[3.0, 0.0], [1.0, 1.0]])), [0, 1 - np.sqrt(0.5)])

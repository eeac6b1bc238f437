from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit, cross_val_predict

from finegraft.training.folds import out_of_fold
from tests.training.making import blobs


def test_scores_are_those_of_scikit_learns_cross_validation() -> None:
    features, truth = blobs(40)
    folds = np.random.default_rng(0).permutation(np.arange(40) % 5)

    def learn_and_score(learn: np.ndarray, rest: np.ndarray) -> np.ndarray:
        model = LogisticRegression().fit(features[learn], truth[learn])
        return np.asarray(model.decision_function(features[rest]))

    wanted = cross_val_predict(
        LogisticRegression(), features, truth, cv=PredefinedSplit(folds), method="decision_function"
    )
    np.testing.assert_allclose(out_of_fold(folds, learn_and_score), wanted)


def test_no_record_is_scored_by_a_model_that_saw_its_fold() -> None:
    folds = np.array([2, 0, 0, 7, 2])

    def learn_and_score(learn: np.ndarray, rest: np.ndarray) -> np.ndarray:
        assert not set(folds[learn]) & set(folds[rest])
        assert sorted([*learn, *rest]) == [0, 1, 2, 3, 4]
        return rest[:, None].astype(float)

    assert out_of_fold(folds, learn_and_score)[:, 0].tolist() == [0, 1, 2, 3, 4]


def test_no_fold_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="need at least one fold, got none"):
        out_of_fold(np.array([], int), lambda _learn, _rest: np.zeros((0, 2)))

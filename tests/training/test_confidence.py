from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from finegraft.data.splits import folds
from finegraft.evaluation.calibration import unsure_below
from finegraft.models.heads import HeadKind
from finegraft.training import confidence
from finegraft.training.confidence import calibrate
from finegraft.training.objective import of_categories
from finegraft.training.recipe import Fit, Recipe, Table, scores_of
from finegraft.training.schedule import constant, one_cycle
from tests.training.making import table

RECIPE = Recipe(3, of_categories(), 16, seed=0)
FITS = [Fit(one_cycle(0.1), 4), Fit(constant(0.01), 1)]
DIGESTS = [f"digest {i}" for i in range(60)]


def scores_by_hand(kind: HeadKind, learned: Table) -> np.ndarray:
    """Out-of-fold scores with the folds written out."""
    fold_of = folds(learned.truth.numpy(), DIGESTS, 5, seed=0)
    scores = np.zeros((60, 3))
    for fold in range(5):
        rest = learned.rows(np.flatnonzero(fold_of != fold))
        network = RECIPE.fresh(kind, rest)
        for fit in FITS:
            RECIPE.train(network, rest, fit)
        scores[fold_of == fold] = scores_of(network, learned.rows(np.flatnonzero(fold_of == fold)))
    return scores


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_the_temperature_is_scipys_on_the_same_scores(kind: HeadKind) -> None:
    learned = table(60, spread=1.5)
    scores, truth = scores_by_hand(kind, learned), learned.truth.numpy()
    got = calibrate(RECIPE, kind, FITS, learned, DIGESTS, seed=0)
    # Cross-entropy of the 60 records and one more of evenly spread truth (see fit_temperature).
    spread = np.full((60, 3), 1 / 61 / 3)
    spread[np.arange(60), truth] += 60 / 61
    found = minimize_scalar(
        lambda inverse: -(spread * log_softmax(scores * inverse, axis=1)).sum(), bounds=(0.05, 20), method="bounded"
    )
    assert got.temperature == pytest.approx(1 / found.x, rel=1e-3)
    probabilities = np.exp(log_softmax(scores / got.temperature, axis=1))
    np.testing.assert_allclose(got.probabilities, probabilities, atol=1e-6)
    assert got.unsure_below == unsure_below(got.probabilities, truth)


def test_copies_share_a_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[np.ndarray] = []

    def folds_seen(*args: Any) -> np.ndarray:
        seen.append(folds(*args))
        return seen[-1]

    monkeypatch.setattr(confidence, "folds", folds_seen)
    calibrate(RECIPE, "linear", FITS, table(60), [f"digest {i % 12}" for i in range(60)], seed=0)
    (fold_of,) = seen
    assert set(fold_of) == {0, 1, 2, 3, 4}
    for i in range(60):
        assert fold_of[i] == fold_of[i % 12]


def test_a_copy_cannot_make_the_model_sure_of_itself() -> None:
    """Labels at random: only who has seen a record can know its label. With each record there five times, scores
    across copies would be right; out of fold they are not."""
    features = torch.from_numpy(np.random.default_rng(0).normal(size=(12, 30)).astype(np.float32)).repeat(5, 1)
    truth = torch.arange(12).repeat(5) % 3
    digests = [f"digest {i % 12}" for i in range(60)]
    got = calibrate(RECIPE, "linear", [Fit(one_cycle(0.1), 10)], Table(features, truth), digests, seed=0)
    assert (got.probabilities.argmax(1) == truth.numpy()).mean() < 0.7
    assert got.temperature > 5


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_three_records_are_enough(kind: HeadKind) -> None:
    got = calibrate(RECIPE, kind, FITS, table(3), DIGESTS[:3], seed=0)
    assert got.probabilities.shape == (3, 3)


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_fewer_than_three_different_records_say_nothing_and_leave_every_answer_unsure(kind: HeadKind) -> None:
    got = calibrate(RECIPE, kind, FITS, table(4), ["x", "y", "x", "y"], seed=0)
    assert (got.temperature, got.unsure_below) == (1.0, 1.0)
    np.testing.assert_allclose(got.probabilities, np.full((4, 3), 1 / 3))


def test_what_run_json_keeps_is_what_the_answers_out_of_fold_say() -> None:
    got = calibrate(RECIPE, "linear", FITS, table(60), DIGESTS, seed=0)
    stored = json.loads(json.dumps(got.to_json(), allow_nan=False))
    told = stored["out_of_fold"]
    right = got.probabilities.argmax(1) == got.truth
    assert stored["temperature"] == got.temperature
    assert told["accuracy"]["value"] == right.mean()
    assert sum(told["reliability"]["count"]) == 60
    assert sum(told["reliability"]["right"]) == right.sum()
    assert told["risk_coverage"]["coverage"][-1] == 1
    assert told["risk_coverage"]["error"][-1] == pytest.approx(1 - right.mean())
    assert told["close_calls"] == (got.probabilities.max(1) < got.unsure_below).mean()
    assert got.novel is not None
    assert told["unlike_training"] == (got.novel > 1).mean()


def test_a_larger_wanted_error_leaves_fewer_answers_unsure() -> None:
    hard = table(60, spread=3.0)
    strict, lax = (calibrate(RECIPE, "linear", FITS, hard, DIGESTS, 0, wanted_error=e) for e in (0.02, 0.4))
    assert lax.unsure_below < strict.unsure_below
    for got, wanted in ((strict, 0.02), (lax, 0.4)):
        kept = got.probabilities.max(1) >= got.unsure_below
        wrong = (got.probabilities.argmax(1) != got.truth)[kept]
        assert wrong.sum() <= wanted * len(wrong)


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_more_features_than_records_give_the_same_answers_as_the_plain_way(kind: HeadKind) -> None:
    """Heads of few records are trained in the span of these; `scores_by_hand` trains them the plain way."""
    wide = table(60, width=200)
    got = calibrate(RECIPE, kind, FITS, wide, DIGESTS, seed=0)
    by_hand = scores_by_hand(kind, wide)
    wanted = np.exp(log_softmax(by_hand / got.temperature, axis=1))
    np.testing.assert_allclose(got.probabilities, wanted, atol=1e-4)

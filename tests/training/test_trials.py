from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from sklearn.metrics import log_loss

from finegraft.training.lr_finder import find_lr
from finegraft.training.objective import of_categories
from finegraft.training.recipe import Fit, Recipe, Table, scores_of
from finegraft.training.schedule import one_cycle
from finegraft.training.trials import HeadTrial, better, try_heads
from tests.training.making import table

RECIPE = Recipe(3, of_categories(), 16, seed=0)


def test_a_trial_is_find_train_and_judge() -> None:
    learn, choose = table(60, spread=1.5), table(200, spread=1.5, seed=4)
    for trial in try_heads(RECIPE, learn, choose, epochs=4):
        network = RECIPE.fresh(trial.kind, learn)
        assert trial.lr == find_lr(network, RECIPE.batches(learn), RECIPE.objective).suggestion
        RECIPE.train(network, learn, Fit(one_cycle(trial.lr), 4))
        scores, truth = torch.from_numpy(scores_of(network, choose)).double(), choose.truth.numpy()

        def loss(inverse: float, scores: torch.Tensor = scores, truth: np.ndarray = truth) -> float:
            return float(log_loss(truth, (scores * inverse).softmax(1).numpy(), labels=[0, 1, 2]))

        lowest = minimize_scalar(loss, bounds=(0.05, 20), method="bounded").fun
        assert trial.loss == pytest.approx(lowest, rel=2e-3)
        assert trial.error == pytest.approx((scores.argmax(1).numpy() != truth).mean())


def rings(n: int, seed: int) -> Table:
    """Two classes, one around the other: no line parts them."""
    rng = np.random.default_rng(seed)
    angle, truth = rng.uniform(0, 2 * np.pi, n), np.arange(n) % 2
    radius = 1 + 2 * truth + rng.normal(0, 0.2, n)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).astype(np.float32)
    return Table(torch.from_numpy(points), torch.from_numpy(truth))


def test_a_hidden_layer_is_chosen_where_no_line_parts_the_classes() -> None:
    trials = try_heads(Recipe(2, of_categories(), 64, 0), rings(1000, 0), rings(200, 1), epochs=10)
    assert better(*trials) == "mlp"
    assert trials[1].error < 0.1 < trials[0].error


@pytest.mark.parametrize(("linear", "mlp", "wanted"), [(0.2, 0.1, "mlp"), (0.1, 0.2, "linear"), (0.1, 0.1, "linear")])
def test_the_lower_loss_wins_and_a_tie_goes_to_the_simpler_head(linear: float, mlp: float, wanted: str) -> None:
    assert better(HeadTrial("linear", 0.1, linear, 0.0), HeadTrial("mlp", 0.1, mlp, 0.0)) == wanted

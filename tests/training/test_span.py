from __future__ import annotations

import pytest
import torch

from finegraft.models.heads import HeadKind
from finegraft.training.objective import of_categories
from finegraft.training.recipe import Fit, Recipe, Table, scores_of
from finegraft.training.schedule import constant, one_cycle
from finegraft.training.span import train_in_span
from tests.training.making import table

RECIPE = Recipe(3, of_categories(), 16, seed=0)
FITS = [Fit(one_cycle(0.1), 4), Fit(constant(0.01), 1)]


def both_ways(kind: HeadKind, learned: Table, recipe: Recipe = RECIPE) -> tuple[torch.nn.Sequential, ...]:
    plain, fast = recipe.fresh(kind, learned), recipe.fresh(kind, learned)
    for fit in FITS:
        recipe.train(plain, learned, fit)
    train_in_span(recipe, fast, learned, FITS)
    return plain, fast


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_it_is_the_head_that_training_in_full_gives(kind: HeadKind) -> None:
    learned, asked = table(40, width=200, spread=2.0), table(60, width=200, spread=2.0, seed=1)
    plain, fast = both_ways(kind, learned)
    torch.testing.assert_close(fast[1].weight, plain[1].weight, atol=2e-5, rtol=1e-4)
    torch.testing.assert_close(
        torch.from_numpy(scores_of(fast, asked)), torch.from_numpy(scores_of(plain, asked)), atol=1e-3, rtol=1e-3
    )
    assert not fast.training


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_copies_among_the_records_do_no_harm(kind: HeadKind) -> None:
    once = table(20, width=100)
    twice = Table(once.features.repeat(2, 1), once.truth.repeat(2))
    plain, fast = both_ways(kind, twice)
    torch.testing.assert_close(fast[1].weight, plain[1].weight, atol=2e-5, rtol=1e-4)


def test_with_many_records_or_two_views_it_trains_in_full() -> None:
    many = table(40, width=50)
    seen = table(20, width=100)
    mirrored = Table(seen.features, seen.truth, seen.features.flip(1))
    for learned in (many, mirrored):
        plain, fast = both_ways("mlp", learned)
        assert torch.equal(fast[1].weight, plain[1].weight)

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from finegraft.models.heads import HeadKind
from finegraft.training.objective import of_categories
from finegraft.training.recipe import Fit, Recipe, Table, default_batch_size, default_epochs, default_hidden, scores_of
from finegraft.training.schedule import one_cycle
from tests.training.making import table


def recipe(seed: int = 0) -> Recipe:
    return Recipe(3, of_categories(), 16, seed)


def trained(kind: HeadKind, seed: int = 0, learned: Table | None = None) -> nn.Sequential:
    learned = learned or table()
    network = recipe(seed).fresh(kind, learned)
    recipe(seed).train(network, learned, Fit(one_cycle(0.05), 3))
    return network


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_equal_seeds_give_equal_heads_bit_for_bit(kind: HeadKind) -> None:
    first = trained(kind).state_dict()
    torch.manual_seed(77)  # whatever the caller's generator did in between
    for name, value in trained(kind).state_dict().items():
        assert torch.equal(first[name], value), name


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_another_seed_gives_another_head(kind: HeadKind) -> None:
    assert not torch.equal(trained(kind)[-1].weight, trained(kind, seed=1)[-1].weight)


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_the_generator_of_torch_is_left_alone(kind: HeadKind) -> None:
    before = torch.get_rng_state()
    trained(kind)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_head_learns() -> None:
    learned, test = table(300, spread=0.5, seed=8), table(300, spread=0.5, seed=9)
    scores = scores_of(trained("mlp", learned=learned), test)
    assert scores.dtype == np.float32
    assert (scores.argmax(1) == test.truth.numpy()).mean() > 0.95


def test_rows_of_a_table_keep_their_truth_and_mirror_image() -> None:
    whole = table()
    both = Table(whole.features, whole.truth, -whole.features)
    part = both.rows(np.array([5, 2]))
    assert torch.equal(part.features, whole.features[[5, 2]])
    assert torch.equal(part.truth, whole.truth[[5, 2]])
    assert part.mirrored is not None
    assert torch.equal(part.mirrored, -part.features)


def test_mirror_images_are_learned_from() -> None:
    whole = table()
    both = trained("linear", learned=Table(whole.features, whole.truth, whole.features + 1))
    same = trained("linear", learned=Table(whole.features, whole.truth, whole.features))
    assert torch.equal(same[-1].weight, trained("linear")[-1].weight)
    assert not torch.equal(both[-1].weight, same[-1].weight)


@pytest.mark.parametrize(("n", "size"), [(1, 16), (100, 16), (384, 32), (1000, 64), (2450, 128), (100_000, 128)])
def test_the_batch_size_grows_with_the_set(n: int, size: int) -> None:
    assert default_batch_size(n) == size


@pytest.mark.parametrize(("n", "epochs"), [(10, 20), (1_999, 20), (2_000, 12), (19_999, 12), (20_000, 6)])
def test_small_sets_get_more_epochs(n: int, epochs: int) -> None:
    assert default_epochs(n) == epochs


def test_label_smoothing_is_torchs_mixture_by_hand() -> None:
    scores, truth = torch.tensor([[2.0, 0.0, -1.0]]), torch.tensor([0])
    log = scores.log_softmax(1)[0]
    assert of_categories()(scores, truth).item() == pytest.approx(-log[0].item())
    assert of_categories(0.3)(scores, truth).item() == pytest.approx(-(0.8 * log[0] + 0.1 * log[1:].sum()).item())


def test_a_hidden_layer_has_fewer_units_where_they_cost_much() -> None:
    assert [default_hidden(n) for n in (10, 1_999, 2_000, 100_000)] == [256, 256, 128, 128]
    narrow = replace(recipe(), hidden=7).fresh("mlp", table())
    assert [module.out_features for module in narrow if isinstance(module, nn.Linear)] == [7, 3]

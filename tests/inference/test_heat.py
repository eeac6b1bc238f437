from __future__ import annotations

import itertools

import numpy as np
import pytest

from finegraft.errors import UsageError
from finegraft.inference.heat import Head, against_others, heat
from finegraft.models.graph import with_head
from finegraft.models.novelty import Likeness, Novelty
from tests.graphs import headed_graph, small_graph

CHANNELS, SIDES = 5, (3, 4)


def features_of(last: np.ndarray) -> np.ndarray:
    """As a backbone's: the averages, the largest values, and two numbers from elsewhere."""
    flat = last.reshape(CHANNELS, -1)
    return np.concatenate([flat.mean(axis=1), flat.max(axis=1), [0.3, -0.7]])


def scores_of(layers: list[tuple[np.ndarray, np.ndarray]], features: np.ndarray) -> np.ndarray:
    for weight, bias in layers[:-1]:
        features = np.maximum(weight @ features + bias, 0)
    return np.asarray(layers[-1][0] @ features + layers[-1][1])


def made(widths: tuple[int, ...], seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(b, a)), rng.normal(size=b)) for a, b in itertools.pairwise(widths)]


def shown(given: np.ndarray) -> np.ndarray:
    """As heat: what spoke against is 0, the hottest place 1."""
    given = np.maximum(given, 0)
    return np.asarray(given / given.max()) if given.max() > 0 else given


@pytest.mark.parametrize("widths", [(12, 3), (12, 7, 3), (12, 6, 5, 4), (12, 1)])
@pytest.mark.parametrize("seed", range(3))
def test_a_place_is_as_hot_as_the_score_s_gradient_there_times_its_values(widths: tuple[int, ...], seed: int) -> None:
    layers, last = made(widths, seed), np.random.default_rng(seed + 9).normal(size=(CHANNELS, *SIDES))
    k = widths[-1]
    for answer in range(k):
        direction = against_others(k, answer)

        def score(values: np.ndarray, direction: np.ndarray = direction) -> float:
            return float(direction @ scores_of(layers, features_of(values)))

        step, wanted = 1e-6, np.zeros(SIDES)
        for c, y, x in np.ndindex(last.shape):
            moved = last.copy()
            moved[c, y, x] += step
            wanted[y, x] += (score(moved) - score(last)) / step * last[c, y, x]
        got = heat(Head(tuple(layers)), features_of(last), last, direction)
        np.testing.assert_allclose(got, shown(wanted - wanted.mean()), atol=1e-3)
        usual = np.random.default_rng(seed + 5).normal(size=12)
        base = np.zeros(SIDES)
        gradient = Head(tuple(layers)).gradient(features_of(last), direction)
        for c, y, x in np.ndindex(last.shape):
            base[y, x] += gradient[c] * usual[c] / base.size
            base[y, x] += gradient[CHANNELS + c] * usual[CHANNELS + c] * (last[c, y, x] == last[c].max())
        got = heat(Head(tuple(layers), usual), features_of(last), last, direction)
        np.testing.assert_allclose(got, shown(wanted - base), atol=1e-3)


def test_what_speaks_for_a_class_speaks_against_the_mean_of_the_others() -> None:
    np.testing.assert_allclose(against_others(3, 1), [-0.5, 1, -0.5])
    np.testing.assert_allclose(against_others(1, 0), [1])


def test_where_nothing_speaks_for_it_nothing_is_hot() -> None:
    layers = [(-np.ones((1, 12)), np.zeros(1))]
    last = np.ones((CHANNELS, *SIDES))
    assert heat(Head(tuple(layers)), features_of(last), last, np.ones(1)).max() < 1e-6


def test_the_usual_features_are_those_that_novelty_is_told_by() -> None:
    like = Likeness(np.array([1, 2, 3, 4.0]), np.ones(4), np.eye(4, 2), np.eye(2), np.eye(2), np.zeros((3, 2)))
    graph = with_head(small_graph(), [(np.eye(3, 4), np.zeros(3))], Novelty(like, np.zeros(3), 0.0))
    usual = Head.of(graph).usual
    assert usual is not None
    np.testing.assert_array_equal(usual, [1, 2, 3, 4])
    assert Head.of(headed_graph()).usual is None


def test_features_that_are_no_averages_of_the_map_are_refused() -> None:
    last = np.random.default_rng(0).normal(size=(CHANNELS, *SIDES))
    with pytest.raises(UsageError, match="does not average its last map"):
        heat(Head(tuple(made((12, 3)))), features_of(last) + 0.5, last, against_others(3, 0))
    with pytest.raises(UsageError, match="does not average its last map"):
        heat(Head(tuple(made((3, 3)))), np.zeros(3), last, against_others(3, 0))


@pytest.mark.parametrize("hidden", [0, 6])
def test_a_head_is_read_from_the_graph_without_the_onnx_package(hidden: int) -> None:
    rng = np.random.default_rng(4)
    widths = [4, *([hidden] if hidden else []), 3]
    layers = [
        (rng.normal(size=(b, a)).astype(np.float32), rng.normal(size=b).astype(np.float32))
        for a, b in itertools.pairwise(widths)
    ]
    head = Head.of(with_head(small_graph(), layers))
    assert len(head.layers) == len(layers)
    for (weight, bias), (got_weight, got_bias) in zip(layers, head.layers, strict=True):
        np.testing.assert_array_equal(got_weight, weight)
        np.testing.assert_array_equal(got_bias, bias)


def test_a_graph_without_a_head_of_ours_is_refused() -> None:
    with pytest.raises(UsageError, match="has no head of its own"):
        Head.of(small_graph())
    assert Head.of(headed_graph(hidden=5)).layers[0][0].shape == (5, 4)


def test_a_head_of_other_features_is_refused() -> None:
    last = np.ones((CHANNELS, *SIDES))
    with pytest.raises(UsageError, match="does not fit its features"):
        heat(Head(tuple(made((9, 3)))), features_of(last), last, against_others(3, 0))
    with pytest.raises(UsageError, match="does not fit its features"):
        heat(Head(tuple(made((12, 4)))), features_of(last), last, against_others(3, 0))

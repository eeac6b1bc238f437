from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis

from finegraft.models.graph import with_head
from finegraft.models.novelty import Likeness, Novelty
from finegraft.runtimes import available, open_graph
from tests.graphs import by_hand, small_graph, small_model


def some_novelty(width: int = 4, rank: int = 2, classes: int = 3, seed: int = 0) -> Novelty:
    """A measure with random numbers in every place."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(width, rank)))[0]
    whiten = [np.linalg.cholesky(np.cov(rng.normal(size=(rank, 20)))) for _ in range(2)]
    arrays = (rng.normal(size=width), rng.uniform(0.5, 2, width), basis, *whiten, rng.normal(size=(classes, rank)))
    return Novelty(Likeness(*(a.astype(np.float32) for a in arrays)), np.array([0.3, 0.05, 0.2]), 0.1)


def test_the_signs_are_those_of_the_papers() -> None:
    novelty = some_novelty()
    like = novelty.likeness
    rng = np.random.default_rng(1)
    features, scores = rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
    beside, relative, doubt = novelty.likeness.signs(features, scores).T
    for row, (x, s) in enumerate(zip(features, scores, strict=True)):
        z = (x - like.mean) / like.deviation
        nearest, *_ = np.linalg.lstsq(like.basis, z, rcond=None)
        assert beside[row] == pytest.approx(np.linalg.norm(z - like.basis @ nearest), rel=1e-5)
        inside = z @ like.basis
        within, overall = like.within @ like.within.T, like.overall @ like.overall.T
        centres = np.linalg.solve(like.within.T.astype(float), like.centres.T).T
        own = min(mahalanobis(inside, centre, within) ** 2 for centre in centres)
        whole = mahalanobis(inside, np.zeros(2), overall) ** 2
        assert relative[row] == pytest.approx(own - whole, rel=1e-4, abs=1e-4)
        assert doubt[row] == pytest.approx(-s.max())
    together = 0.3 * beside + 0.05 * relative + 0.2 * doubt + 0.1
    np.testing.assert_allclose(novelty.of(features, scores), together)


@pytest.mark.parametrize("engine", available())
def test_the_graph_says_what_numpy_says(engine: str) -> None:
    novelty = some_novelty()
    weight, bias = np.random.default_rng(2).normal(size=(3, 4)), np.array([0.1, -0.2, 0.3])
    graph = with_head(small_graph(), [(weight, bias)], novelty)
    x = np.random.default_rng(3).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
    outputs = open_graph(graph, engine).run(x)
    features = by_hand(small_model(), x)["features"]
    assert outputs["novelty"].shape == (6,)
    np.testing.assert_allclose(outputs["novelty"], novelty.of(features, features @ weight.T + bias), rtol=1e-4)


def test_without_a_measure_the_graph_has_no_such_output() -> None:
    graph = with_head(small_graph(), [(np.eye(3, 4), np.zeros(3))])
    assert "novelty" not in open_graph(graph, "onnxruntime").outputs

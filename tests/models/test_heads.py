from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from finegraft.models import graph, heads
from finegraft.models.heads import HeadKind
from finegraft.runtimes import available, open_graph
from tests.models.making import photos

WIDTH, CLASSES = 40, 5


def features(n: int = 64, width: int = WIDTH) -> torch.Tensor:
    """Columns of very different size, one of which never varies."""
    generator = torch.Generator().manual_seed(0)
    columns = torch.rand(n, width, generator=generator) * torch.logspace(-3, 3, width) + 5
    columns[:, 3] = 2.0
    return columns


def trained(kind: HeadKind, inputs: torch.Tensor) -> nn.Sequential:
    """A head whose every parameter and running figure has moved."""
    torch.manual_seed(0)
    head = heads.make(kind, inputs, CLASSES)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.5)
    for _ in range(5):
        optimizer.zero_grad()
        nn.functional.cross_entropy(head(inputs), torch.arange(len(inputs)) % CLASSES).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return head.eval()


def by_layers(layers: list[tuple[np.ndarray, np.ndarray]], x: np.ndarray) -> np.ndarray:
    for number, (weight, bias) in enumerate(layers):
        x = (np.maximum(x, 0) if number else x) @ weight.T + bias
    return x


@pytest.mark.parametrize(("kind", "depth"), [("linear", 1), ("mlp", 2)])
def test_folded_is_the_module_in_evaluation_mode(kind: HeadKind, depth: int) -> None:
    inputs = features()
    head = trained(kind, inputs)
    layers = heads.folded(head)
    assert len(layers) == depth
    assert all(array.dtype == np.float64 for layer in layers for array in layer)
    with torch.no_grad():
        wanted = head.double()(inputs.double()).numpy()
    np.testing.assert_allclose(by_layers(layers, inputs.double().numpy()), wanted, atol=1e-5)


def test_what_cannot_be_folded_is_refused() -> None:
    with pytest.raises(TypeError, match="cannot fold a Tanh"):
        heads.folded(nn.Sequential(nn.Linear(2, 2), nn.Tanh()))


def test_a_linear_head_starts_at_the_loss_of_knowing_nothing() -> None:
    head = heads.make("linear", features(), CLASSES)
    loss = nn.functional.cross_entropy(head(features()), torch.arange(64) % CLASSES)
    assert loss.item() == pytest.approx(math.log(CLASSES))


def test_features_are_standardised_by_those_it_was_made_with() -> None:
    inputs = features()
    standard = heads.make("linear", inputs, CLASSES)[0](inputs)
    torch.testing.assert_close(standard.mean(0), torch.zeros(WIDTH), atol=1e-2, rtol=0)
    moves = torch.arange(WIDTH) >= WIDTH // 2  # below, the 1e-3 that guards against dead columns shows
    torch.testing.assert_close(standard.std(0)[moves], torch.ones(int(moves.sum())), atol=0.05, rtol=0)
    assert standard[:, 3].abs().max() < 1e-3, "a column that never varies is nothing, not infinite"


def test_a_dead_column_that_wakes_up_stays_finite() -> None:
    inputs = features()
    head = trained("mlp", inputs)
    inputs[0, 3] = 3.0
    assert head(inputs).isfinite().all()


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_a_head_joined_to_the_body_is_the_module_behind_it(lite0_graph: bytes, engine: str, kind: HeadKind) -> None:
    assert engine in available()
    bare = open_graph(lite0_graph).run(photos(8))
    inputs = torch.from_numpy(bare["features"])
    head = trained(kind, inputs)
    joined = open_graph(graph.with_head(lite0_graph, heads.folded(head)), engine)
    assert joined.outputs == ("scores", "features", "map")
    got = joined.run(photos(8))
    with torch.no_grad():
        np.testing.assert_allclose(got["scores"], head(inputs).numpy(), atol=2e-3, rtol=1e-4)
    np.testing.assert_allclose(got["features"], bare["features"], atol=1e-4)
    np.testing.assert_allclose(got["map"], bare["map"], atol=1e-4)


def test_the_bodys_own_classifier_leaves_the_graph(lite0_graph: bytes) -> None:
    joined = graph.with_head(lite0_graph, [(np.zeros((2, 3184)), np.array([1.0, 2.0]))])
    assert len(joined) < len(lite0_graph) - 1000 * 1280 * 4 + 2 * 3184 * 4 + 4096
    assert open_graph(joined).run(photos(3))["scores"].tolist() == [[1.0, 2.0]] * 3

"""What every kind of backbone promises: its graph answers as the torch module it was made from."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch

from finegraft.models import backbones, graph
from finegraft.models.network import build
from finegraft.runtimes import Runtime, open_graph

# One worker makes the graphs, not each of them.
pytestmark = pytest.mark.xdist_group("backbones")
SIZE = 64
OUTPUTS = ("scores", "features", "map")
# name -> (weights, features, channels of the last map)
KNOWN: dict[str, tuple[str | None, int, int]] = {
    "lite0": (None, 1280 + 1280 + 112 + 192 + 320, 1280),
    "lite2": (None, 1280 + 1280 + 120 + 208 + 352, 1280),
    "timm:resnet18": ("none", 512 + 512 + 128 + 256 + 512, 512),
    "timm:mobilenetv3_small_100": ("none", 2248, 576),
    "timm:convnext_atto": ("none", 320 + 320 + 80 + 160 + 320, 320),
    "timm:vit_tiny_patch16_224": ("none", 5 * 192, 192),
    "timm:swin_tiny_patch4_window7_224": ("none", 768 + 768 + 192 + 384 + 768, 768),
}


@pytest.fixture(scope="module", params=sorted(KNOWN))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def row(name: str) -> backbones.Backbone:
    return backbones.find(name, KNOWN[name][0])


@pytest.fixture(scope="module")
def made(row: backbones.Backbone) -> bytes:
    return graph.body_graph(row, SIZE)


@pytest.fixture(scope="module")
def runtime(made: bytes) -> Runtime:
    return open_graph(made)


@pytest.fixture(scope="module")
def by_torch(row: backbones.Backbone) -> dict[str, np.ndarray]:
    with torch.no_grad():
        values = build(row, SIZE)(torch.from_numpy(photos()))
    return dict(zip(OUTPUTS, (value.numpy() for value in values), strict=True))


def photos() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3), dtype=np.uint8)


def test_the_graph_answers_as_torch_does(runtime: Runtime, by_torch: dict[str, np.ndarray]) -> None:
    got = runtime.run(photos())
    assert tuple(got) == OUTPUTS
    for output in OUTPUTS:
        assert got[output].dtype == np.float32
        np.testing.assert_allclose(got[output], by_torch[output], atol=1e-4, err_msg=output)


def test_openvino_answers_the_same(made: bytes, by_torch: dict[str, np.ndarray]) -> None:
    got = open_graph(made, "openvino").run(photos()[:1])
    for output in OUTPUTS:
        np.testing.assert_allclose(got[output], by_torch[output][:1], atol=1e-4, err_msg=output)


def test_the_shapes_are_known(name: str, made: bytes, by_torch: dict[str, np.ndarray]) -> None:
    _, width, channels = KNOWN[name]
    assert by_torch["features"].shape == (3, width)
    assert by_torch["map"].shape[:2] == (3, channels)
    shapes = {
        value.name: [dim.dim_value or dim.dim_param for dim in value.type.tensor_type.shape.dim]
        for value in onnx.load_from_string(made).graph.output
    }
    assert shapes["map"] == ["n", *by_torch["map"].shape[1:]]
    assert shapes["scores"] == ["n", 1000]


def test_the_average_of_the_map_is_the_maps(by_torch: dict[str, np.ndarray], name: str) -> None:
    """The map's maximum stands in the features behind the pooled output: it is the map the features come from."""
    _, _, channels = KNOWN[name]
    pooled = {"timm:mobilenetv3_small_100": 1024}.get(name, channels)
    np.testing.assert_allclose(
        by_torch["features"][:, pooled : pooled + channels], by_torch["map"].max((2, 3)), atol=1e-6
    )

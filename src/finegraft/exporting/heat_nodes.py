"""`finegraft.inference.heat` as nodes of a graph, for readers that have no Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from finegraft.inference.heat import LEAST, TINY, Head, against_others
from finegraft.models.frozen import onnx_package

HEAT = "heat"


def added(graph: Any, maxima: bool) -> Any:
    """Add to `graph`, a bundle's, what gives `heat` (n, h, w) of the likeliest class or tag, or of the number: 0 to 1.

    It is made from `features`, `map` and `scores`; `maxima` says whether the features go on with the map's largest
    values. Returns its description as an output.
    """
    onnx = onnx_package()
    shapes = {output.name: output.type.tensor_type.shape for output in graph.output}
    channels, rows, columns = (dim.dim_value for dim in shapes["map"].dim[1:])
    head = Head.of(onnx.helper.make_model(graph).SerializeToString())
    layers, usual = head.layers, np.zeros(2 * channels) if head.usual is None else head.usual[: 2 * channels]

    def constant(name: str, values: Any, kind: type = np.float32) -> str:
        graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(values, kind), f"heat_{name}"))
        return f"heat_{name}"

    def node(operator: str, inputs: Sequence[str], name: str, **settings: Any) -> str:
        graph.node.append(onnx.helper.make_node(operator, inputs, [name], name=name, **settings))
        return name

    k = layers[-1][0].shape[0]
    directions = constant("directions", np.array([against_others(k, answer) for answer in range(k)]))
    best = node("ArgMax", ["scores"], "heat_best", axis=1, keepdims=0)
    back = node("Gather", [directions, best], "heat_direction")
    zero = constant("zero", 0.0)
    for number in reversed(range(len(layers))):
        back = node("MatMul", [back, f"head_{number}_weight"], f"heat_back_{number}")
        if number:  # the ReLU before it
            on = node("Greater", [f"head_{number - 1}_sum", zero], f"heat_on_{number}")
            back = node("Mul", [back, node("Cast", [on], f"heat_open_{number}", to=1)], f"heat_through_{number}")
    flat = node("Reshape", ["map", constant("flat_shape", [0, channels, rows * columns], np.int64)], "heat_flat")
    beyond = node("Sub", [flat, constant("usual", usual[:channels, None])], "heat_beyond")
    parts = {"average": (0, node("Div", [beyond, constant("places", float(rows * columns))], "heat_averaged"))}
    if maxima:
        largest = node("ReduceMax", [flat], "heat_largest", axes=[2])
        there = node("Cast", [node("Equal", [flat, largest], "heat_equal")], "heat_there", to=1)
        ties = node("ReduceSum", [there, constant("last", [2], np.int64)], "heat_ties")
        shares = node("Div", [there, ties], "heat_shares")
        above = node("Sub", [flat, constant("usual_largest", usual[channels:, None])], "heat_above")
        parts["maximum"] = (channels, node("Mul", [shares, above], "heat_shared"))
    given = []
    for name, (start, values) in parts.items():
        ends = [constant(f"{name}_{end}", [at], np.int64) for end, at in (("from", start), ("to", start + channels))]
        part = node("Slice", [back, *ends, constant(f"{name}_axis", [1], np.int64)], f"heat_{name}")
        row = node("Unsqueeze", [part, constant(f"{name}_at", [1], np.int64)], f"heat_{name}_row")
        given.append(node("MatMul", [row, values], f"heat_{name}_given"))
    together = node("Sum", given, "heat_signed")
    size = node("ReduceMax", [node("Abs", [together], "heat_sizes")], "heat_size", axes=[2])
    least = node("Mul", [size, constant("least", LEAST)], "heat_least_top")
    if head.usual is None:
        together = node("Sub", [together, node("ReduceMean", [together], "heat_mean", axes=[2])], "heat_centred")
    together = node("Relu", [together], "heat_positive")
    top = node("ReduceMax", [together], "heat_top", axes=[2])
    scale = node("Max", [top, least, constant("tiny", TINY)], "heat_scale")
    share = node("Div", [together, scale], "heat_share")
    node("Reshape", [share, constant("shape", [0, rows, columns], np.int64)], HEAT)
    return onnx.helper.make_tensor_value_info(HEAT, onnx.TensorProto.FLOAT, ["n", rows, columns])

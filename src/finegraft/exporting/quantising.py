"""A graph that computes with 8-bit integers, by ONNX Runtime's post-training quantisation.

What is quantised is the body: its convolutions, products and what lies between. The head and the novelty, a hundredth
of the work, stay in single precision. The result has a QuantizeLinear and a DequantizeLinear around every layer, which
each engine makes into integer arithmetic as its processor allows.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from finegraft.models.frozen import onnx_package
from finegraft.models.graph import behind, drop_unused
from finegraft.runtimes.cpus import adds_in_16_bits
from finegraft.runtimes.onnxruntime import package

_LAYERS = ("Conv", "Gemm", "MatMul")
_BETWEEN = ("Add", "Clip", "Relu", "MaxPool", "Pad")


@dataclass(frozen=True, eq=False)
class Quantised:
    """A quantised graph (ONNX bytes) beside the one it was made from; `layers` are those that compute with integers,
    by the names of their nodes.
    """

    content: bytes
    plain: bytes
    layers: tuple[str, ...]

    def but(self, names: Iterable[str]) -> Quantised:
        """The same with the layers called `names` in single precision."""
        onnx, kept = onnx_package(), set(names)
        model, plain = onnx.load_from_string(self.content), onnx.load_from_string(self.plain)
        made_by = {out: node for node in model.graph.node for out in node.output}
        own = {node.name: node for node in plain.graph.node}
        weights = {tensor.name: tensor for tensor in plain.graph.initializer}
        for node in model.graph.node:
            if node.name not in kept:
                continue
            for place, name in enumerate(node.input):
                back = made_by.get(name)
                if back is None or back.op_type != "DequantizeLinear":
                    continue
                source = made_by.get(back.input[0])
                if source is not None:  # what flows, before it was rounded
                    node.input[place] = source.input[0]
                    continue
                exact = own[node.name].input[place]  # a weight; its name may be that of the rounded one
                node.input[place] = f"{node.name}_exact_{place}"
                model.graph.initializer.append(weights[exact])
                model.graph.initializer[-1].name = node.input[place]
        drop_unused(model.graph, {output.name for output in model.graph.output})
        rest = tuple(name for name in self.layers if name not in kept)
        return Quantised(model.SerializeToString(), self.plain, rest)


def quantised(graph: bytes, photos: Sequence[np.ndarray]) -> Quantised:
    """`graph` with an integer body. `photos` uint8 (size, size, 3) show it the ranges of its numbers.

    A range is the average over the photos of the smallest and of the largest number, so that the one photo with an
    outlier does not leave the others a handful of steps: on clothing the answers diverge from those in single precision
    by 0.0030 with either engine, and by 0.0040 with one of them where the widest range is taken
    (`python -m benchmarks.choices_int8`). Weights have a range for each channel, and 7 bits where sums of 8-bit
    products would overflow. Raises what ONNX Runtime raises for a graph that it cannot quantise.
    """
    package()
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    onnx = onnx_package()
    with tempfile.TemporaryDirectory(prefix="finegraft-int8-") as folder, _quiet():
        given, prepared, made = (Path(folder) / name for name in ("given.onnx", "prepared.onnx", "made.onnx"))
        given.write_bytes(graph)
        quant_pre_process(given, prepared, skip_symbolic_shape=True)
        model = _named(onnx.load(prepared))
        onnx.save(model, prepared)
        quantize_static(
            prepared,
            made,
            _Shown(photos, model.graph.input[0].name),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=[*_LAYERS, *_BETWEEN],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            reduce_range=adds_in_16_bits(),
            nodes_to_exclude=[node.name for node in behind(model.graph)],
            calibrate_method=CalibrationMethod.MinMax,
            # Activations stay where they are, though ranges make them superfluous: `but` needs what they give.
            extra_options={"CalibMovingAverage": True, "QDQKeepRemovableActivations": True},
        )
        content, plain = made.read_bytes(), prepared.read_bytes()
    return Quantised(content, plain, _integer_layers(content))


class _Shown:
    """`photos` as the calibration asks for them: one after another, then None."""

    def __init__(self, photos: Sequence[np.ndarray], name: str) -> None:
        self._photos = iter(photos)
        self._name = name

    def get_next(self) -> dict[str, np.ndarray] | None:
        photo = next(self._photos, None)
        return None if photo is None else {self._name: photo[None]}


def _named(model: Any) -> Any:
    """`model` with a name for every node: what stays as it is is told by name."""
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"node_{number}"
    return model


def _integer_layers(content: bytes) -> tuple[str, ...]:
    """The layers whose weights are integers, in the graph's order."""
    graph = onnx_package().load_from_string(content).graph
    back = {out for node in graph.node if node.op_type == "DequantizeLinear" for out in node.output}
    return tuple(node.name for node in graph.node if node.op_type in _LAYERS and node.input[1] in back)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The quantiser talks to the root logger."""
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logging.root.setLevel(level)

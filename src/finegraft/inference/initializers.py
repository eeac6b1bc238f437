"""Weights of an ONNX model by name, read without the `onnx` package, which serving does not install."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from finegraft.errors import BundleError
from finegraft.inference.graph_safety import BYTES, VARINT, fields

# Field numbers of onnx.proto: model.graph, graph.initializer, and those of a tensor.
_GRAPH, _INITIALIZER = 7, 5
_DIMS, _TYPE, _NAME, _RAW = 1, 2, 8, 9
_FLOAT = 1


def initializers(model: bytes, wanted: Callable[[str], bool]) -> dict[str, np.ndarray]:
    """The float32 tensors of `model` whose name is `wanted`, of those stored raw.

    Raises `BundleError` for a model that is not well formed.
    """
    found = {}
    for graph, wire, at, end in fields(model, 0, len(model)):
        if (graph, wire) != (_GRAPH, BYTES):
            continue
        for field, kind, start, stop in fields(model, at, end):
            if (field, kind) == (_INITIALIZER, BYTES):
                name, values = _tensor(model, start, stop, wanted)
                if values is not None:
                    found[name] = values
    return found


def _tensor(model: bytes, start: int, stop: int, wanted: Callable[[str], bool]) -> tuple[str, np.ndarray | None]:
    dims: list[int] = []
    name, kind, raw = "", 0, b""
    for field, wire, value, end in fields(model, start, stop):
        if field == _DIMS and wire == VARINT:
            dims.append(value)
        elif field == _DIMS and wire == BYTES:
            raise BundleError("A tensor of the model has its shape written in a way this reader does not know.", "")
        elif field == _TYPE and wire == VARINT:
            kind = value
        elif field == _NAME and wire == BYTES:
            name = model[value:end].decode("utf-8", "replace")
            if not wanted(name):
                return name, None
        elif field == _RAW and wire == BYTES:
            raw = model[value:end]
    if not name or kind != _FLOAT or not raw:
        return name, None
    values = np.frombuffer(raw[: len(raw) // 4 * 4], "<f4")
    if len(raw) % 4 or min(dims, default=0) < 0 or values.size != math.prod(dims):
        raise BundleError(f"The model's tensor {name!r} has another size than it says.", "Export it again.")
    return name, values.reshape(dims)

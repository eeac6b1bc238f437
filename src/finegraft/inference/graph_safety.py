"""Whether an ONNX model keeps to itself: all of its weights inside, none in other files or in memory.

A tensor of an ONNX model may say "my values lie in this file, at this offset", and engines have followed such paths
out of the model's folder (CVE-2024-27318, CVE-2024-5187, and four later ones). Bundles never need that. The walk
below reads the protobuf wire format (protobuf.dev/programming-guides/encoding) without the `onnx` package: it steps
over everything but the messages in which a tensor can lie, so 18 MB take a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator

from finegraft.errors import BundleError

# message -> {field number: message inside}, from onnx.proto (IR version 13). Tensors can lie nowhere else.
_INSIDE: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "tensor": {},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14  # of a tensor
VARINT, _FIXED64, BYTES, _FIXED32 = 0, 1, 2, 5  # wire types; 3 and 4, groups, ONNX does not use

# Formats that an engine may take for a model of its own, by the mark at byte 4.
_OTHER_FORMATS = (b"ORTM", b"TFL3")
# lite0 has 6,000; a file made of nothing but fields would hold the reader up for minutes.
_MAX_FIELDS = 5_000_000

_MEND = "Export it again as one ONNX file with all weights inside."


def check_graph(graph: bytes) -> None:
    """Raise `BundleError` unless `graph` is an ONNX model in the protobuf format with no external data."""
    if graph[4:8] in _OTHER_FORMATS:
        raise _malformed("it is of another format")
    left = _MAX_FIELDS
    found = set()
    waiting = [("model", 0, len(graph))]
    while waiting:
        message, start, end = waiting.pop()
        found.add(message)
        for field, wire, value, stop in fields(graph, start, end):
            left -= 1
            if left < 0:
                raise _malformed(f"it has more than {_MAX_FIELDS:,} fields")
            if message == "tensor":
                _check_tensor_field(field, wire, value)
            elif wire == BYTES and field in _INSIDE[message]:
                waiting.append((_INSIDE[message][field], value, stop))
    if "graph" not in found:
        raise _malformed("it holds no graph")


def _check_tensor_field(field: int, wire: int, value: int) -> None:
    external = field == _EXTERNAL_DATA and wire == BYTES
    # Any location but 0 is refused: readers keep the low 32 bits, so large numbers mean 1 as well.
    elsewhere = field == _DATA_LOCATION and wire == VARINT and value != 0
    if external or elsewhere:
        raise BundleError("The model keeps weights outside its file (ONNX external data), which is not safe.", _MEND)


def fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """The fields of the message in data[at:end]: (number, wire type, value, stop).

    For bytes the value is where they start and `stop` where they end; for a varint it is the number.
    """
    while at < end:
        tag, at = _varint(data, at, end)
        number, wire = tag >> 3, tag & 7
        if number == 0 or tag >> 32:
            raise _malformed("it has a field without a number")
        value = at
        if wire == VARINT:
            value, at = _varint(data, at, end)
        elif wire == BYTES:
            length, value = _varint(data, at, end)
            at = value + length
        elif wire in (_FIXED64, _FIXED32):
            at += 8 if wire == _FIXED64 else 4
        else:
            raise _malformed(f"it has a field of the unknown kind {wire}")
        if at > end:
            raise _malformed("it is cut off")
        yield number, wire, value, at


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """A number in seven bits a byte, lowest first, and where the next thing starts."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            raise _malformed("it is cut off")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _malformed("it has a number of more than ten bytes")


def _malformed(why: str) -> BundleError:
    return BundleError(f"The model is not a well-formed ONNX file: {why}.", _MEND)

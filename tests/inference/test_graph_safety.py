from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from finegraft.errors import BundleError
from finegraft.inference import graph_safety
from finegraft.inference.graph_safety import check_graph
from tests.graphs import small_graph, small_model


def elsewhere(name: str = "far") -> TensorProto:
    """A tensor whose values lie in another file."""
    tensor = numpy_helper.from_array(np.zeros(3, np.float32), name)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return tensor


def inner_graph() -> onnx.GraphProto:
    return helper.make_graph([], "inner", [], [], [elsewhere()])


def attribute(**fields: object) -> onnx.AttributeProto:
    made = onnx.AttributeProto(name="a")
    for field, value in fields.items():
        target = getattr(made, field)
        target.append(value) if field.endswith("s") else target.CopyFrom(value)
    return made


def with_attribute(model: onnx.ModelProto, **fields: object) -> None:
    model.graph.node[0].attribute.append(attribute(**fields))


def sparse(part: str) -> onnx.SparseTensorProto:
    made = onnx.SparseTensorProto()
    getattr(made, part).CopyFrom(elsewhere())
    return made


def in_a_function(model: onnx.ModelProto) -> None:
    node = onnx.NodeProto(op_type="Constant", attribute=[attribute(t=elsewhere())])
    model.functions.append(onnx.FunctionProto(name="f", domain="d", node=[node]))


def in_a_default_of_a_function(model: onnx.ModelProto) -> None:
    model.functions.append(onnx.FunctionProto(name="f", domain="d", attribute_proto=[attribute(t=elsewhere())]))


# Every place of onnx.proto in which a tensor can lie.
PLACES: dict[str, Callable[[onnx.ModelProto], object]] = {
    "initializer": lambda m: m.graph.initializer.append(elsewhere()),
    "sparse values": lambda m: m.graph.sparse_initializer.append(sparse("values")),
    "sparse indices": lambda m: m.graph.sparse_initializer.append(sparse("indices")),
    "attribute": lambda m: with_attribute(m, t=elsewhere()),
    "attribute list": lambda m: with_attribute(m, tensors=elsewhere()),
    "attribute sparse": lambda m: with_attribute(m, sparse_tensor=sparse("values")),
    "attribute sparse list": lambda m: with_attribute(m, sparse_tensors=sparse("values")),
    "subgraph": lambda m: with_attribute(m, g=inner_graph()),
    "subgraph list": lambda m: with_attribute(m, graphs=inner_graph()),
    "function": in_a_function,
    "function default": in_a_default_of_a_function,
    "training start": lambda m: m.training_info.add().initialization.CopyFrom(inner_graph()),
    "training step": lambda m: m.training_info.add().algorithm.CopyFrom(inner_graph()),
}


@pytest.mark.parametrize("place", PLACES)
def test_external_data_is_found_wherever_a_tensor_can_lie(place: str) -> None:
    model = small_model()
    PLACES[place](model)
    with pytest.raises(BundleError, match=r"weights outside its file \(ONNX external data\).*Export it again as one"):
        check_graph(model.SerializeToString())


def messages_inside(message: Any) -> set[str]:
    """Names of the messages that can lie in this one at any depth, by onnx's own description of itself."""
    found: set[str] = set()
    waiting = [message]
    while waiting:
        inside = [field.message_type for field in waiting.pop().fields if field.message_type is not None]
        waiting += [kind for kind in inside if kind.name not in found]
        found |= {kind.name for kind in inside}
    return found


NAMES = {
    "model": onnx.ModelProto,
    "graph": onnx.GraphProto,
    "node": onnx.NodeProto,
    "attribute": onnx.AttributeProto,
    "sparse": onnx.SparseTensorProto,
    "training": onnx.TrainingInfoProto,
    "function": onnx.FunctionProto,
    "tensor": onnx.TensorProto,
}


@pytest.mark.parametrize("name", NAMES)
def test_the_walk_enters_every_field_that_can_hold_a_tensor(name: str) -> None:
    """The table is compared with the installed onnx: a field of a later version must not be overlooked."""
    kinds = {kind.DESCRIPTOR.name: ours for ours, kind in NAMES.items()}
    fields = [field for field in NAMES[name].DESCRIPTOR.fields if field.message_type is not None]
    entered = {field.number: kinds[field.message_type.name] for field in fields if field.message_type.name in kinds}
    assert graph_safety._INSIDE[name] == entered
    for passed_by in (field.message_type for field in fields if field.message_type.name not in kinds):
        assert not messages_inside(passed_by) & set(kinds), passed_by.name


def field(number: int, wire: int, payload: bytes) -> bytes:
    tag, out = number << 3 | wire, b""
    while tag > 0x7F:
        out, tag = out + bytes([tag & 0x7F | 0x80]), tag >> 7
    return out + bytes([tag]) + payload


def sized(number: int, content: bytes) -> bytes:
    return field(number, 2, bytes([len(content)]) + content)


def graph_with_tensor(content: bytes) -> bytes:
    return sized(7, sized(5, content))


@pytest.mark.parametrize(
    "location",
    [
        field(14, 0, b"\x01"),
        field(14, 0, b"\x81\x80\x80\x80\x10"),  # 2**32 + 1: readers keep the low 32 bits, which are 1
        field(14, 0, b"\x00") + field(14, 0, b"\x01"),  # the last one counts
        field(14, 0, b"\x81\x00"),  # 1, written longer than need be
        sized(13, b""),  # an entry that names no place yet
    ],
)
def test_no_way_of_writing_it_passes(location: bytes) -> None:
    with pytest.raises(BundleError, match="external data"):
        check_graph(graph_with_tensor(location))


def test_the_default_location_is_fine() -> None:
    check_graph(graph_with_tensor(field(14, 0, b"\x00")))


def test_a_graph_given_twice_is_read_twice() -> None:
    with pytest.raises(BundleError, match="external data"):
        check_graph(small_graph() + graph_with_tensor(field(14, 0, b"\x01")))


def test_an_ordinary_model_passes() -> None:
    check_graph(small_graph())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it holds no graph"),
        (field(1, 0, b"\x09"), "it holds no graph"),
        (b"\x00\x00", "a field without a number"),
        (field(1, 3, b""), "a field of the unknown kind 3"),
        (field(7, 2, b"\x7f"), "it is cut off"),
        (field(1, 1, b"\x00"), "it is cut off"),
        (field(1, 5, b"\x00"), "it is cut off"),
        (field(1, 0, b"\x80"), "it is cut off"),
        (field(1, 0, b"\x80" * 10 + b"\x00"), "more than ten bytes"),
        (b"\x80\x80\x80\x80\x80\x01", "a field without a number"),
        (b"<?xml version='1.0'?><net/>", "well-formed"),
        (small_graph()[:-10], "it is cut off"),
        (b"\x0a\x20\x00\x00ORTM" + bytes(26) + small_graph(), "another format"),
        (b"\x0a\x20\x00\x00TFL3" + bytes(26) + small_graph(), "another format"),
    ],
)
def test_what_is_not_onnx_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(BundleError, match=f"not a well-formed ONNX file: .*{why}" if why != "well-formed" else why):
        check_graph(content)


def test_a_file_of_nothing_but_fields_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_safety, "_MAX_FIELDS", 1000)
    with pytest.raises(BundleError, match="more than 1,000 fields"):
        check_graph(field(1, 0, b"\x01") * 1001)


def test_deep_nesting_is_walked_without_recursion() -> None:
    inner = field(14, 0, b"\x01")
    nested = b"\x2a" + bytes([len(inner)]) + inner  # graph.initializer

    def length(number: int) -> bytes:
        out = b""
        while number > 0x7F:
            out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
        return out + bytes([number])

    for _ in range(3000):  # graph.node.attribute.g
        for tag in (b"\x32", b"\x2a", b"\x0a"):
            nested = tag + length(len(nested)) + nested
    with pytest.raises(BundleError, match="external data"):
        check_graph(b"\x3a" + length(len(nested)) + nested)


def test_a_model_saved_with_external_data_by_onnx_itself_is_refused(tmp_path: Path) -> None:
    onnx.save(small_model(), tmp_path / "m.onnx", save_as_external_data=True, size_threshold=0)
    with pytest.raises(BundleError, match="external data"):
        check_graph((tmp_path / "m.onnx").read_bytes())

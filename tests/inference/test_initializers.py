from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from finegraft.errors import BundleError
from finegraft.inference.initializers import initializers
from tests.graphs import small_graph, small_model


def test_it_reads_what_the_onnx_package_reads() -> None:
    model = small_model()
    wanted = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    got = initializers(small_graph(), lambda _: True)
    assert set(got) == set(wanted)
    for name, values in wanted.items():
        np.testing.assert_array_equal(got[name], values)


def test_only_what_is_wanted_is_read() -> None:
    assert list(initializers(small_graph(), lambda name: name == "kernel")) == ["kernel"]
    assert initializers(small_graph(), lambda _: False) == {}


def test_tensors_of_other_kinds_are_left_out() -> None:
    model = small_model()
    model.graph.initializer.append(numpy_helper.from_array(np.arange(3), "whole"))
    model.graph.initializer.append(onnx.helper.make_tensor("listed", onnx.TensorProto.FLOAT, [2], [1.0, 2.0]))
    assert {"whole", "listed"}.isdisjoint(initializers(model.SerializeToString(), lambda _: True))


def test_a_tensor_of_another_size_than_it_says_is_refused() -> None:
    model = small_model()
    (tensor,) = (row for row in model.graph.initializer if row.name == "kernel")
    tensor.dims[0] += 1
    with pytest.raises(BundleError, match="'kernel' has another size than it says"):
        initializers(model.SerializeToString(), lambda _: True)


def test_what_is_cut_off_is_refused() -> None:
    with pytest.raises(BundleError, match="cut off"):
        initializers(small_graph()[:-40], lambda _: True)

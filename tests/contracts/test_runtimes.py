"""What every engine promises: the same answers, from as many threads as one likes, and errors that say what to do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from onnx import TensorProto, helper

from finegraft.errors import BundleError
from finegraft.runtimes import ENGINES, Runtime, available, open_graph
from tests.conftest import skip_or_fail
from tests.graphs import by_hand, model_of, small_graph, small_model

PHOTOS = np.random.default_rng(7).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> str:
    if request.param not in available():
        skip_or_fail(f"{request.param} is not installed")
    return str(request.param)


@pytest.fixture
def runtime(engine: str) -> Runtime:
    return open_graph(small_graph(), engine)


def test_the_outputs_are_those_of_the_mathematics(runtime: Runtime) -> None:
    wanted = by_hand(small_model(), PHOTOS)
    got = runtime.run(PHOTOS)
    assert list(got) == list(runtime.outputs) == ["scores", "features", "map"]
    for name, values in got.items():
        assert values.dtype == np.float32
        np.testing.assert_allclose(values, wanted[name], atol=1e-4)


def test_it_says_what_it_is(runtime: Runtime, engine: str) -> None:
    assert runtime.name == engine
    assert runtime.version[0].isdigit()
    assert (runtime.streams, runtime.batch) == (1, 1)


def test_one_item_answers_as_it_does_in_a_batch(runtime: Runtime) -> None:
    whole = runtime.run(PHOTOS)
    for i in range(len(PHOTOS)):
        alone = runtime.run(PHOTOS[i : i + 1])
        for name in runtime.outputs:
            np.testing.assert_allclose(alone[name][0], whole[name][i], atol=1e-5)


def test_an_earlier_answer_survives_a_later_one(runtime: Runtime) -> None:
    first = runtime.run(PHOTOS[:1])
    kept = {name: values.copy() for name, values in first.items()}
    runtime.run(255 - PHOTOS[:1])
    for name, values in first.items():
        np.testing.assert_array_equal(values, kept[name])


@pytest.mark.parametrize(("threads", "streams"), [(1, 1), (2, 2), (2, 8)])
def test_many_threads_get_their_own_answers(engine: str, threads: int, streams: int) -> None:
    runtime = open_graph(small_graph(), engine, threads=threads, streams=streams)
    assert runtime.streams == streams
    wanted = [runtime.run(PHOTOS[i : i + 1])["scores"] for i in range(5)]
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda i: runtime.run(PHOTOS[i % 5 : i % 5 + 1])["scores"], range(200)))
    for i, scores in enumerate(got):
        np.testing.assert_allclose(scores, wanted[i % 5], atol=1e-5)


@pytest.mark.parametrize("graph", [b"", b"no model at all", small_graph()[:-40]])
def test_what_is_no_model_is_refused(engine: str, graph: bytes) -> None:
    with pytest.raises(BundleError, match=rf"^{engine} cannot open this model: .*Export it again\.$"):
        open_graph(graph, engine)


def test_an_input_of_another_shape_is_refused_and_the_next_one_answered(runtime: Runtime) -> None:
    with pytest.raises(BundleError, match=r"cannot run this model on uint8 of shape \(1, 9, 9, 1\): "):
        runtime.run(np.zeros((1, 9, 9, 1), np.uint8))
    assert runtime.run(PHOTOS)["scores"].shape == (5, 3)


def test_a_model_with_two_inputs_is_refused(engine: str) -> None:
    model = model_of([helper.make_node("Cast", ["input"], ["a"], to=TensorProto.FLOAT)], ["n", 2], {"a": ["n", 2]})
    model.graph.input.append(helper.make_tensor_value_info("second", TensorProto.FLOAT, ["n", 2]))
    model.graph.node.append(helper.make_node("Add", ["a", "second"], ["b"]))
    model.graph.output.append(helper.make_tensor_value_info("b", TensorProto.FLOAT, ["n", 2]))
    with pytest.raises(BundleError, match="exactly one input, this one has 2"):
        open_graph(model.SerializeToString(), engine)

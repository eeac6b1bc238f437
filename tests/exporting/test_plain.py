"""The plain graph, on small models of every target."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest

from finegraft.evaluation.run import Run
from finegraft.exporting.plain import PROPERTY, plain_graph
from finegraft.inference import bundle, model_json
from finegraft.inference.heat import Head, against_others, heat
from finegraft.inference.predictor import Predictor
from finegraft.runtimes import open_graph
from finegraft.targets import Category, Number, Tags, Target
from finegraft.vision.preprocess import Preprocess
from tests.graphs import headed_graph, small_graph
from tests.inference.making import LABELS, description
from tests.inference.making import predictor as small_predictor
from tests.making import photo

PLATT = ((1.5, -0.2), (0.7, 0.1), (2.0, 0.0))


def predictor(target: Target) -> Predictor:
    if isinstance(target, Category):
        return Predictor(small_graph(3), Preprocess(8), target, description(), temperature=2.5, unsure_below=0.6)
    if isinstance(target, Tags):
        cuts = (0.4, 0.5, 0.6)
        return Predictor(small_graph(3), Preprocess(8), target, description(), thresholds=cuts, platt=PLATT)
    return Predictor(small_graph(1), Preprocess(8), target, description(), half_width=2.0, spread=3.0)


@pytest.mark.parametrize("target", [Category(LABELS), Tags(LABELS), Number()])
def test_a_photo_goes_in_and_what_is_answered_comes_out(target: Target) -> None:
    made = predictor(target)
    contents = [photo(seed) for seed in range(5)]
    wanted = np.array([made.judgement(content).values for content in contents])
    runtime = open_graph(plain_graph(made), "onnxruntime")
    assert runtime.outputs == (("value",) if isinstance(target, Number) else ("probabilities",))
    (got,) = runtime.run(np.stack([made.preprocess.load(content) for content in contents])).values()
    np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_the_file_describes_itself() -> None:
    made = predictor(Category(LABELS))
    model = onnx.load_from_string(plain_graph(made))
    (told,) = (row.value for row in model.metadata_props if row.key == PROPERTY)
    stored = model_json.parsed(told.encode())
    assert stored.target == made.target
    assert stored.temperature == 2.5
    assert stored.preprocess == made.preprocess.to_json()
    assert json.loads(told)["samples"] == []
    assert model.doc_string.startswith("input: uint8 (n, height, width, 3), RGB, upright")
    (given,) = model.graph.input
    assert given.type.tensor_type.elem_type == onnx.TensorProto.UINT8


def test_nothing_is_left_of_what_is_not_asked_for() -> None:
    model = onnx.load_from_string(plain_graph(predictor(Category(LABELS))))
    read = {name for node in model.graph.node for name in node.input}
    assert {tensor.name for tensor in model.graph.initializer} <= read
    assert [output.name for output in model.graph.output] == ["probabilities"]


def test_heat_in_a_graph_is_that_of_the_predictor(trained: Run) -> None:
    predictor = bundle.load(trained.model, engine="onnxruntime")
    runtime = open_graph(plain_graph(predictor, more=True))
    assert (runtime.outputs[0], runtime.outputs[-1]) == ("probabilities", "heat")
    data = trained.dataset()
    for record in data.usable[:6]:
        x = predictor.preprocess.load((data.root / record.key).read_bytes())[None]
        outputs = {name: values[0] for name, values in predictor.engines.get("start").run(x).items()}
        direction = against_others(3, int(outputs["scores"].argmax()))
        wanted = heat(Head.of(predictor.graph), outputs["features"], outputs["map"], direction)
        got = runtime.run(x)["heat"]
        assert got.shape == (1, *wanted.shape)
        np.testing.assert_allclose(got[0], wanted, atol=1e-3)
        assert got.max() == pytest.approx(1)


@pytest.mark.parametrize("hidden", [0, 6])
@pytest.mark.parametrize("seed", range(3))
def test_heat_in_small_graphs_with_and_without_hidden_neurons(hidden: int, seed: int) -> None:
    graph = headed_graph(3, seed=seed, hidden=hidden)
    made = small_predictor(graph=graph)
    x = np.random.default_rng(seed).integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    got = open_graph(plain_graph(made, more=True)).run(x)["heat"]
    outputs = open_graph(graph).run(x)
    for row in range(2):
        direction = against_others(3, int(outputs["scores"][row].argmax()))
        wanted = heat(Head.of(graph), outputs["features"][row], outputs["map"][row], direction)
        np.testing.assert_allclose(got[row], wanted, atol=1e-4)


def test_a_model_that_cannot_tell_where_it_looked_has_no_heat() -> None:
    assert open_graph(plain_graph(small_predictor(), more=True)).outputs == ("probabilities",)

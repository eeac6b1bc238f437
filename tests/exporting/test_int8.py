"""Integers are taken where they are as good and faster here, by layers where need be, and refused otherwise."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import finegraft as fg
from finegraft.errors import ExportError, UsageError
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.run import Run
from finegraft.exporting import exports, int8, quantising
from finegraft.exporting.exports import Wishes, export
from finegraft.exporting.int8 import Speed, Trial, converted
from finegraft.exporting.quantising import Quantised, quantised
from finegraft.exporting.still_there import StillThere, judged
from finegraft.inference import bundle
from finegraft.inference.predictor import Predictor
from finegraft.runtimes import available, open_graph
from finegraft.runtimes.cpus import adds_in_16_bits
from finegraft.runtimes.onnxruntime import package
from finegraft.targets import Category
from tests.cli.running import finegraft

pytestmark = pytest.mark.xdist_group("exporting")


@pytest.fixture(scope="module")
def predictor(trained: Run) -> Predictor:
    return bundle.load(trained.model, engine="onnxruntime")


@pytest.fixture(scope="module")
def photos(trained: Run, predictor: Predictor) -> list[np.ndarray]:
    data = trained.dataset()
    return [predictor.preprocess.load((data.root / row.key).read_bytes()) for row in data.part("train")]


@pytest.fixture(scope="module")
def whole(predictor: Predictor, photos: list[np.ndarray]) -> Quantised:
    return quantised(predictor.graph, photos)


def in_floats(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on ONNX Runtime computes what integer layers say in floating point, where no sum overflows."""
    onnxruntime = package()
    opened = onnxruntime.InferenceSession

    def plainly(graph: Any, sess_options: Any = None, **rest: Any) -> Any:
        options = sess_options or onnxruntime.SessionOptions()
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        return opened(graph, options, **rest)

    monkeypatch.setattr(onnxruntime, "InferenceSession", plainly)


@pytest.fixture
def eight_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trial with weights of 8 bits on every processor: where their sums would overflow, in floating point."""
    if adds_in_16_bits():
        monkeypatch.setattr(quantising, "adds_in_16_bits", lambda: False)
        monkeypatch.setattr(int8, "available", lambda: ["onnxruntime"])
        in_floats(monkeypatch)


def timed(monkeypatch: pytest.MonkeyPatch, ratio: float) -> None:
    """What a trial's clock says."""
    monkeypatch.setattr(int8, "FEWEST_JUDGED", 5)
    speed = Speed(ratio, max(ratio - 0.1, 0), ratio + 0.1, "openvino", "onnxruntime")
    monkeypatch.setattr(int8, "_speed", lambda *_: speed)


def agreed(run: Run, predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> StillThere:
    """All photos of the run, with what single precision answers for truth: whatever changes is a loss. Of so few,
    answered so unsurely, a fifth may change by the rounding alone.
    """
    monkeypatch.setattr(int8, "DROP", 0.2)
    data = run.dataset()
    paths = tuple(data.root / row.key for row in data.usable)
    values = np.array([predictor.judgement(path).values for path in paths])
    keys = tuple(row.key for row in data.usable)
    return StillThere(Evaluation(keys, Category(predictor.labels), values.argmax(axis=1), values), paths, 0)


class Broken:
    """A quantiser whose graphs are right only with the first `needed` of the layers as they were: others add noise."""

    def __init__(self, needed: float) -> None:
        self.needed = needed

    def __call__(self, graph: bytes, shown: Sequence[np.ndarray]) -> Quantised:
        made = quantised(graph, shown)
        model = onnx.load_from_string(made.content)
        spoiled = set(made.layers[: round(self.needed * len(made.layers))])
        weights = {node.input[0]: node for node in model.graph.node if node.op_type == "DequantizeLinear"}
        named = {tensor.name: tensor for tensor in model.graph.initializer}
        back = {out: node for node in weights.values() for out in node.output}
        for node in model.graph.node:
            if node.name in spoiled:
                tensor = named[back[node.input[1]].input[0]]
                values = onnx.numpy_helper.to_array(tensor)
                tensor.CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(values[..., ::-1] * -1), tensor.name))
        return replace(made, content=model.SerializeToString())


def test_the_body_computes_with_integers_and_answers_nearly_as_before(
    predictor: Predictor, whole: Quantised, photos: list[np.ndarray]
) -> None:
    kinds = [node.op_type for node in onnx.load_from_string(whole.content).graph.node]
    assert len(whole.layers) == kinds.count("Conv") > 40
    assert len(whole.content) < 0.6 * len(predictor.graph)
    exact, rounded = (open_graph(graph) for graph in (predictor.graph, whole.content))
    assert exact.outputs == rounded.outputs
    for photo in photos[:4]:
        wanted, got = (runtime.run(photo[None])["features"] for runtime in (exact, rounded))
        assert 0 < np.abs(got - wanted).mean() < 0.2 * np.abs(wanted).mean()


def test_no_sum_overflows_on_this_processor(
    whole: Quantised, photos: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    by_engine = {engine: open_graph(whole.content, engine) for engine in available()}
    in_floats(monkeypatch)
    exact = open_graph(whole.content, "onnxruntime")
    for photo in photos[:4]:
        wanted = exact.run(photo[None])["features"]
        for engine, runtime in by_engine.items():
            got = runtime.run(photo[None])["features"]
            assert np.abs(got - wanted).mean() < 0.05 * np.abs(wanted).mean(), engine


def test_layers_can_stay_as_they_are_down_to_all_of_them(
    predictor: Predictor, whole: Quantised, photos: list[np.ndarray]
) -> None:
    some = whole.but(whole.layers[:5])
    assert some.layers == whole.layers[5:]
    none = whole.but(whole.layers)
    assert none.layers == ()
    onnx.checker.check_model(onnx.load_from_string(none.content))
    x = photos[0][None]
    wanted = open_graph(predictor.graph).run(x)["features"]
    off = [np.abs(open_graph(form.content).run(x)["features"] - wanted).mean() for form in (whole, none)]
    assert off[1] < off[0]


def test_the_layer_that_costs_most_comes_first(predictor: Predictor, photos: list[np.ndarray]) -> None:
    form = Broken(0.03)(predictor.graph, photos)
    worst = form.layers[: round(0.03 * len(form.layers))]
    assert len(worst) == 1
    few = replace(form, layers=(*form.layers[5:9], *worst))
    assert int8.sensitive(few, photos[:2])[0] == worst[0]


@pytest.mark.usefixtures("eight_bits")
def test_what_is_as_good_and_faster_is_taken(
    trained: Run, predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed(monkeypatch, 1.6)
    there = agreed(trained, predictor, monkeypatch)
    made, trial = converted(predictor, trained, there)
    assert made.description["precision"] == "int8"
    assert trial.layers >= len(trial.graph.layers) > 0
    assert (trial.figure, trial.loss) == ("accuracy", pytest.approx(trial.before - trial.after))
    assert trial.loss <= int8.DROP
    assert made.graph == trial.graph.content
    assert "1.60 times as many photos a second (openvino)" in trial.words
    assert predictor.description.get("precision") is None


@pytest.mark.usefixtures("eight_bits")
def test_where_the_whole_loses_too_much_the_layers_that_cost_most_stay(
    trained: Run, predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed(monkeypatch, 1.6)
    monkeypatch.setattr(int8, "sensitive", lambda form, _: list(form.layers))
    _, trial = converted(predictor, trained, agreed(trained, predictor, monkeypatch), Broken(0.08))
    assert 0 < trial.layers - len(trial.graph.layers) <= 0.51 * trial.layers
    assert f"{len(trial.graph.layers)} of {trial.layers} layers in integers" in trial.words


@pytest.mark.usefixtures("eight_bits")
def test_what_loses_too_much_in_every_form_is_refused_with_what_each_did(
    trained: Run, predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed(monkeypatch, 1.6)
    monkeypatch.setattr(int8, "sensitive", lambda form, _: list(form.layers)[::-1])
    with pytest.raises(ExportError, match="An 8-bit form of this model is refused") as error:
        converted(predictor, trained, agreed(trained, predictor, monkeypatch), Broken(0.4))
    assert str(error.value).count("layers in integers: accuracy") == 4
    assert "all layers in integers: accuracy 100.0 % before" in str(error.value)


def test_what_is_not_faster_here_is_refused_at_once(
    trained: Run, predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed(monkeypatch, 1.05)
    with pytest.raises(ExportError, match=r"1\.05 times as many photos a second") as error:
        converted(predictor, trained, judged(trained))
    assert str(error.value).count("layers in integers") == 1


def test_a_refused_export_writes_nothing(trained: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timed(monkeypatch, 0.8)
    with pytest.raises(ExportError, match="is refused"):
        export(trained, tmp_path / "flowers.fg", wishes=Wishes(int8=True))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("to", "name"), [("bundle", "small.fg"), ("onnx", "small.onnx"), ("openvino", "small-ir")])
def test_an_export_of_integers_answers_as_it_did_in_its_trial(
    trained: Run, to: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Quantised
) -> None:
    timed(monkeypatch, 1.6)
    monkeypatch.setattr(int8, "DROP", 1.0)  # of a handful of photos: what they lose is not what is tested
    plain_form = int8.converted
    monkeypatch.setattr(int8, "converted", lambda *given: plain_form(*given, lambda *_: whole))
    done = export(trained, tmp_path / name, to, wishes=Wishes(int8=True))
    assert done.parity.max_difference < 1e-3
    assert done.trial is not None
    told = done.to_json()["int8"]
    assert (told["integer_layers"], told["layers"]) == (len(whole.layers), len(whole.layers))
    assert told["speed"]["ratio"] == 1.6
    size = sum(file.stat().st_size for file in [tmp_path / name, *(tmp_path / name).glob("*")] if file.is_file())
    assert size < 0.6 * trained.model.stat().st_size
    if to == "bundle":
        entries = bundle.archive.read(tmp_path / name)
        stored = json.loads(entries["model.json"])
        assert stored["precision"] == "int8"
        assert stored["int8"] == told
        card = entries["card.md"].decode()
        assert "## It computes with 8-bit integers" in card
        assert "all layers in integers" in card
        assert card.count("## How good it is") == 1
        for engine in ("onnxruntime", "openvino"):
            assert fg.load(tmp_path / name, engine=engine).description["precision"] == "int8"


def test_wishes_that_do_not_go_together_are_refused(trained: Run, tmp_path: Path) -> None:
    for words, why in (
        (("--to", "torch", "--int8"), "has no 8-bit form"),
        (("--to", "onnx", "--slim"), "are for bundles"),
        (("--to", "onnx", "--with-samples"), "are for bundles"),
        (("--slim", "--int8"), "Choose one of them"),
    ):
        suffix = {"torch": "", "onnx": ".onnx"}.get(words[1], ".fg")
        done = finegraft("export", trained.path, "-o", tmp_path / f"model{suffix}", *words)
        assert done.code == 2, done.err
        assert why in done.err
    assert list(tmp_path.iterdir()) == []


def test_without_the_photos_nothing_can_be_tried(
    trained: Run, predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed(monkeypatch, 1.6)
    monkeypatch.setattr(int8, "learned_from", lambda *_: [])
    with pytest.raises(ExportError, match="and 5 that it was judged on; 0 and 6 are there"):
        converted(predictor, trained, judged(trained))


def test_too_few_judged_photos_cannot_tell_what_is_lost(trained: Run, predictor: Predictor) -> None:
    with pytest.raises(ExportError, match="and 50 that it was judged on; 18 and 6 are there"):
        converted(predictor, trained, judged(trained))
    with pytest.raises(ExportError, match="18 and 0 are there"):
        converted(predictor, trained, StillThere(None, (), 5))


@pytest.mark.parametrize(("speed", "wanted"), [((1.2, 1.05), True), ((1.2, 0.9), False), ((1.05, 1.01), False)])
def test_faster_is_a_tenth_and_in_every_round(speed: tuple[float, float], wanted: bool) -> None:
    trial = Trial.__new__(Trial)
    object.__setattr__(trial, "speed", Speed(*speed, 2.0, "openvino", "openvino"))
    assert trial.faster is wanted


def test_half_a_point_may_be_lost_and_no_more() -> None:
    for loss, wanted in ((0.005, True), (0.0051, False), (-0.1, True)):
        trial = Trial.__new__(Trial)
        object.__setattr__(trial, "loss", loss)
        assert trial.as_good is wanted


def test_the_speed_is_that_of_the_best_engine_of_each(
    predictor: Predictor, photos: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = iter([10.0, 20.0, 15.0, 60.0] * 5)
    monkeypatch.setattr(int8, "answers", lambda *_: next(rates))
    found = int8._speed(predictor.graph, predictor.graph, photos[0])
    assert found == Speed(3.0, 3.0, 3.0, exports.available()[1], exports.available()[1])
    with pytest.raises(UsageError):
        open_graph(predictor.graph, "no engine")

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto
from PIL import Image

import finegraft as fg
from finegraft.errors import BundleError, MissingExtra, UsageError
from finegraft.inference import bundle, samples
from finegraft.inference.bundle import Verify, load, save
from finegraft.inference.engines import Engines
from finegraft.runtimes import available
from tests.graphs import small_graph, small_model
from tests.inference.making import LABELS, changed, description, entries_of, predictor, rezipped
from tests.making import encoded, photo


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save(predictor(temperature=1.5, unsure_below=0.4), tmp_path / "model.fg")
    return tmp_path / "model.fg"


def refused(path: Path, why: str) -> None:
    with pytest.raises(BundleError, match=why) as error:
        load(path)
    assert str(error.value).startswith(f"Cannot open {path}: ")


def test_a_loaded_predictor_is_the_saved_one(path: Path) -> None:
    saved, loaded = predictor(temperature=1.5, unsure_below=0.4), load(path)
    assert loaded.predict(photo(1)) == saved.predict(photo(1))
    assert loaded.preprocess == saved.preprocess
    assert (loaded.labels, loaded.temperature, loaded.unsure_below) == (LABELS, 1.5, 0.4)
    assert loaded.description == {**description(), "finegraft": fg.__version__}
    assert loaded.graph == saved.graph


def test_it_is_saved_and_loaded_as_the_contract_writes_it(tmp_path: Path) -> None:
    predictor().save(str(tmp_path / "flowers.fg"))
    assert fg.load(str(tmp_path / "flowers.fg")).predict(photo(0)).label in LABELS


@pytest.mark.parametrize("engine", available())
def test_every_engine_opens_it_and_passes_the_samples(path: Path, engine: str) -> None:
    loaded = load(path, engine=engine, threads=1)
    assert loaded.engines.get("start").name == engine
    assert loaded.predict(photo(1)).probability == pytest.approx(
        predictor(temperature=1.5).predict(photo(1)).probability, abs=1e-3
    )


def test_equal_predictors_give_equal_files_also_when_saved_again(path: Path, tmp_path: Path) -> None:
    load(path).save(tmp_path / "again.fg")
    assert (tmp_path / "again.fg").read_bytes() == path.read_bytes()


def test_its_parts_are_those_of_the_contract(path: Path) -> None:
    entries = entries_of(path)
    assert list(entries)[:3] == ["model.json", "model.onnx", "card.md"]
    assert entries["model.onnx"] == small_graph()
    pictures = [name for name in entries if name.startswith("samples/")]
    assert [f"samples/{sample['name']}" for sample in json.loads(entries["model.json"])["samples"]] == pictures
    assert len(pictures) == 3


def test_the_generated_pictures_are_the_same_on_every_call() -> None:
    assert samples.generated() == samples.generated()


def test_a_failing_save_leaves_the_old_bundle(path: Path) -> None:
    before = path.read_bytes()
    model = small_model()
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL
    with pytest.raises(BundleError, match="external data"):
        save(predictor(graph=model.SerializeToString()), path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_model_that_answers_differently_is_refused(path: Path) -> None:
    def lie(stored: dict[str, object]) -> None:
        stored["samples"][2]["probabilities"][1] += 0.002  # type: ignore[index]

    refused(changed(path, lie), r"it answers differently here: for its sample 'tall\.png' the class 'Bee' has probabil")
    load(path, verify="one")  # the wrong one is the last
    assert load(path, verify="no").predict(photo(0)).label in LABELS


@pytest.mark.parametrize("temperature", [1e-320, 10**400])
def test_a_temperature_that_makes_no_probabilities_is_refused(path: Path, temperature: float) -> None:
    refused(changed(path, lambda stored: stored.update(temperature=temperature)), "'temperature' cannot be 1")


def test_an_answer_that_is_no_number_agrees_with_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "_answer", lambda _predictor, _content: [0.5, float("nan"), 0.5])
    refused(path, "it answers differently here: .* class 'Bee' has probability nan")


def test_what_load_would_refuse_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"'temperature' cannot be 30\.0"):
        save(predictor(temperature=30.0), tmp_path / "model.fg")
    assert list(tmp_path.iterdir()) == []


def test_a_difference_within_the_tolerance_passes(path: Path) -> None:
    def nudge(stored: dict[str, object]) -> None:
        stored["samples"][0]["probabilities"][0] += 0.0005  # type: ignore[index]

    load(changed(path, nudge))


def test_another_preprocess_is_noticed(path: Path) -> None:
    refused(changed(path, lambda stored: stored["preprocess"].update(resize="squish")), "it answers differently here")


@pytest.mark.parametrize(("verify", "asked"), [("all", 3), ("one", 1), ("no", 0)])
def test_so_many_samples_are_asked(path: Path, monkeypatch: pytest.MonkeyPatch, verify: Verify, asked: int) -> None:
    calls = []
    get = Engines.get
    monkeypatch.setattr(Engines, "get", lambda self, purpose: calls.append(purpose) or get(self, purpose))  # type: ignore[func-returns-value]
    load(path, verify=verify)
    assert calls == ["start"] * asked


def test_verify_and_engine_are_checked_before_the_file(tmp_path: Path, path: Path) -> None:
    with pytest.raises(UsageError, match="verify must be one of all, one, no, got True"):
        load(tmp_path / "missing.fg", verify=True)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="There is no engine called 'abacus'"):
        load(path, engine="abacus")


def test_a_damaged_sample_is_refused(path: Path) -> None:
    refused(
        rezipped(path, entries_of(path) | {"samples/small.png": b"no picture"}), "sample 'small.png' cannot be read"
    )
    other = encoded(Image.new("RGB", (64, 48), "red"), "PNG")
    refused(rezipped(path, entries_of(path) | {"samples/small.png": other}), "it answers differently here")


@pytest.mark.parametrize("name", ["model.json", "model.onnx", "card.md", "samples/wide.png"])
def test_a_missing_part_is_named(path: Path, name: str) -> None:
    entries = entries_of(path)
    del entries[name]
    refused(rezipped(path, entries), f"it has no entry '{name}'")


@pytest.mark.parametrize("name", ["setup.py", "model.pkl", "samples/extra.png"])
def test_a_part_that_no_bundle_has_is_refused(path: Path, name: str) -> None:
    refused(rezipped(path, entries_of(path) | {name: b"x"}), f"an entry that no bundle has, '{name}'")


def test_a_newer_format_is_said_first_whatever_else_is_in_it(path: Path) -> None:
    rezipped(path, {"model.json": b'{"format": 9}', "weights.safetensors": b"x"})
    refused(path, "made by a newer finegraft: it has format 9, this one reads up to 1")


def test_another_model_than_the_described_one_is_refused(path: Path) -> None:
    refused(rezipped(path, entries_of(path) | {"model.onnx": small_graph(seed=1)}), r"digests differ")


def test_weights_outside_the_file_are_refused(path: Path) -> None:
    model = small_model()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    refused(rezipped(path, entries_of(path) | {"model.onnx": model.SerializeToString()}), "external data")


def test_a_kind_of_data_nobody_knows_is_refused(path: Path) -> None:
    refused(changed(path, lambda stored: stored.update(modality="os")), "knows no data of the kind 'os'. Upgrade")


def test_a_wrong_preprocess_is_refused(path: Path) -> None:
    refused(changed(path, lambda stored: stored["preprocess"].update(size=10**9)), "size of the model's input must be")
    refused(changed(path, lambda stored: stored["preprocess"].update(run="rm")), "A stored preprocess needs exactly")


def test_a_model_for_another_input_is_refused(path: Path) -> None:
    refused(changed(path, lambda stored: stored["preprocess"].update(size=9)), "cannot run this model on uint8")


def test_a_pickle_is_refused_unopened(tmp_path: Path) -> None:
    import pickle

    class Harm:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "harmed",)  # type: ignore[return-value]

    (tmp_path / "model.fg").write_bytes(pickle.dumps(Harm()))
    with pytest.raises(BundleError, match="it is not a zip, or was cut off"):
        load(tmp_path / "model.fg")
    assert not (tmp_path / "harmed").exists()


def test_a_missing_engine_names_its_install_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from finegraft import runtimes

    monkeypatch.setattr(runtimes, "available", lambda: ["onnxruntime"])
    with pytest.raises(MissingExtra, match=r'pip install "finegraft\[openvino\]"'):
        load(path, engine="openvino")


def test_sample_answers_are_probabilities(path: Path) -> None:
    for sample in json.loads(entries_of(path)["model.json"])["samples"]:
        np.testing.assert_allclose(sum(sample["probabilities"]), 1, atol=1e-5)

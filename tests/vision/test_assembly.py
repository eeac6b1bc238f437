"""From a folder of photos to a bundle that answers: the whole way, with lite0 on small photos."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import finegraft as fg
from finegraft.data.dataset import Dataset
from finegraft.data.record import Record
from finegraft.errors import DataError, UsageError
from finegraft.features.store import Store
from finegraft.inference.prediction import Prediction
from finegraft.runtimes import Runtime, open_graph
from finegraft.training.learner import Learner
from finegraft.training.recipe import Table
from finegraft.vision import assembly, body
from finegraft.vision.grafting import PhotoGrafting
from finegraft.vision.preprocess import Preprocess
from tests.making import folder_of_photos, photo
from tests.models.making import SIDECAR, by_hand, frozen

# One worker makes the graphs, not each of them.
pytestmark = pytest.mark.xdist_group("assembly")
CLASSES = ("daisy", "rose", "tulip")
CPU: dict[str, Any] = {"size": 64, "device": "cpu", "show": False}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("store")) as kept:
        yield kept


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = folder_of_photos(tmp_path_factory.mktemp("flowers"), dict.fromkeys(CLASSES, 12))
    return fg.vision.read(folder).split(valid=0.25, seed=0)


@pytest.fixture(scope="module")
def taught(data: Dataset, store: Store) -> Learner:
    learner = assembly.learner(data, store=store, head="mlp", **CPU)
    learner.fit_one_cycle(4)
    return learner


@pytest.fixture
def fresh_store(tmp_path: Path, store: Store, taught: Learner) -> Iterator[Store]:
    """A store that knows the backbone's graph, which takes seconds to make, and no photo."""
    with Store.open(tmp_path / "fresh") as fresh:
        fresh.put_many(
            "graphs", dict(store._connection.execute("SELECT key, value FROM entries WHERE kind = 'graphs'"))
        )
        yield fresh


def probabilities(predictor: fg.Predictor, data: Dataset) -> np.ndarray:
    paths = [data.root / record.key for record in data.part(data.judged_on)]
    rows = []
    for answer in predictor.predict_many(paths):
        assert isinstance(answer, Prediction)
        rows.append([dict(answer.ranking)[label] for label in CLASSES])
    return np.array(rows)


def test_it_learns_to_tell_flowers_apart(taught: Learner) -> None:
    assert taught.evaluate().accuracy.value >= 0.85


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_the_bundle_answers_as_the_learner_was_judged(
    taught: Learner, data: Dataset, tmp_path: Path, engine: str
) -> None:
    wanted = taught.evaluate()
    taught.predictor().save(tmp_path / "flowers.fg")
    loaded = fg.load(tmp_path / "flowers.fg", engine=engine)
    got = probabilities(loaded, data)
    np.testing.assert_allclose(got, wanted.probabilities, atol=1e-3)
    assert got.argmax(1).tolist() == wanted.predicted.tolist()
    assert (loaded.temperature, loaded.unsure_below) == pytest.approx(
        (taught.calibration.temperature, taught.calibration.unsure_below)
    )


def test_the_predictor_tells_where_it_comes_from(taught: Learner) -> None:
    description = taught.predictor().description
    assert (description["modality"], description["judged_on"]) == ("vision", "held-out")
    assert (description["n_train"], description["n_judged"]) == (27, 9)
    assert description["backbone"]["name"] == "lite0"
    assert description["metrics"]["accuracy"]["value"] == taught.evaluate().accuracy.value


def test_a_run_can_tell_what_made_it(taught: Learner) -> None:
    told = json.loads(json.dumps(taught.origin.describe()))
    assert set(told) == {"backbone", "preprocess", "engine", "threads", "device", "augment"}
    assert told["device"] == "cpu"
    assert (told["engine"], told["preprocess"]["size"], told["preprocess"]["crop"]) == ("openvino", 64, 1.0)


def whole(learner: Learner) -> Table:
    """Everything a learner holds, the judged part too, in the order of its records."""
    tables = {**learner._tables, learner.data.judged_on: learner._judged._table}
    place = {name: [i for i, record in enumerate(learner.data.usable) if record.split == name] for name in tables}
    order = torch.from_numpy(np.argsort([row for name in tables for row in place[name]]))
    joined = [torch.cat([table.features for table in tables.values()])[order]]
    joined.append(torch.cat([table.truth for table in tables.values()])[order])
    views = [table.mirrored for table in tables.values() if table.mirrored is not None]
    return Table(joined[0], joined[1], torch.cat(views)[order] if views else None)


def features(data: Dataset, store: Store, **options: Any) -> np.ndarray:
    return whole(assembly.learner(data, store=store, head="linear", **{**CPU, **options})).features.numpy()


def test_the_engines_give_the_same_features_and_keep_them_apart(data: Dataset, fresh_store: Store) -> None:
    found = [features(data, fresh_store, engine=engine) for engine in ("onnxruntime", "openvino", "torch")]
    assert fresh_store.sizes()["features"][0] == 3 * len(data.usable)
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], atol=1e-3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA card here")
def test_a_card_gives_the_features_of_the_processor(data: Dataset, store: Store) -> None:
    learner = assembly.learner(data, store=store, size=64, device="auto", show=False)
    told = learner.origin.describe()
    assert (told["engine"], told["device"]) == ("torch", "cuda")
    assert whole(learner).features.is_cuda
    learner.fit_one_cycle(2)
    assert learner.evaluate().accuracy.value > 0.5
    np.testing.assert_allclose(whole(learner).features.cpu().numpy(), features(data, store), atol=1e-3)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA card is here")
def test_no_card_is_told_with_the_mend(data: Dataset) -> None:
    with pytest.raises(UsageError, match=r"There is no CUDA device here\. Use --device cpu\."):
        assembly.learner(data, device="cuda")


def test_unknown_devices_and_engines_are_told(data: Dataset, store: Store) -> None:
    with pytest.raises(UsageError, match=r"no device called 'tpu'\. Known: auto, cpu, cuda"):
        assembly.learner(data, device="tpu")
    with pytest.raises(UsageError, match=r"no engine called 'tensorrt'"):
        assembly.learner(data, engine="tensorrt", device="cpu", store=store)


def test_what_cannot_be_learned_is_told_before_any_photo_is_opened(tmp_path: Path) -> None:
    records = tuple(Record(f"a/{i}.jpg", f"d{i}", "a", "train" if i else "test") for i in range(4))
    with pytest.raises(DataError, match=r"two classes or more to learn from, got \['a'\]"):
        assembly.learner(Dataset(records, tmp_path / "gone", "vision"), backbone="no such backbone")


def test_a_second_learner_computes_nothing(data: Dataset, store: Store, taught: Learner) -> None:
    told: list[tuple[int, int]] = []
    again = assembly.learner(data, store=store, head="mlp", progress=lambda done, of: told.append((done, of)), **CPU)
    assert told == []
    assert torch.equal(whole(again).features, whole(taught).features)


def test_mirrored_photos_are_learned_from_and_never_judged(data: Dataset, store: Store, taught: Learner) -> None:
    both = assembly.learner(data, store=store, head="mlp", mirror=True, **CPU)
    table = whole(both)
    assert table.mirrored is not None
    assert isinstance(both.origin, PhotoGrafting)
    grafted = both.origin.body
    assert torch.equal(table.features, whole(taught).features)
    (record, *_) = data.usable
    upright = grafted.preprocess.load((data.root / record.key).read_bytes())
    wanted = grafted.open().run(np.ascontiguousarray(upright[None, :, ::-1]))["features"][0]
    np.testing.assert_allclose(table.mirrored[0].numpy(), wanted, atol=1e-4)


@pytest.fixture
def changed(tmp_path: Path) -> Dataset:
    """A folder in which, after the check, one photo is replaced, one damaged and one deleted."""
    checked = fg.vision.read(folder_of_photos(tmp_path / "photos", dict.fromkeys("ab", 6))).split(valid=0.3, seed=0)
    (checked.root / "a/0001.jpg").write_bytes(photo(77))
    (checked.root / "a/0002.jpg").write_bytes(b"no photo any more")
    (checked.root / "b/0003.jpg").unlink()
    return checked


def test_photos_changed_after_the_check_are_left_out_with_a_finding(changed: Dataset, fresh_store: Store) -> None:
    learner = assembly.learner(changed, store=fresh_store, head="linear", **CPU)
    kept = fresh_store.sizes()["features"][0]
    lost = {"a/0001.jpg", "a/0002.jpg", "b/0003.jpg"}
    assert {finding.key for finding in learner.data.findings} >= lost
    assert {record.key: record.left_out for record in learner.data.left_out} == {
        "a/0001.jpg": "The file changed after it was checked.",
        "a/0002.jpg": "The file changed after it was checked.",
        "b/0003.jpg": "There is no such file. Check the path.",
    }
    assert kept == len(whole(learner).features) == 9
    learner.fit_one_cycle(1, lr=0.1)
    assert not set(learner.evaluate().keys) & lost


def test_features_of_a_changed_photo_are_never_kept_under_the_old_name(changed: Dataset, fresh_store: Store) -> None:
    assembly.learner(changed, store=fresh_store, head="linear", **CPU)
    (changed.root / "a/0001.jpg").write_bytes(photo(78))  # and again: still not what was checked
    told: list[int] = []
    assembly.learner(changed, store=fresh_store, head="linear", progress=lambda done, _: told.append(done), **CPU)
    assert told == [1, 2, 3], "the three are tried anew, nothing was remembered of them"


def test_photos_that_are_all_gone_are_told(changed: Dataset, fresh_store: Store) -> None:
    gone = replace(changed, root=changed.root / "elsewhere")
    with pytest.raises(DataError, match=r"None of the photos can be read any more\. Check that the folder is"):
        assembly.learner(gone, store=fresh_store, **CPU)


def test_a_frozen_model_can_be_grafted_on(data: Dataset, store: Store, tmp_path: Path) -> None:
    path = frozen(tmp_path / "theirs.onnx")
    learner = assembly.learner(data, str(path), store=store, head="linear", device="cpu", show=False)
    learner.fit_one_cycle(4)
    learner.predictor().save(tmp_path / "flowers.fg")
    got = probabilities(fg.load(tmp_path / "flowers.fg"), data)
    np.testing.assert_allclose(got, learner.evaluate().probabilities, atol=1e-3)
    with pytest.raises(UsageError, match=r"The engine 'torch' cannot run theirs\.onnx\. Use --engine onnxruntime"):
        assembly.learner(data, str(path), store=store, engine="torch", device="cpu")


@pytest.mark.parametrize(("told", "kept"), [({"crop": 0.5}, 0.5), ({}, 1.0)])
def test_the_crop_beside_a_frozen_model_is_used(
    data: Dataset, store: Store, tmp_path: Path, told: dict[str, float], kept: float
) -> None:
    path = frozen(tmp_path / "theirs.onnx", sidecar={**SIDECAR, **told})
    grafted = body.body(str(path), store, device="cpu")
    assert grafted.preprocess.crop == kept
    assert body.body(str(path), store, crop=0.25).preprocess.crop == 0.25
    (record, *_) = data.usable
    content = (data.root / record.key).read_bytes()
    x = Preprocess(16, "crop", kept).load(content)
    np.testing.assert_allclose(
        body.features_of([record], data.root, grafted, store).values[0], 2 * by_hand(x[None])[1][0], atol=1e-3
    )


def test_other_backbones_see_the_whole_shorter_side(store: Store) -> None:
    assert body.body("lite0", store, size=64).preprocess.crop == 1.0


def test_features_of_a_card_and_of_a_processor_are_kept_apart(data: Dataset, fresh_store: Store) -> None:
    on_cpu = body.body("lite0", fresh_store, size=64, engine="torch")
    assert on_cpu.describe()["device"] == "cpu"
    body.features_of(data.usable[:2], data.root, on_cpu, fresh_store)
    told: list[int] = []
    elsewhere = Elsewhere(**{field.name: getattr(on_cpu, field.name) for field in fields(on_cpu)} | {"device": "cuda"})
    body.features_of(data.usable[:2], data.root, elsewhere, fresh_store, lambda done, _: told.append(done))
    assert told[-1:] == [2], "both are computed again"
    assert fresh_store.sizes()["features"][0] == 4


class Elsewhere(body.Body):
    """A body that says it runs on a card, and runs where the tests do."""

    def open(self) -> Runtime:
        return open_graph(self.graph)


def test_on_a_card_a_frozen_model_still_runs_on_an_engine(tmp_path: Path) -> None:
    row = body.backbones.find(str(frozen(tmp_path / "theirs.onnx")))
    assert body._engine("auto", "cuda", row) in ("openvino", "onnxruntime")
    assert body._engine("auto", "cuda", body.backbones.find("lite0")) == "torch"


def test_an_engine_runs_on_the_processor_whatever_the_head_learns_on(store: Store, tmp_path: Path) -> None:
    grafted = body.body(str(frozen(tmp_path / "theirs.onnx")), store, device="cuda")
    assert grafted.describe()["device"] == "cpu"


def test_the_backbone_alone_answers_with_its_own_classes(store: Store, data: Dataset) -> None:
    predictor = body.pretrained(store=store)
    assert len(predictor.labels) == 1000
    answer = predictor.predict(data.root / data.records[0].key)
    assert sum(probability for _, probability in answer.ranking) == pytest.approx(1)
    assert predictor.among(["hotdog"]).labels == ("yes", "no")


def test_a_backbone_without_classes_of_its_own_is_refused(store: Store, tmp_path: Path) -> None:
    path = frozen(tmp_path / "theirs.onnx")
    with pytest.raises(UsageError, match=r"theirs\.onnx has no classes of its own\. Use lite0, lite2 or timm:NAME"):
        body.pretrained(str(path), store=store)


REPEATED = """
import hashlib, json, sys
import finegraft as fg
data = fg.vision.read(sys.argv[1]).split(valid=0.25, seed=3)
learner = fg.vision.learner(data, seed=3, size=64, device="cpu", show=False)
learner.fit_one_cycle(2)
weights = b"".join(value.numpy().tobytes() for value in learner.network.state_dict().values())
print(json.dumps([
    learner.head, learner.lr, learner.calibration.temperature, learner.calibration.unsure_below,
    hashlib.sha256(weights).hexdigest(),
    hashlib.sha256(learner.evaluate().probabilities.tobytes()).hexdigest(),
    hashlib.sha256(learner.predictor().graph).hexdigest(),
    learner.evaluate().keys,
]))
"""


def test_two_processes_with_empty_caches_agree_to_the_bit(data: Dataset, tmp_path: Path) -> None:
    answers = [
        subprocess.run(
            [sys.executable, "-c", REPEATED, data.root],
            env={**os.environ, "FINEGRAFT_CACHE": str(tmp_path / name)},
            capture_output=True,
            check=True,
        ).stdout
        for name in ("first", "second")
    ]
    assert answers[0] == answers[1]
    assert json.loads(answers[0])[0] in ("linear", "mlp")

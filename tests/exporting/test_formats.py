"""Every format answers as the run did; what answers otherwise is not written."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image

from finegraft.errors import ExportError, StorageError, UsageError
from finegraft.evaluation.run import Run
from finegraft.exporting import formats, parity, plain
from finegraft.exporting.exports import export
from finegraft.exporting.formats import FORMATS, Format
from finegraft.exporting.golden import golden_set
from finegraft.exporting.opened import open_export
from finegraft.inference import bundle
from finegraft.inference.predictor import Predictor
from tests.cli.running import content, finegraft

pytestmark = pytest.mark.xdist_group("exporting")
NAMES = {
    "bundle": "flowers.fg",
    "onnx": "flowers.onnx",
    "openvino": "flowers-ir",
    "torch": "flowers-torch",
    "web": "flowers-web",
}
EVERY = len(golden_set())


@pytest.mark.parametrize("to", FORMATS)
def test_an_export_answers_as_the_run_did(
    trained: Run, to: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if to == "web":
        request.getfixturevalue("web_runtime")
    done = finegraft("export", trained.path, "-o", tmp_path / NAMES[to], "--to", to, "--json")
    assert done.code == 0, done.err
    judged = len(trained.evaluation())
    assert done.object["path"] == str(tmp_path / NAMES[to])
    assert (done.object["photos"], done.object["judged"]) == (judged + EVERY, judged)
    assert done.object["agreement"] == 1.0
    assert 0 <= done.object["max_difference"] < 1e-4
    assert done.object["accuracy_before"] == done.object["accuracy_after"]
    assert [path.name for path in tmp_path.iterdir()] == [NAMES[to]]
    record = trained.dataset().usable[0]
    file = trained.dataset().root / record.key
    wanted = bundle.load(trained.model).judgement(file).values
    np.testing.assert_allclose(open_export(tmp_path / NAMES[to])(file), wanted, atol=1e-4)


def test_a_bundle_tells_how_well_it_agrees(trained: Run, tmp_path: Path) -> None:
    done = export(trained, tmp_path / "flowers.fg")
    entries = bundle.archive.read(tmp_path / "flowers.fg")
    told = json.loads(entries["model.json"])["parity"]
    assert told == {**done.parity.to_json(), "judged": done.judged}
    assert "## Is it the model that was trained" in entries["card.md"].decode()
    assert entries["model.onnx"] == bundle.load(trained.model).graph
    bundle.load(tmp_path / "flowers.fg", verify="all")


def test_a_place_may_be_named_from_the_working_folder(trained: Run, tmp_path: Path) -> None:
    done = finegraft("export", trained.path, "-o", "flowers.fg", cwd=tmp_path)
    assert done.code == 0, done.err
    assert [path.name for path in tmp_path.iterdir()] == ["flowers.fg"]


def test_the_command_says_it_in_a_sentence(trained: Run, tmp_path: Path) -> None:
    done = finegraft("export", trained.path, "-o", tmp_path / "flowers.fg")
    assert done.code == 0, done.err
    judged = len(trained.evaluation())
    photos = f"{judged + EVERY} photos ({judged} it was judged on)"
    same = "the same first answer for 100.0 %, no probability off by more than "
    assert done.out.startswith(f"{tmp_path / 'flowers.fg'}: {photos} are answered as the training did, {same}")
    assert len(done.out.splitlines()) == 1


def wrong_mean(graph: onnx.ModelProto) -> None:
    for tensor in graph.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if tensor.name.endswith("mean"):
            tensor.CopyFrom(onnx.numpy_helper.from_array(values + 20, tensor.name))


def swapped_channels(graph: onnx.ModelProto) -> None:
    """The first thing done to a photo is to read it backwards, blue first."""
    for node in graph.graph.node:
        node.input[:] = ["swapped" if name == "input" else name for name in node.input]
    order = onnx.numpy_helper.from_array(np.array([2, 1, 0]), "order")
    graph.graph.initializer.append(order)
    graph.graph.node.insert(0, onnx.helper.make_node("Gather", ["input", "order"], ["swapped"], axis=3))


def told_otherwise(**changes: Any) -> Callable[[onnx.ModelProto], None]:
    def change(graph: onnx.ModelProto) -> None:
        (row,) = (row for row in graph.metadata_props if row.key == plain.PROPERTY)
        told = json.loads(row.value)
        told["preprocess"] |= changes
        row.value = json.dumps(told)

    return change


BROKEN = {
    "wrong mean": wrong_mean,
    "swapped channels": swapped_channels,
    "squashed instead of cropped": told_otherwise(resize="squish"),
    "another filter": told_otherwise(interpolation="bilinear"),
    "a smaller crop": told_otherwise(crop=0.875),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_export_is_refused_and_nothing_is_written(
    trained: Run, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(predictor: Predictor, run: Run, path: Path) -> None:
        model = onnx.load_from_string(plain.plain_graph(predictor))
        before = model.SerializeToString()
        BROKEN[how](model)
        assert model.SerializeToString() != before
        path.write_bytes(model.SerializeToString())

    monkeypatch.setitem(formats.FORMATS, "onnx", Format(write, ".onnx"))
    with pytest.raises(ExportError, match=r"The export is not the model that was trained: onnx answers \d+ of "):
        export(trained, tmp_path / "flowers.onnx", "onnx")
    assert list(tmp_path.iterdir()) == []


def test_another_decoder_is_refused_by_the_golden_set(trained: Run, tmp_path: Path) -> None:
    """Pillow as most programs use it: it does not turn photos upright."""
    predictor = bundle.load(trained.model)
    size = predictor.preprocess.to_json()["size"]
    expected = parity.golden(predictor, tmp_path)

    def naive(file: Path) -> dict[str, Any]:
        picture = Image.open(io.BytesIO(file.read_bytes())).convert("RGB")
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        picture = picture.crop((left, top, left + side, top + side)).resize((size, size), Image.Resampling.BICUBIC)
        scores = predictor.engines.get("start").run(np.asarray(picture)[None])["scores"][0]
        return {"values": predictor._answering.values(scores).tolist()}

    found = parity.compared(expected, [naive(row.path) for row in expected])
    differing = {row.name for row in found.differing}
    turned = {f"exif-{orientation}.jpg" for orientation in range(2, 9)}
    assert len(turned & differing) >= 4  # of a mirror image a small model may say nearly the same
    with pytest.raises(ExportError):
        found.must_hold("a program with another decoder")


def test_photos_that_are_gone_are_left_out_and_the_golden_set_still_asked(trained: Run, tmp_path: Path) -> None:
    shutil.copytree(trained.path, tmp_path / "run")
    run = Run.open(tmp_path / "run")
    settings = {**run.settings, "root": str(tmp_path / "elsewhere"), "data": str(tmp_path / "elsewhere")}
    (tmp_path / "run" / "run.json").write_text(json.dumps(settings))
    done = export(run, tmp_path / "flowers.fg")
    assert (done.judged, done.parity.photos, done.accuracy_after) == (0, EVERY, None)
    card = bundle.archive.read(tmp_path / "flowers.fg")["card.md"].decode()
    assert f"{len(trained.evaluation())} of its judged photos were no longer there, or changed." in card


def test_a_photo_that_changed_since_it_was_judged_is_no_fault_of_the_model(trained: Run, tmp_path: Path) -> None:
    photos = trained.dataset().root
    shutil.copytree(photos, tmp_path / "photos")
    shutil.copytree(trained.path, tmp_path / "run")
    keys = trained.evaluation().keys
    shutil.copy(photos / keys[1], tmp_path / "photos" / keys[0])
    settings = {**trained.settings, "root": str(tmp_path / "photos")}
    (tmp_path / "run" / "run.json").write_text(json.dumps(settings))
    done = export(Run.open(tmp_path / "run"), tmp_path / "flowers.fg")
    assert (done.judged, done.parity.agreement) == (len(keys) - 1, 1.0)


@pytest.mark.parametrize(
    ("to", "name", "said"),
    [
        ("onnx", "flowers.fg", "The format onnx is a file that ends in .onnx, got flowers.fg"),
        ("openvino", "flowers.xml", "The format openvino is a folder, named without a suffix, got flowers.xml"),
        ("onx", "flowers.onnx", "There is no format called 'onx'"),
    ],
)
def test_what_does_not_fit_is_refused(trained: Run, to: str, name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        export(trained, tmp_path / name, to)


def test_nothing_is_replaced_unless_asked_for(trained: Run, tmp_path: Path) -> None:
    (tmp_path / "flowers.onnx").write_bytes(b"mine")
    done = finegraft("export", trained.path, "-o", tmp_path / "flowers.onnx", "--to", "onnx")
    assert done.code == 2
    assert "is there already. Choose another name, or replace it with --force." in done.error
    assert content(tmp_path) == {"flowers.onnx": b"mine"}
    assert export(trained, tmp_path / "flowers.onnx", "onnx", force=True).parity.agreement == 1
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_bytes(b"mine")
    with pytest.raises(UsageError, match="is a folder that no export made"):
        export(trained, tmp_path / "mine", "torch", force=True)


def test_a_folder_of_ours_is_replaced_whole(trained: Run, tmp_path: Path) -> None:
    export(trained, tmp_path / "flowers", "openvino")
    export(trained, tmp_path / "flowers", "torch", force=True)
    assert {path.name for path in (tmp_path / "flowers").iterdir()} == {"model.safetensors", "model.json"}
    assert [path.name for path in tmp_path.iterdir()] == ["flowers"]


def test_what_is_no_run_is_said(tmp_path: Path) -> None:
    done = finegraft("export", tmp_path, "-o", tmp_path / "flowers.fg")
    assert done.code == 1
    assert "is not a run" in done.error


def test_a_format_is_asked_by_every_engine_that_runs_it() -> None:
    assert FORMATS["bundle"].engines == ("onnxruntime", "openvino")
    assert FORMATS["onnx"].engines == ("onnxruntime",)


def test_a_folder_of_somebody_s_own_is_never_replaced(trained: Run, tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "page").mkdir(parents=True)
    (site / "index.html").write_text("my own")
    (site / "page" / "about.html").write_text("me")
    for more in (None, b"{}", bundle.archive.read(trained.model)["model.json"]):
        if more is not None:
            (site / "model.json").write_bytes(more)
        with pytest.raises(UsageError, match="is a folder that no export made"):
            export(trained, site, "openvino", force=True)
        assert (site / "page" / "about.html").read_text() == "me"


def test_what_was_there_comes_back_where_the_new_one_cannot_be_put(
    trained: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(trained, tmp_path / "ir", "openvino")
    before = {path.name: path.read_bytes() for path in (tmp_path / "ir").iterdir()}
    plain_replace, calls = Path.replace, []

    def replaced(self: Path, target: Path) -> Path:
        calls.append(target)
        if target == tmp_path / "ir" and sum(call == target for call in calls) == 1:
            raise OSError(28, "No space left on device")
        return plain_replace(self, target)

    monkeypatch.setattr(Path, "replace", replaced)
    with pytest.raises(StorageError, match="No space left"):
        export(trained, tmp_path / "ir", "openvino", force=True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "ir").iterdir()} == before

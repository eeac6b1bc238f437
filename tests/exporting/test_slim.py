"""Bundles without their backbone, and bundles with the user's own photos."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest

import finegraft as fg
from finegraft.data.contents import digest_of
from finegraft.errors import BackboneError, BundleError, ExportError, UsageError
from finegraft.evaluation.run import Run
from finegraft.exporting import exports, slim
from finegraft.exporting.exports import Wishes, export
from finegraft.exporting.still_there import StillThere, learned_from
from finegraft.inference import bundle
from finegraft.modality import Network
from finegraft.models import backbones
from finegraft.models.graph import head_graph, joined
from tests.cli.running import finegraft
from tests.inference.making import changed, rezipped

pytestmark = pytest.mark.xdist_group("exporting")


@pytest.fixture(scope="module")
def slimmed(trained: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("slim") / "flowers.fg"
    done = finegraft("export", trained.path, "-o", path, "--slim", "--json")
    assert done.code == 0, done.err
    assert done.object["agreement"] == 1.0
    return path


def test_a_slim_bundle_is_a_fraction_and_answers_the_same(trained: Run, slimmed: Path) -> None:
    entries = bundle.archive.read(slimmed)
    assert "model.onnx" not in entries
    stored = json.loads(entries["model.json"])
    assert (stored["slim"], stored["digest"]) == (True, digest_of(entries["head.onnx"]))
    network = bundle.archive.read(trained.model)["model.onnx"]
    assert len(entries["head.onnx"]) < len(network) / 2
    whole, small = bundle.load(trained.model), bundle.load(slimmed, verify="all")
    data = trained.dataset()
    for record in data.usable[:5]:
        wanted, got = (made.judgement(data.root / record.key) for made in (whole, small))
        np.testing.assert_allclose(got.values, wanted.values, atol=1e-5)
        assert got.novelty == pytest.approx(wanted.novelty, abs=1e-4)


def test_a_head_taken_off_and_put_on_again_is_the_same_network(trained: Run) -> None:
    graph = bundle.archive.read(trained.model)["model.onnx"]
    again = joined(graph, head_graph(graph))
    x = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    wanted, got = (fg.load(trained.model).with_graph(made).engines.get("start").run(x) for made in (graph, again))
    assert list(wanted) == list(got)
    for name, values in wanted.items():
        np.testing.assert_array_equal(values, got[name])


def test_on_other_weights_it_is_not_opened(slimmed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = b"never looked at"
    monkeypatch.setattr("finegraft.vision.network", lambda *_: Network(graph, "other"), raising=False)
    with pytest.raises(BundleError, match="it belongs on other weights of lite0 than those installed here"):
        bundle.load(slimmed)


def test_where_the_backbone_is_missing_it_says_which(slimmed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> Network:
        raise BackboneError("There is no lite0.", "Install it.")

    monkeypatch.setattr("finegraft.vision.network", missing, raising=False)
    with pytest.raises(BundleError, match="comes without its backbone, which is not here: There is no lite0") as error:
        bundle.load(slimmed)
    assert error.value.mend == "Install it."


@pytest.mark.parametrize("name", ["timm:resnet18", "/etc/passwd", "weights.onnx", "../lite0", "lite9", ""])
def test_a_bundle_does_not_say_which_file_or_host_a_backbone_is_taken_from(
    slimmed: Path, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backbones, "find", lambda *_: pytest.fail("it was looked for"))
    path = tmp_path / "other.fg"
    path.write_bytes(slimmed.read_bytes())
    changed(path, lambda stored: stored["backbone"].update(name=name))
    with pytest.raises(BundleError, match="No package brings a backbone called"):
        bundle.load(path)


def test_a_head_that_was_changed_is_refused(slimmed: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.fg"
    path.write_bytes(slimmed.read_bytes())
    changed(path, lambda stored: stored.update(digest="0" * 64))
    with pytest.raises(BundleError, match=r"head\.onnx is not the one"):
        bundle.load(path)
    changed(path, lambda stored: stored.update(slim="yes"))
    with pytest.raises(BundleError, match="'slim' cannot be 'yes'"):
        bundle.load(path)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"fine_tuned": True}, "The network of this model has learned too"),
        ({"digest": "of a file"}, "are in no package: others would not find them"),
        ({"name": "somewhere/else.onnx"}, "are in no package: others would not find them"),
    ],
)
def test_what_nobody_could_put_together_again_is_not_made(
    trained: Run, row: dict[str, object], why: str, tmp_path: Path
) -> None:
    predictor = bundle.load(trained.model)
    predictor.description["backbone"] = {**predictor.description["backbone"], **row}
    path = tmp_path / "flowers.fg"
    path.write_bytes(trained.model.read_bytes())
    with pytest.raises(UsageError, match=why):
        slim.slimmed(path, predictor)
    assert path.read_bytes() == trained.model.read_bytes()


def test_photos_travel_only_where_that_is_said_and_are_asked_again(trained: Run, tmp_path: Path) -> None:
    done = finegraft("export", trained.path, "-o", tmp_path / "own.fg", "--with-samples")
    assert done.code == 0, done.err
    entries = bundle.archive.read(tmp_path / "own.fg")
    own = {name: content for name, content in entries.items() if name.startswith("samples/own-")}
    evaluation, root = trained.evaluation(), trained.dataset().root
    assert len(own) == min(12, len(evaluation))
    assert set(own.values()) <= {(root / key).read_bytes() for key in evaluation.keys}
    assert f"{len(own)} photos that it was judged on lie in `samples/`" in entries["card.md"].decode()
    stored = json.loads(entries["model.json"])
    assert {f"samples/{row['name']}" for row in stored["samples"]} >= set(own)
    assert not any(name.startswith("samples/own-") for name in bundle.archive.read(trained.model))
    rows = [row for row in stored["samples"] if row["name"].startswith("own-")]
    rows[0]["probabilities"] = rows[0]["probabilities"][::-1]
    changed(tmp_path / "own.fg", lambda told: told.update(samples=stored["samples"]))
    with pytest.raises(BundleError, match="it answers differently here: for its sample 'own-1"):
        bundle.load(tmp_path / "own.fg", verify="all")


def test_without_any_of_the_photos_there_is_nothing_to_put_in(
    trained: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "judged", lambda _: StillThere(None, (), 5))
    with pytest.raises(ExportError, match="None of the photos that the run was judged on is there"):
        export(trained, tmp_path / "own.fg", wishes=Wishes(with_samples=True))
    assert list(tmp_path.iterdir()) == []


def test_a_slim_bundle_can_have_samples_too(trained: Run, tmp_path: Path) -> None:
    export(trained, tmp_path / "both.fg", wishes=Wishes(slim=True, with_samples=True))
    assert any(name.startswith("samples/own-") for name in bundle.archive.read(tmp_path / "both.fg"))
    fg.load(tmp_path / "both.fg")


def without_scores(model: onnx.ModelProto) -> None:
    del model.graph.output[:]


def doubled(model: onnx.ModelProto) -> None:
    model.graph.node.append(model.graph.node[0])


def of_another_opset(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 13


@pytest.mark.parametrize("change", [without_scores, doubled, of_another_opset])
def test_a_head_that_does_not_fit_is_refused_and_ends_a_server(
    slimmed: Path, change: Callable[[onnx.ModelProto], None], tmp_path: Path
) -> None:
    entries = bundle.archive.read(slimmed)
    model = onnx.load_from_string(entries["head.onnx"])
    change(model)
    entries["head.onnx"] = model.SerializeToString()
    told = json.loads(entries["model.json"]) | {"digest": digest_of(entries["head.onnx"])}
    path = rezipped(tmp_path / "bad.fg", entries | {"model.json": json.dumps(told).encode()})
    with pytest.raises(BundleError, match="its head does not fit its backbone"):
        bundle.load(path)
    done = finegraft("serve", path, "--port", "0")
    assert done.code == 1
    assert "its head does not fit its backbone" in done.err


def test_as_many_as_wanted_are_taken_from_all_over(trained: Run) -> None:
    there = exports.judged(trained)
    assert [len(there.at_most(count)) for count in (1, 2, 5, 6, 100)] == [1, 2, 5, 6, 6]
    assert there.at_most(2).keys == (there.keys[0], there.keys[-1])
    assert [len(learned_from(trained, count)) for count in (1, 10, 17, 18, 99)] == [1, 10, 17, 18, 18]

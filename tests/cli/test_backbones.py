from __future__ import annotations

from pathlib import Path

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


def test_earlier_downloads_are_listed(tmp_path: Path) -> None:
    snapshot = tmp_path / "models--timm--resnet18.a1_in1k" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").touch()
    rows = finegraft("backbones", "--json", env={"HF_HUB_CACHE": str(tmp_path)}).object["backbones"]
    assert rows[-1]["name"] == "timm:resnet18.a1_in1k"
    assert rows[-1]["at_hand"]

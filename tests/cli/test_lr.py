from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from tests.cli.running import finegraft


def test_the_curve_is_a_picture_and_numbers(photos: Path, tmp_path: Path) -> None:
    done = finegraft("lr", photos, "-o", tmp_path / "new" / "curve", "--head", "linear", "--json")
    said = done.object
    assert said["path"] == f"{tmp_path}/new/curve.png"
    assert said["suggestion"] in said["lrs"]
    assert len(said["lrs"]) == len(said["losses"])
    assert said["rule"]
    assert said["reason"]
    with Image.open(tmp_path / "new" / "curve.png") as picture:
        assert picture.format == "PNG"
    stored = json.loads((tmp_path / "new" / "curve.json").read_text())
    assert stored == {name: value for name, value in said.items() if name != "path"}


def test_a_place_that_cannot_be_written_is_said_before_the_work(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = finegraft("lr", photos, "-o", tmp_path / "file" / "lr")
    assert done.error == (
        f"Error: Cannot write {tmp_path}/file/lr.png: {tmp_path}/file is no folder. Choose another place."
    )


def test_a_rule_of_another_name_reads_the_same_curve(photos: Path, tmp_path: Path) -> None:
    half, steep = (
        finegraft("lr", photos, "-o", tmp_path / rule, "--head", "linear", "--rule", rule, "--json").object
        for rule in ("half", "steep")
    )
    assert (half["rule"], steep["rule"]) == ("half", "steep")
    assert half["losses"] == steep["losses"]
    wrong = finegraft("lr", photos, "-o", tmp_path / "lr", "--rule", "vally")
    assert wrong.code == 2
    assert "valley" in wrong.err

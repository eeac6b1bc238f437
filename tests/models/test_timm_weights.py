from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import save_file

from finegraft.errors import BackboneError
from finegraft.models import backbones
from finegraft.models.network import build

NAME = "timm:mobilenetv3_small_050.lamb_in1k"
HUB = "models--timm--mobilenetv3_small_050.lamb_in1k"


def test_the_row_is_timms() -> None:
    row = backbones.find("timm:vit_small_patch14_dinov2", "none")
    assert (row.size, row.interpolation, row.crop) == (518, "bicubic", 1.0)
    assert row.mean == pytest.approx((0.485, 0.456, 0.406))


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(BackboneError, match=r"no model called 'resnet51'\. Did you mean .*timm:resnet50.*list_models"):
        backbones.find("timm:resnet51")


def test_unknown_weights_of_a_known_model_get_the_list() -> None:
    with pytest.raises(BackboneError, match=r"no weights called 'resnet18\.nope'\. It has: .*resnet18\.a1_in1k"):
        backbones.find("timm:resnet18.nope")


FIND = """
import json, sys
from finegraft.errors import BackboneError
from finegraft.models import backbones
try:
    row = backbones.find(sys.argv[1])
    print(json.dumps({"path": str(row.weights), "source": row.source, "digest": row.digest, "classes": row.classes}))
except BackboneError as error:
    print(json.dumps({"error": str(error)}))
"""


def found(cache: Path, **environment: str) -> dict[str, Any]:
    """What a process of its own finds: the hub's package reads its environment once."""
    done = subprocess.run(
        [sys.executable, "-c", FIND, NAME],
        env={**os.environ, "HF_HUB_CACHE": str(cache), "HF_HUB_DISABLE_TELEMETRY": "1", **environment},
        capture_output=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def hub_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder laid out as the hub lays it out, with random weights."""
    cache = tmp_path_factory.mktemp("hub")
    snapshot = cache / HUB / "snapshots" / "0123456789abcdef0123456789abcdef01234567"
    snapshot.mkdir(parents=True)
    (cache / HUB / "refs").mkdir()
    (cache / HUB / "refs" / "main").write_text(snapshot.name)
    tensors = build(backbones.find(NAME, "none")).body.state_dict()
    save_file({name: value.contiguous() for name, value in tensors.items()}, snapshot / "model.safetensors")
    return cache


@pytest.mark.parametrize("environment", [{"HF_HUB_OFFLINE": "1"}, {}], ids=["offline", "not told to be offline"])
def test_weights_in_the_hubs_cache_are_used_and_nobody_is_asked(hub_cache: Path, environment: dict[str, str]) -> None:
    """Nobody: a connection tried would fail this test (see conftest)."""
    row = found(hub_cache, **environment)
    path = Path(row["path"])
    assert path.is_relative_to(hub_cache)
    assert row["digest"] == backbones.file_digest(path)
    assert (row["source"], row["classes"]) == ("hub timm/mobilenetv3_small_050.lamb_in1k", "imagenet")
    build(backbones.find(NAME, str(path)))


def test_with_no_network_the_file_to_bring_is_named(tmp_path: Path) -> None:
    error = found(tmp_path, HF_HUB_OFFLINE="1")["error"]
    assert error.startswith(f"The weights of {NAME} are not in the hub's cache, and fetching them failed (")
    assert error.endswith(
        "On a machine with a network download model.safetensors of timm/mobilenetv3_small_050.lamb_in1k, "
        "then pass it with --weights model.safetensors."
    )

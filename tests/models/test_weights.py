"""`--weights`: files of tensors, and none at all."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from finegraft.errors import BackboneError
from finegraft.models import backbones, graph
from finegraft.models.network import build
from finegraft.runtimes import open_graph
from tests.models.making import photos

ARCHITECTURE = "timm:mobilenetv3_small_050"  # 1.6 million numbers: the smallest at hand


@pytest.fixture(scope="module")
def tensors() -> dict[str, torch.Tensor]:
    """The architecture's tensors with other numbers than it starts with."""
    generator = torch.Generator().manual_seed(3)
    state = build(backbones.find(ARCHITECTURE, "none")).body.state_dict()
    return {
        name: (value + 0.01 * torch.rand(value.shape, generator=generator)).contiguous()
        if value.is_floating_point()
        else value
        for name, value in state.items()
    }


def outputs(weights: str) -> dict[str, np.ndarray]:
    return open_graph(graph.body_graph(backbones.find(ARCHITECTURE, weights), 32)).run(photos(2, 32))


@pytest.fixture(scope="module")
def wanted(tensors: dict[str, torch.Tensor]) -> list[np.ndarray]:
    """What torch says with these tensors put in by hand."""
    module = build(backbones.find(ARCHITECTURE, "none"))
    module.body.load_state_dict(tensors)
    with torch.no_grad():
        return [value.numpy() for value in module(torch.from_numpy(photos(2, 32)))]


@pytest.mark.parametrize("how", ["safetensors", "pth", "checkpoint.pt"])
def test_a_file_gives_the_outputs_of_its_tensors(
    tmp_path: Path, tensors: dict[str, torch.Tensor], wanted: list[np.ndarray], how: str
) -> None:
    path = tmp_path / f"mine.{how}"
    if how == "safetensors":
        save_file(tensors, path)
    else:
        torch.save({"state_dict": tensors} if how == "checkpoint.pt" else tensors, path)
    row = backbones.find(ARCHITECTURE, str(path))
    assert (row.source, row.licence, row.classes) == (f"file {path.name}", "as the weights file", "")
    assert row.digest == backbones.file_digest(path)
    for got, value in zip(outputs(str(path)).values(), wanted, strict=True):
        np.testing.assert_allclose(got, value, atol=1e-4)


def test_a_classifier_of_other_classes_is_left_out(
    tmp_path: Path, tensors: dict[str, torch.Tensor], wanted: list[np.ndarray]
) -> None:
    width = tensors["classifier.weight"].shape[1]
    other = tensors | {"classifier.weight": torch.zeros(7, width), "classifier.bias": torch.zeros(7)}
    save_file(other, tmp_path / "mine.safetensors")
    np.testing.assert_allclose(outputs(str(tmp_path / "mine.safetensors"))["features"], wanted[1], atol=1e-4)


def refused(path: Path, name: str = ARCHITECTURE) -> str:
    with pytest.raises(BackboneError) as error:
        build(backbones.find(name, str(path)))
    return str(error.value)


def test_tensors_of_another_shape_are_refused(tmp_path: Path, tensors: dict[str, torch.Tensor]) -> None:
    save_file(tensors | {"conv_stem.weight": torch.zeros(4, 3, 3, 3)}, tmp_path / "mine.safetensors")
    assert refused(tmp_path / "mine.safetensors").startswith(
        f"mine.safetensors does not fit: 1 of {sum('num_batches' not in name for name in tensors)} tensors differ, "
        "first conv_stem.weight of shape (16, 3, 3, 3), got (4, 3, 3, 3). Check that --backbone names the architecture"
    )


def test_tensors_of_another_architecture_are_refused(tmp_path: Path, tensors: dict[str, torch.Tensor]) -> None:
    save_file(tensors, tmp_path / "mine.safetensors")
    assert ", got nothing. Check that --backbone" in refused(tmp_path / "mine.safetensors", "timm:vit_tiny_patch16_224")


class Bomb:
    """Runs a command when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.trace}",)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_code_inside_a_file_is_refused_and_never_run(tmp_path: Path) -> None:
    trace = tmp_path / "it ran".replace(" ", "-")
    torch.save({"weights": Bomb(trace)}, tmp_path / "zip.pth")
    (tmp_path / "bare.pth").write_bytes(pickle.dumps(Bomb(trace)))
    for name in ("zip.pth", "bare.pth"):
        message = refused(tmp_path / name)
        assert message == (
            f"{name} is damaged, or holds more than tensors: nothing in it was run. "
            "Save the tensors alone, best as .safetensors."
        )
        assert "weights_only" not in message, "torch's own text tells how to run it"
    assert not trace.exists()


@pytest.mark.parametrize("name", ["mine.safetensors", "mine.pth"])
def test_a_damaged_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x00" * 64)
    assert refused(tmp_path / name).startswith(f"{name} is ")


def test_something_else_than_named_tensors_is_refused(tmp_path: Path) -> None:
    torch.save([torch.zeros(3)], tmp_path / "mine.pth")
    assert refused(tmp_path / "mine.pth") == "mine.pth holds something other than named tensors."


def test_a_file_of_another_format_or_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackboneError, match=r"Weights come as \.safetensors .*, got model\.h5\. Convert the file"):
        backbones.find("lite0", "model.h5")
    with pytest.raises(BackboneError, match=r"no weights file .*gone\.pth\. Check the path given to --weights"):
        backbones.find("lite0", str(tmp_path / "gone.pth"))


@pytest.mark.parametrize("name", ["lite0", ARCHITECTURE])
def test_no_weights_are_the_same_random_ones_every_time(name: str) -> None:
    row = backbones.find(name, "none")
    assert (row.weights, row.digest, row.source, row.classes) == (None, "random-0", "random weights (seed 0)", "")
    before = torch.get_rng_state()
    first = build(row).body.state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(9)
    for key, value in build(row).body.state_dict().items():
        assert torch.equal(first[key], value), key

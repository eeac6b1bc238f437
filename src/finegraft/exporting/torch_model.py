"""The network as named tensors and a description of what they belong to: nothing in it runs when it is read.

A folder with `model.safetensors` (`body.*` under timm's names, `head.N.weight` and `head.N.bias`, ReLU between two) and
`model.json`, the description of a bundle with `architecture` and `taps` beside. `load` puts them together.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from finegraft.data.atomic import write_atomically
from finegraft.errors import BundleError, UsageError
from finegraft.exporting.plain import description
from finegraft.inference import model_json
from finegraft.inference.predictor import Predictor
from finegraft.models import backbones
from finegraft.models.backbones import Backbone
from finegraft.models.frozen import onnx_package
from finegraft.models.network import Extractor, build
from finegraft.targets import Category, Tags

TENSORS, DESCRIPTION = "model.safetensors", "model.json"


class Answering(nn.Module):
    """uint8 photos (n, size, size, 3) -> probabilities (n, k), or the number (n, 1)."""

    def __init__(self, extractor: Extractor, layers: Sequence[tuple[int, int]], stored: model_json.Stored) -> None:
        super().__init__()
        self.body = extractor.body
        self.head = nn.ModuleList([nn.Linear(wide, narrow) for narrow, wide in layers])
        self._extractor = [extractor]  # in a list: its tensors are the body's, and named once
        self._stored = stored

    @torch.inference_mode()
    def forward(self, photos: Tensor) -> Tensor:
        """Run it all."""
        flowing: Tensor = self._extractor[0](photos)[1]
        for number, layer in enumerate(self.head):
            flowing = layer(flowing if number == 0 else flowing.relu())
        if isinstance(self._stored.target, Category):
            return (flowing / self._stored.temperature).softmax(1)
        if isinstance(self._stored.target, Tags):
            slopes, shifts = torch.tensor(self._stored.platt).T
            return torch.sigmoid(flowing * slopes + shifts)
        return flowing


def write(predictor: Predictor, backbone: Backbone, learned: dict[str, Tensor], folder: Path) -> None:
    """Write `predictor` to `folder`. `learned` are the tensors of `backbone` that have learned since, by their names.

    Raises `UsageError` for a backbone that is a graph alone, and what `build` raises.
    """
    import safetensors.torch

    if not backbone.can_learn:
        raise UsageError(f"{backbone.name} is a graph alone, without tensors of its own.", "Use --to onnx.")
    body = build(backbone, predictor.preprocess.to_json()["size"]).body
    body.load_state_dict({**body.state_dict(), **learned})
    tensors = {f"body.{name}": value.contiguous() for name, value in body.state_dict().items()}
    for number, (weight, bias) in enumerate(head_of(predictor.graph)):
        tensors[f"head.{number}.weight"] = torch.from_numpy(weight.copy())
        tensors[f"head.{number}.bias"] = torch.from_numpy(bias.copy())
    told = {
        **json.loads(description(predictor)),
        "torch": {"architecture": backbone.architecture, "taps": backbone.taps},
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / TENSORS, safetensors.torch.save(tensors))
    write_atomically(folder / DESCRIPTION, json.dumps(told, indent=1, ensure_ascii=False).encode())


def load(folder: Path) -> tuple[Answering, model_json.Stored]:
    """The network that `write` wrote, and what is told of it. Raises `BundleError` for anything else."""
    import safetensors.torch

    try:
        content = (folder / DESCRIPTION).read_bytes()
        tensors = safetensors.torch.load_file(folder / TENSORS)
    except Exception as error:
        raise BundleError(f"{folder} holds no exported network: {error}.", "Export it again.") from error
    stored, named = model_json.parsed(content), cast(dict[str, Any], json.loads(content).get("torch") or {})
    backbone = _described(stored, named)
    extractor = build(backbone, stored.preprocess["size"])
    layers = [tuple(value.shape) for name, value in tensors.items() if name.startswith("head.") and value.ndim == 2]
    network = Answering(extractor, cast(list[tuple[int, int]], layers), stored)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise BundleError(f"The tensors in {folder} are of another network: {error}.", "Export it again.") from error
    return network.eval(), stored


def head_of(graph: bytes) -> list[tuple[np.ndarray, np.ndarray]]:
    """The layers of the head in a bundle's graph, (weight (out, in), bias (out,)) from the first to the last."""
    onnx = onnx_package()
    found = {tensor.name: tensor for tensor in onnx.load_from_string(graph).graph.initializer}
    count = sum(name.startswith("head_") and name.endswith("_weight") for name in found)
    read = onnx.numpy_helper.to_array
    return [(read(found[f"head_{n}_weight"]), read(found[f"head_{n}_bias"])) for n in range(count)]


def _described(stored: model_json.Stored, named: dict[str, Any]) -> Backbone:
    """The row of an architecture without weights: these are in the folder."""
    row = stored.description["backbone"]
    if not isinstance(named.get("architecture"), str) or not isinstance(named.get("taps"), list):
        raise BundleError("The description names no architecture.", "Export it again.")
    return Backbone(
        name=str(row.get("name")),
        architecture=named["architecture"],
        source="",
        weights=None,
        digest="",
        size=stored.preprocess["size"],
        graft_size=stored.preprocess["size"],
        mean=tuple(stored.preprocess["mean"]),
        std=tuple(stored.preprocess["std"]),
        taps=tuple(named["taps"]),
    )


def learned_in(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Of a checkpoint of a whole network, the backbone's tensors under its own names."""
    prefix = "trunk.extractor.body."
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def backbone_of(settings: dict[str, Any]) -> Backbone:
    """The backbone that a run's settings name. Raises `BackboneError` where its weights are no longer at hand."""
    return backbones.find(settings["backbone"], settings.get("weights"))

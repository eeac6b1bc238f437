"""What a learner has learned, as one file of named tensors (safetensors): nothing in it runs when it is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from finegraft.data.atomic import write_atomically
from finegraft.errors import BackboneError, DataError

FORMAT = "finegraft weights 1"


def write(path: Path, network: nn.Module, description: Mapping[str, object]) -> None:
    """Write the weights of `network` with a `description` that JSON can hold, whole or not at all.

    Raises `StorageError` where `path` cannot be written.
    """
    import safetensors.torch

    tensors = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    told = {"format": FORMAT, "description": json.dumps(description, sort_keys=True)}
    write_atomically(path, safetensors.torch.save(tensors, told))


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, object]]:
    """The tensors and the description in a file that `write` made. Raises `BackboneError` for any other."""
    import safetensors

    try:
        with safetensors.safe_open(path, framework="pt") as file:
            told = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, safetensors.SafetensorError) as error:
        raise BackboneError(
            f"{path} is not a readable file of weights: {error}.", "Give one that save wrote."
        ) from error
    if told.get("format") != FORMAT:
        raise BackboneError(f"{path} holds tensors, but was not written by a learner.", "Give one that save wrote.")
    return tensors, json.loads(told["description"])


def put(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Give `network` these weights. Raises `DataError` where names or shapes are not its own."""
    own = network.state_dict()
    wrong = sorted(name for name in own.keys() | tensors.keys() if _shape(own, name) != _shape(tensors, name))
    if wrong:
        name = wrong[0]
        raise DataError(
            f"These weights are of another network: {len(wrong)} tensors differ, first {name}, here of shape "
            f"{_shape(own, name)}, in the file {_shape(tensors, name)}.",
            "Make the learner as the one that saved them: the same classes, backbone, size and head.",
        )
    with torch.no_grad():
        network.load_state_dict(dict(tensors))


def _shape(tensors: Mapping[str, Tensor], name: str) -> tuple[int, ...] | None:
    return tuple(tensors[name].shape) if name in tensors else None

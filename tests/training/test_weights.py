"""Weights in a file, and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from finegraft.errors import BackboneError, DataError, UsageError
from finegraft.training import weights
from tests.training.making import learner


def test_a_learner_goes_on_from_what_another_saved(tmp_path: Path) -> None:
    one = learner(head="mlp")
    one.fit_one_cycle(3, lr=0.01)
    one.save(tmp_path / "head.safetensors")
    other = learner(head="linear")
    other.load(tmp_path / "head.safetensors")
    assert (other.head, other.lr, other.epochs) == ("mlp", 0.01, 3)
    assert np.array_equal(other.evaluate().probabilities, one.evaluate().probabilities)  # type: ignore[union-attr]
    other.fit_one_cycle(1)
    assert other.epochs == 4


def test_nothing_learned_is_nothing_to_save(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Nothing has learned yet"):
        learner().save(tmp_path / "weights.safetensors")
    assert not list(tmp_path.iterdir())


def test_weights_of_another_network_are_refused_and_change_nothing(tmp_path: Path) -> None:
    weights.write(tmp_path / "w.safetensors", nn.Linear(3, 2), {})
    net = nn.Linear(4, 2)
    before = net.weight.detach().clone()
    tensors, told = weights.read(tmp_path / "w.safetensors")
    assert told == {}
    with pytest.raises(
        DataError, match=r"1 tensors differ, first weight, here of shape \(2, 4\), in the file \(2, 3\)"
    ):
        weights.put(net, tensors)
    assert torch.equal(net.weight, before)


def test_other_labels_are_refused(tmp_path: Path) -> None:
    one = learner()
    one.fit_one_cycle(1, lr=0.01)
    one.save(tmp_path / "w.safetensors")
    _, told = weights.read(tmp_path / "w.safetensors")
    told["target"] = {"kind": "category", "labels": ["x", "y", "z"]}
    weights.write(tmp_path / "other.safetensors", one.network, told)
    with pytest.raises(DataError, match="These weights answer with other labels than the data have"):
        learner().load(tmp_path / "other.safetensors")


@pytest.mark.parametrize("content", [b"", b"no tensors at all", b"\xff" * 64])
def test_what_is_no_file_of_weights_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(BackboneError, match="is not a readable file of weights"):
        weights.read(tmp_path / "w.safetensors")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackboneError, match="is not a readable file of weights"):
        weights.read(tmp_path / "missing.safetensors")


def test_tensors_of_somebody_else_are_refused(tmp_path: Path) -> None:
    save_file({"weight": torch.ones(2)}, tmp_path / "w.safetensors")
    with pytest.raises(BackboneError, match="was not written by a learner"):
        weights.read(tmp_path / "w.safetensors")

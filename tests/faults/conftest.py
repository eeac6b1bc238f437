"""One process that forks commands, and one set of photos with a small backbone, for all tests of this folder."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.faults.ground import Ground
from tests.faults.preloaded import Preloaded
from tests.making import folder_of_photos
from tests.models.making import frozen


@pytest.fixture(scope="session")
def server() -> Iterator[Preloaded]:
    with Preloaded() as preloaded:
        yield preloaded


@pytest.fixture(scope="session")
def ground(server: Preloaded, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    folder = tmp_path_factory.mktemp("faults")
    photos = folder_of_photos(folder / "photos", {"rose": 20, "tulip": 20}, size=(64, 48))
    backbone = frozen(folder / "small.onnx")
    options = ("--backbone", str(backbone), "--engine", "onnxruntime", "--epochs", "1", "--head", "linear")
    return Ground(folder / "ground", photos, options, server)


@pytest.fixture
def rng() -> random.Random:
    return random.Random(0)

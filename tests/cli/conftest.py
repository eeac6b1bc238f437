"""A folder of photos and one run trained on it, shared by all tests of the command line; none may change them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import Done, finegraft
from tests.making import folder_of_photos


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of ten photos."""
    return folder_of_photos(tmp_path_factory.mktemp("cli") / "photos", {"rose": 10, "tulip": 10})


@pytest.fixture(scope="session")
def training(photos: Path, surroundings: Path) -> tuple[Path, Done]:
    """The RUN folder, and what `train --json` said."""
    run = photos.parent / "run"
    return run, finegraft("train", photos, "-o", run, "--epochs", "3", "--head", "linear", "--json")


@pytest.fixture(scope="session")
def run(training: tuple[Path, Done]) -> Path:
    """A finished run on `photos`."""
    path, done = training
    assert done.code == 0, done.err
    return path


@pytest.fixture(scope="session")
def rose(photos: Path) -> Path:
    """One photo of a rose."""
    return sorted((photos / "rose").iterdir())[0]

"""One run for all tests of exports; none may change it."""

from __future__ import annotations

from pathlib import Path

import pytest

from finegraft.evaluation.run import Run
from tests.cli.running import finegraft
from tests.making import folder_of_photos


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, surroundings: Path) -> Run:
    """Three classes of eight photos, at 64 pixels, with a head that has a hidden layer."""
    place = tmp_path_factory.mktemp("exporting")
    photos = folder_of_photos(place / "photos", dict.fromkeys(("daisy", "rose", "tulip"), 8))
    done = finegraft("train", photos, "-o", place / "run", "--size", "64", "--head", "mlp", "--epochs", "4")
    assert done.code == 0, done.err
    return Run.open(place / "run")

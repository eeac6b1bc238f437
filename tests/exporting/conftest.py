"""One run for all tests of exports, which none may change, and what runs a graph in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from finegraft.evaluation.run import Run
from finegraft.exporting import web_runtime as fetching
from tests.cli.running import finegraft
from tests.conftest import ROOT, skip_or_fail
from tests.making import folder_of_photos


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, surroundings: Path) -> Run:
    """Three classes of eight photos, at 64 pixels, with a head that has a hidden layer."""
    place = tmp_path_factory.mktemp("exporting")
    photos = folder_of_photos(place / "photos", dict.fromkeys(("daisy", "rose", "tulip"), 8))
    done = finegraft("train", photos, "-o", place / "run", "--size", "64", "--head", "mlp", "--epochs", "4")
    assert done.code == 0, done.err
    return Run.open(place / "run")


@pytest.fixture(scope="session")
def web_runtime(surroundings: Path) -> None:
    """onnxruntime-web in this session's cache, where exports find it: no test may fetch it."""
    if not (ROOT / "node_modules" / fetching.PACKAGE).is_dir():
        skip_or_fail(f"{fetching.PACKAGE} is not in node_modules (make web-runtime)")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        fetching.files()

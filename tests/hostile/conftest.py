"""Every kind laid once, as two classes of a folder: what is broken, and what is odd but good."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile import KINDS
from tests.hostile.kind import Kind
from tests.inference.making import predictor


@pytest.fixture(scope="session")
def laid(tmp_path_factory: pytest.TempPathFactory) -> dict[Kind, Path]:
    """The kinds that this machine can have, and where they lie. No test may change them."""
    root = tmp_path_factory.mktemp("hostile") / "photos"
    paths = {}
    for kind in KINDS:
        folder = root / ("broken" if kind.code else "odd")
        folder.mkdir(parents=True, exist_ok=True)
        if path := kind.put(folder):
            paths[kind] = path
    return paths


@pytest.fixture(scope="session")
def root(laid: dict[Kind, Path]) -> Path:
    """The folder with the two classes."""
    return next(iter(laid.values())).parent.parent


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model."""
    path = tmp_path_factory.mktemp("bundle") / "small.fg"
    predictor().save(path)
    return path

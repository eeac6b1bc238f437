"""A small predictor over real photos, and its bundle taken apart and put together again wrongly."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from finegraft.inference.predictor import Description, Predictor
from finegraft.targets import Category
from finegraft.vision.preprocess import Preprocess
from tests.graphs import small_graph

LABELS = ("ant", "Bee", "cat fish")


def description(**changes: Any) -> Description:
    described: dict[str, Any] = {
        "modality": "vision",
        "backbone": {"name": "lite0", "source": "a package", "licence": "Apache-2.0", "paper": "Tan and Le, 2019"},
        "metrics": {"accuracy": {"value": 0.91, "interval": [0.88, 0.94]}, "ece": {"value": 0.02, "interval": None}},
        "n_train": 120,
        "n_judged": 30,
        "judged_on": "held-out",
        **changes,
    }
    return described  # type: ignore[return-value]


def predictor(labels: tuple[str, ...] = LABELS, **options: Any) -> Predictor:
    graph = options.pop("graph", None) or small_graph(len(labels))
    described = options.pop("description", None) or description()
    return Predictor(graph, Preprocess(size=8), Category(labels), described, **options)


def entries_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rezipped(path: Path, entries: dict[str, bytes]) -> Path:
    """The entries as any other program would zip them."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def changed(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The bundle at `path` with its model.json changed."""
    entries = entries_of(path)
    stored = json.loads(entries["model.json"])
    change(stored)
    return rezipped(path, entries | {"model.json": json.dumps(stored).encode()})

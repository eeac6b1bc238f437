"""A finished run, small enough to make in every test."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from finegraft.data.dataset import Dataset
from finegraft.data.record import Record
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.run import Run
from finegraft.targets import Category

FLOWERS = Category(("rose", "tulip"))


def finished(path: Path, data: Path | str = "flowers") -> Run:
    """A complete run with one judged record."""
    run = Run.create(path)
    records = (Record("a.jpg", "00", "rose", "held-out"), Record("b.jpg", "01", None, None, "unreadable: cut short"))
    run.write_dataset(Dataset(records, Path(data), "vision"))
    run.write_evaluation(Evaluation(("a.jpg",), FLOWERS, np.array([0]), np.array([[0.75, 0.25]])))
    run.write_settings({"data": str(data), "modality": "vision", "target": FLOWERS.to_json(), "seed": 3})
    return run

"""Runs and evaluations to report on, made on the spot through the real classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from finegraft.data.dataset import Dataset
from finegraft.data.record import Record
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.run import Run
from finegraft.targets import Category
from tests.making import photo

HOSTILE = ("<script>alert(1)</script>", "quote\"&'<b>", "ورد أحمر", "a\u202eb\x00c", "名前" * 40)


def evaluation_of(
    labels: Sequence[str], n: int = 120, right: float = 0.85, seed: int = 0, keys: Sequence[str] = ()
) -> Evaluation:
    """An evaluation of `n` records, every class occurring, about the share `right` of them right."""
    rng = np.random.default_rng(seed)
    k = len(labels)
    truth = np.concatenate([np.arange(k), rng.integers(0, k, max(n - k, 0))])[: max(n, 1)]
    answers = np.where(rng.random(len(truth)) < right, truth, rng.integers(0, k, len(truth)))
    scores = rng.normal(0, 1, (len(truth), k))
    scores[np.arange(len(truth)), answers] += 4
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    names = tuple(keys) or tuple(f"test/{labels[t]}/{i:04d}.jpg" for i, t in enumerate(truth))
    return Evaluation(names, Category(tuple(labels)), truth, probabilities)


def history_of(epochs: int) -> list[dict[str, Any]]:
    """Rows of a log whose error is lowest two epochs before the end."""
    return [
        {
            "epoch": e,
            "train_loss": 2.0 / e,
            "valid_loss": 1.0 + 0.1 * abs(e - (epochs - 2)),
            "error_rate": 0.1 + 0.01 * abs(e - (epochs - 2)),
            "seconds": 0.5,
            "stage": "head",
        }
        for e in range(1, epochs + 1)
    ]


def finder_curve() -> dict[str, Any]:
    """A textbook curve: flat, falling, lowest at 0.01, then gone."""
    lrs = np.logspace(-6, 0, 60)
    losses = 2.0 - 1.5 / (1 + np.exp(-4 * (np.log10(lrs) + 3.2))) + np.exp(3 * (np.log10(lrs) + 1.2))
    return {
        "lrs": lrs.tolist(),
        "losses": losses.tolist(),
        "suggestion": 1.5e-3,
        "rule": "valley",
        "reason": "it falls",
    }


def settings_of(root: Path, evaluation: Evaluation, **changed: Any) -> dict[str, Any]:
    """What a training writes to run.json."""
    return {
        "finegraft": "0.1.0",
        "created": "2026-09-01T10:21:33+00:00",
        "command": "finegraft train photos -o run",
        "data": str(root),
        "modality": "vision",
        "target": evaluation.target.to_json(),
        "backbone": {"name": "lite0", "licence": "Apache-2.0", "digest": "0123456789abcdef"},
        "preprocess": {"size": 224, "mean": [0.5, 0.5, 0.5]},
        "settings": {"seed": 0, "epochs": 8, "lr": 0.0015, "mixup": False, "weights": None},
        "environment": {"python": "3.12.0", "packages": {"numpy": "2.0"}},
        "engine": "onnxruntime",
        "threads": 2,
        "n_train": 480,
        "n_judged": len(evaluation),
        "judged_on": "test",
        "metrics": evaluation.summary_json()["metrics"],
        "temperature": 1.07,
        "unsure_below": 0.55,
        "seconds": {"features": 12.5, "train": 3.25, "total": 15.75},
        "findings": {"unreadable": 1, "exact-copy": 1},
        "finding_rows": [{"key": "b.jpg", "other": "a.jpg", "kind": "exact-copy", "score": 1.0, "note": "Same bytes."}],
        "model_digest": "fedcba9876543210",
        **changed,
    }


def run_of(
    path: Path, labels: Sequence[str], *, photos: bool = True, left_out: Sequence[tuple[str, str]] = (), **changed: Any
) -> Run:
    """A complete run in `path`/run; the judged photos lie in `path`/data where `photos`."""
    root = path / "data"
    evaluation = evaluation_of(labels, keys=[f"test/{i:03d}.jpg" for i in range(40)], n=40)
    (root / "test").mkdir(parents=True)
    judged = {j.key for j in evaluation.top_losses(12)}
    for i, key in enumerate(evaluation.keys):
        if photos and key in judged:
            (root / key).write_bytes(photo(i, orientation=6))
    names = [evaluation.labels[t] for t in evaluation.truth]
    records = [
        Record(k, f"{i:032x}", label, "test") for i, (k, label) in enumerate(zip(evaluation.keys, names, strict=True))
    ]
    records += [Record(f"train/{i}.jpg", f"t{i}", labels[i % len(labels)], "train") for i in range(48)]
    records += [Record(key, "", None, None, reason) for key, reason in left_out]
    run = Run.create(path / "run")
    run.write_dataset(Dataset(tuple(records), root, "vision"))
    run.write_evaluation(evaluation)
    for row in history_of(8):
        run.log(row)
    run.write_lr_curve(finder_curve())
    run.write_settings(settings_of(root, evaluation, **changed))
    return run

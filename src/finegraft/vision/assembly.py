"""A vision learner, put together from its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from finegraft.data.dataset import Dataset
from finegraft.data.findings import Finding
from finegraft.errors import DataError, UsageError
from finegraft.evaluation.kinds import check_metric
from finegraft.features.extract import Features
from finegraft.features.store import Store, opened
from finegraft.models import backbones
from finegraft.models.heads import HeadKind
from finegraft.training.class_weights import Wanted
from finegraft.training.confidence import WANTED_ERROR
from finegraft.training.learnable import target_of
from finegraft.training.learner import Learner
from finegraft.training.mixing import How
from finegraft.training.tuning import Manner
from finegraft.vision import sets
from finegraft.vision.body import Progress, View, body, features_of
from finegraft.vision.changing import Changing
from finegraft.vision.grafting import PhotoGrafting
from finegraft.vision.preprocess import Resize


def learner(
    data: Dataset,
    backbone: str = backbones.DEFAULT,
    *,
    weights: str | None = None,
    size: int | None = None,
    resize: Resize = "crop",
    head: HeadKind | Literal["auto"] = "auto",
    seed: int = 0,
    batch_size: int | None = None,
    class_weights: Wanted = "auto",
    wanted_error: float = WANTED_ERROR,
    metric: str | None = None,
    mirror: bool = False,
    engine: str = "auto",
    device: str = "auto",
    augment: str = sets.DEFAULT,
    mix: How | None = None,
    optimizer: str = "adamw",
    workers: int | None = None,
    resize_from: int | None = None,
    store: Store | None = None,
    progress: Progress | None = None,
    show: bool = True,
) -> Learner:
    """A learner of the labels of `data` on the features of `backbone`.

    Features come from `store` (default: the cache folder) and are computed where missing, by `engine`: OpenVINO or
    ONNX Runtime, or torch where `device` is a CUDA card. `mirror` learns from every photo's mirror image too, at
    twice the time for features; on clothing, pets and bears it changed nothing that could be measured. Where the
    network learns too, photos are changed by `augment` (`finegraft.vision.sets`), mixed in pairs by `mix` ("mixup" or
    "cutmix"), shown at `resize_from` pixels first and ever larger (`finegraft.vision.growing`), learned from by
    `optimizer` (`finegraft.training.optimizers`), and read by `workers` threads (see `PhotoGrafting`).
    Photos that turn out unreadable are left out with a finding. Raises what `backbones.find` and `Learner` raise, and
    `UsageError` for an unknown `augment`, `mix` or `optimizer`, or a `resize_from` that the backbone cannot take.
    """
    changes, manner = sets.find(augment), Manner(mix, optimizer)
    target = target_of(data)  # what cannot be learned is told before the features are computed
    if metric is not None:
        check_metric(metric, target)
    device = _device(device)
    with opened(store) as keeper:
        grafted = body(backbone, keeper, weights, size, resize, engine=engine, device=device)
        origin = PhotoGrafting(grafted, data.root, Changing(grafted.preprocess, seed, changes), workers, resize_from)
        wanted: tuple[View, ...] = ("plain", "mirrored") if mirror else ("plain",)
        views = [features_of(data.usable, data.root, grafted, keeper, progress, view) for view in wanted]
    data, (values, *others) = _without_failed(data, views)
    return Learner(
        data,
        values,
        origin,
        head=head,
        seed=seed,
        batch_size=batch_size,
        class_weights=class_weights,
        wanted_error=wanted_error,
        metric=metric,
        manner=manner,
        mirrored=others[0] if others else None,
        device=grafted.device,  # an engine of processors computes there, whatever else is at hand
        show=show,
    )


def _without_failed(data: Dataset, views: Sequence[Features]) -> tuple[Dataset, list[np.ndarray]]:
    """The dataset with the records that failed in any view left out, and every view's features of the others."""
    failed = {row: error for view in views for row, error in view.failed.items()}
    if not failed:
        return data, [view.values for view in views]
    usable = data.usable
    reasons = {usable[row].key: error for row, error in failed.items()}
    records = tuple(replace(r, left_out=reasons[r.key].reason) if r.key in reasons else r for r in data.records)
    findings = tuple(Finding(key, error.code, 1.0, error.reason) for key, error in reasons.items())
    rest = replace(data, records=records, findings=data.findings + findings)
    if not rest.usable:
        raise DataError("None of the photos can be read any more.", "Check that the folder is still there.")
    good = [row for row in range(len(usable)) if row not in failed]
    return rest, [view.values[good] for view in views]


def _device(wanted: str) -> str:
    """The device to compute on: "auto" means a CUDA card where there is one."""
    if wanted not in {"auto", "cpu", "cuda"}:
        raise UsageError(f"There is no device called {wanted!r}.", "Known: auto, cpu, cuda.")
    if wanted == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if wanted == "cuda":
        raise UsageError("There is no CUDA device here.", "Use --device cpu.")
    return "cpu"

"""A vision learner and the backbone's own predictor, put together from their parts."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from finegraft.data.contents import digest_of, read_content
from finegraft.data.dataset import Dataset
from finegraft.data.findings import Finding
from finegraft.data.record import Record
from finegraft.errors import DataError, UnreadableFile, UsageError
from finegraft.features.extract import Features, extract, feature_key
from finegraft.features.store import Store, opened
from finegraft.inference.predictor import Description, Predictor
from finegraft.models import backbones, graph
from finegraft.models.backbones import Backbone
from finegraft.models.graph import Layers
from finegraft.models.heads import HeadKind
from finegraft.runtimes import Runtime, choose, open_graph
from finegraft.runtimes.cpus import usable_cpus
from finegraft.targets import Category
from finegraft.training.learner import Learner, target_of
from finegraft.vision.preprocess import Interpolation, Preprocess, Resize

_GRAPHS = "graphs"
Progress = Callable[[int, int], None]
View = Literal["plain", "mirrored"]


@dataclass(frozen=True)
class Body:
    """A backbone ready to use: its graph, how photos must look for it, and what runs it.

    `engine` is "openvino", "onnxruntime", or "torch" on `device`.
    """

    backbone: Backbone
    preprocess: Preprocess
    graph: bytes
    engine: str
    device: str = "cpu"

    @functools.cached_property
    def digest(self) -> str:
        """Hex digest of the graph: weights, architecture, taps and normalisation in one."""
        return hashlib.blake2b(self.graph, digest_size=16).hexdigest()

    def open(self) -> Runtime:
        """What computes features, on all processors or on the card."""
        if self.engine == "torch":
            from finegraft.models.network import build
            from finegraft.runtimes.torch import Torch

            return Torch(build(self.backbone, self.preprocess.size), self.device, ("scores", "features", "map"))
        return open_graph(self.graph, self.engine, threads=usable_cpus(), streams=usable_cpus())

    def describe(self) -> dict[str, Any]:
        """For run.json."""
        return {
            "backbone": self.backbone.row(),
            "preprocess": self.preprocess.to_json(),
            "engine": self.engine,
            "threads": usable_cpus(),
        }

    def predictor(self, layers: Layers, learner: Learner) -> Predictor:
        """This backbone with a trained head behind it."""
        evaluation = learner.evaluate()
        return Predictor(
            graph.with_head(self.graph, layers),
            self.preprocess,
            learner.target,
            Description(
                modality="vision",
                backbone=self.backbone.row(),
                metrics=evaluation.summary_json()["metrics"],
                n_train=len(learner.data.part("train")),
                n_judged=len(evaluation),
                judged_on=learner.data.judged_on,
            ),
            temperature=learner.calibration.temperature,
            unsure_below=learner.calibration.unsure_below,
        )


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
    mirror: bool = False,
    engine: str = "auto",
    device: str = "auto",
    store: Store | None = None,
    progress: Progress | None = None,
    show: bool = True,
) -> Learner:
    """A learner of the classes of `data` on the features of `backbone`.

    Features come from `store` (default: the cache folder) and are computed where missing, by `engine`: OpenVINO or
    ONNX Runtime, or torch where `device` is a CUDA card. `mirror` learns from every photo's mirror image too, at
    twice the time for features; on clothing, pets and bears it changed nothing that could be measured. Photos that
    turn out unreadable are left out with a finding. Raises what `backbones.find` and `Learner` raise.
    """
    target_of(data)  # what cannot be learned is told before the features are computed
    device = _device(device)
    with opened(store) as keeper:
        grafted = body(backbone, keeper, weights, size, resize, engine=engine, device=device)
        wanted: tuple[View, ...] = ("plain", "mirrored") if mirror else ("plain",)
        views = [features_of(data.usable, data.root, grafted, keeper, progress, view) for view in wanted]
    data, (values, *others) = _without_failed(data, views)
    return Learner(
        data,
        values,
        grafted,
        head=head,
        seed=seed,
        batch_size=batch_size,
        mirrored=others[0] if others else None,
        device=device,
        show=show,
    )


def pretrained(backbone: str = backbones.DEFAULT, store: Store | None = None, engine: str = "auto") -> Predictor:
    """The backbone itself as a predictor of its own classes, ImageNet's 1,000. Nothing is trained.

    Raises `UsageError` for a backbone without classes of its own.
    """
    row = backbones.find(backbone)
    if row.classes != "imagenet":
        raise UsageError(f"The backbone {backbone} has no classes of its own.", "Use lite0, lite2 or timm:NAME.")
    with opened(store) as keeper:
        native = body(backbone, keeper, size=row.size, crop=row.crop)
    return Predictor(
        native.graph,
        native.preprocess,
        Category(backbones.imagenet_labels()),
        Description(modality="vision", backbone=row.row(), metrics={}, n_train=None, n_judged=None, judged_on=None),
        engine=engine,
    )


def body(
    backbone: str,
    store: Store,
    weights: str | None = None,
    size: int | None = None,
    resize: Resize = "crop",
    crop: float = 1.0,
    engine: str = "auto",
    device: str = "cpu",
) -> Body:
    """The backbone called `backbone` with its graph, from the store or made now.

    `size` in pixels (default: the row's for grafting). `crop` is the share of the shorter side that the middle square
    keeps: all of it for grafting, where it is better than the usual 7/8 (`python -m benchmarks.choices view`).
    """
    row = backbones.find(backbone, weights)
    size = size or row.graft_size
    preprocess = Preprocess(size, resize, crop, cast(Interpolation, row.interpolation), row.mean, row.std)
    decides = (row.architecture, row.taps, size, row.mean, row.std, graph.GRAPH_VERSION)
    key = feature_key(row.digest, *map(str, decides))
    made = store.get(_GRAPHS, key)
    if made is None:
        made = graph.body_graph(row, size)
        store.put(_GRAPHS, key, made)
    return Body(row, preprocess, made, _engine(engine, device, row), device)


def features_of(
    records: Sequence[Record],
    root: Path,
    grafted: Body,
    store: Store,
    progress: Progress | None = None,
    view: View = "plain",
) -> Features:
    """Features of `records` in order, from the store where they are known; `view` "mirrored" is left to right."""
    what = (grafted.digest, grafted.preprocess.digest, view, grafted.engine, "float32")

    def load(record: Record) -> np.ndarray:
        photo = grafted.preprocess.load(_content(root, record))
        return photo if view == "plain" else np.ascontiguousarray(photo[:, ::-1])

    return extract(
        records,
        [feature_key(record.digest, *what) for record in records],
        load,
        grafted.open,
        store,
        progress,
    )


def _engine(wanted: str, device: str, row: Backbone) -> str:
    frozen = row.architecture == "onnx"  # a graph without a module behind it
    if wanted == "torch" and frozen:
        raise UsageError(f"The engine 'torch' cannot run {row.name}.", "Use --engine onnxruntime or openvino.")
    if wanted == "torch" or (wanted == "auto" and device == "cuda" and not frozen):
        return "torch"
    return choose(wanted, "throughput")


def _content(root: Path, record: Record) -> bytes:
    content = read_content(root / record.key)
    if digest_of(content) != record.digest:  # its features would be remembered under another photo's name
        raise UnreadableFile("unreadable", "The file changed after it was checked.")
    return content


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

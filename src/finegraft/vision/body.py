"""A backbone made ready for photos: its graph, the features it gives, and itself as a predictor. Needs no torch.

Torch is loaded only where the graph must first be made, or where torch is the engine.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from finegraft.data.contents import digest_of, read_content
from finegraft.data.record import Record
from finegraft.errors import BackboneError, DataError, MissingExtra, UnreadableFile, UsageError
from finegraft.features.extract import Features, extract, feature_key
from finegraft.features.store import Store, opened
from finegraft.inference import drift
from finegraft.inference.predictor import Description, Predictor
from finegraft.modality import Network
from finegraft.models import backbones, graph
from finegraft.models.backbones import Backbone
from finegraft.models.graph import Layers
from finegraft.runtimes import Runtime, choose, open_graph
from finegraft.runtimes.cpus import usable_cpus
from finegraft.targets import Category
from finegraft.vision.preprocess import Interpolation, Preprocess, Resize

if TYPE_CHECKING:
    from torch import Tensor

    from finegraft.models.network import Extractor
    from finegraft.training.learner import Learner

_GRAPHS = "graphs"
Progress = Callable[[int, int], None]
View = Literal["plain", "mirrored"]


@dataclass(frozen=True)
class Body:
    """A backbone ready to use: its graph, how photos must look for it, and what runs it.

    `engine` is "openvino", "onnxruntime", or "torch"; `device` is where it runs: only torch knows another than "cpu".
    `tuned` are the weights of the whole body where it has learned since; the graph holds the same.
    """

    backbone: Backbone
    preprocess: Preprocess
    graph: bytes
    engine: str
    device: str = "cpu"
    tuned: Mapping[str, Tensor] | None = field(default=None, repr=False, compare=False)

    @functools.cached_property
    def digest(self) -> str:
        """Hex digest of the graph: weights, architecture, taps and normalisation in one."""
        return digest_of(self.graph)

    def open(self) -> Runtime:
        """What computes features, on all processors or on the card."""
        if self.engine == "torch":
            from finegraft.runtimes.torch import Torch

            return Torch(self.extractor(), self.device, ("scores", "features", "map"))
        return open_graph(self.graph, self.engine, threads=usable_cpus(), streams=usable_cpus())

    def extractor(self, size: int | None = None) -> Extractor:
        """A torch module of its own that answers as the graph does, for photos of `size` pixels (default: its own)."""
        from finegraft.models.network import build

        extractor = build(self.backbone, size or self.preprocess.size)
        if self.tuned is not None:
            extractor.body.load_state_dict(dict(self.tuned))
        return extractor

    def describe(self) -> dict[str, Any]:
        """For run.json."""
        return {
            "backbone": self.backbone.row(),
            "preprocess": self.preprocess.to_json(),
            "engine": self.engine,
            "threads": usable_cpus(),
            "device": self.device,
        }

    def predictor(self, layers: Layers, learner: Learner) -> Predictor:
        """This backbone with a trained head behind it."""
        evaluation = learner.evaluate()
        described = Description(
            modality="vision",
            backbone={**self.backbone.row(), **({} if self.tuned is None else {"fine_tuned": True})},
            metrics=evaluation.summary_json()["metrics"],
            n_train=len(learner.data.part("train")),
            n_judged=len(evaluation),
            judged_on=learner.data.judged_on,
        )
        if (scores := drift.usual(drift.figures(evaluation))) is not None:
            described["scores"] = scores
        network = graph.with_head(self.graph, layers, learner.calibration.novelty)
        return Predictor(network, self.preprocess, learner.target, described, **learner.calibration.certainty)


def body(
    backbone: str,
    store: Store,
    weights: str | None = None,
    size: int | None = None,
    resize: Resize = "crop",
    crop: float | None = None,
    engine: str = "auto",
    device: str = "cpu",
) -> Body:
    """The backbone called `backbone` with its graph, from the store or made now.

    `size` in pixels (default: the row's for grafting). `crop` is the share of the shorter side that the middle square
    keeps. Its default is what the user wrote beside an .onnx file, and all of it for other backbones: for grafting
    that is better than the usual 7/8 (`python -m benchmarks.choices view`).
    """
    row = backbones.find(backbone, weights)
    size = size or row.graft_size
    if crop is None:
        crop = row.crop if row.kind == "onnx" else 1.0
    preprocess = Preprocess(size, resize, crop, cast(Interpolation, row.interpolation), row.mean, row.std)
    decides = (row.architecture, row.taps, size, row.mean, row.std, graph.GRAPH_VERSION)
    key = feature_key(row.digest, *map(str, decides))
    made = store.get(_GRAPHS, key)
    if made is None:
        made = graph.body_graph(row, size)
        store.put(_GRAPHS, key, made)
    engine = _engine(engine, device, row)
    return Body(row, preprocess, made, engine, device if engine == "torch" else "cpu")


def features_of(
    records: Sequence[Record],
    root: Path,
    grafted: Body,
    store: Store,
    progress: Progress | None = None,
    view: View = "plain",
) -> Features:
    """Features of `records` in order, from the store where they are known; `view` "mirrored" is left to right."""
    # Cards and processors add up in another order: the last digits differ, so neither's features pass as the other's.
    engine = f"torch-{grafted.device}" if grafted.engine == "torch" else grafted.engine
    what = (grafted.digest, grafted.preprocess.digest, view, engine, "float32")

    def load(record: Record) -> np.ndarray:
        photo = grafted.preprocess.load(content_of(root, record))
        return photo if view == "plain" else np.ascontiguousarray(photo[:, ::-1])

    return extract(
        records,
        [feature_key(record.digest, *what) for record in records],
        load,
        grafted.open,
        store,
        progress,
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


def network(backbone: str, stored: dict[str, Any]) -> Network:
    """The network of a backbone in an installed package for photos of the `stored` preprocess, from the cache or made
    now.

    The name may come from a stranger's bundle, so no other backbone is looked for: neither a file nor one that must be
    fetched. Raises `BackboneError` where there is none, and `MissingExtra` where it must be made and torch is not
    installed.
    """
    if backbone not in backbones.EMBEDDED:
        raise BackboneError(f"No package brings a backbone called {backbone!r}.", "Ask for a bundle that is whole.")
    with opened(None) as keeper:
        try:
            made = body(backbone, keeper, size=Preprocess.from_json(stored).size)
        except ModuleNotFoundError as error:
            raise MissingExtra("train", "Making a backbone's network") from error
    return Network(made.graph, made.backbone.digest)


def _engine(wanted: str, device: str, row: Backbone) -> str:
    frozen = row.kind == "onnx"  # a graph without a module behind it
    if wanted == "torch" and frozen:
        raise UsageError(f"The engine 'torch' cannot run {row.name}.", "Use --engine onnxruntime or openvino.")
    if wanted == "torch" or (wanted == "auto" and device == "cuda" and not frozen):
        return "torch"
    return choose(wanted, "throughput")


def gone(record: Record, error: UnreadableFile) -> DataError:
    """What to say of a photo that was read before and cannot be read while it is learned from."""
    return DataError(
        f"{record.key} could be read before, and cannot be now: {error.reason}",
        "Check that nothing changes the photos while they are learned from.",
    )


def content_of(root: Path, record: Record) -> bytes:
    """The bytes of a record. Raises `UnreadableFile` where they are not those that were checked."""
    content = read_content(root / record.key)
    if digest_of(content) != record.digest:  # its features would be remembered under another photo's name
        raise UnreadableFile("unreadable", "The file changed after it was checked.")
    return content

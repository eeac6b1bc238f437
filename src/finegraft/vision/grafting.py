"""Where the features of photos come from, and how the backbone that gives them may learn: a `trunks.Grafting`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from finegraft.data.record import Record
from finegraft.errors import UnreadableFile, UsageError
from finegraft.features.store import Store
from finegraft.inference.predictor import Predictor
from finegraft.models import cut as cutting
from finegraft.models.graph import Layers
from finegraft.models.groups import layer_groups
from finegraft.runtimes.cpus import usable_cpus
from finegraft.training.loaders import Feed
from finegraft.training.trunks import Trunk
from finegraft.vision import batch_picture, growing
from finegraft.vision.body import Body, View, content_of, features_of, gone
from finegraft.vision.changing import Changing
from finegraft.vision.upper_trunk import UpperTrunk
from finegraft.vision.whole_trunk import WholeTrunk

if TYPE_CHECKING:
    from finegraft.training.learner import Learner


@dataclass(frozen=True)
class PhotoGrafting:
    """`body` for the photos in `root`, which are learned from as `changing` changes them.

    `workers` threads decode and change them (default: one for each processor, two where they also compute maps). With
    `resize_from` training begins with photos of so many pixels (`finegraft.vision.growing`). Raises `UsageError` where
    the backbone cannot take these.
    """

    body: Body
    root: Path
    changing: Changing
    workers: int | None = None
    resize_from: int | None = None

    def __post_init__(self) -> None:
        growing.check(self.resize_from, self.changing.size, self.body.backbone)

    def predictor(self, layers: Layers, learner: Learner) -> Predictor:
        """The backbone with a trained head behind it."""
        return self.body.predictor(layers, learner)

    def describe(self) -> dict[str, Any]:
        """For run.json."""
        return {**self.body.describe(), "augment": self.changing.augmentation.name}

    def features(self, records: Sequence[Record], mirrored: bool = False) -> np.ndarray:
        """Features float32 (n, d) of `records`, or of their mirror images; remembered by nobody."""
        with Store.in_memory() as store:
            view: View = "mirrored" if mirrored else "plain"
            found = features_of(records, self.root, self.body, store, view=view)
        for row, error in found.failed.items():
            raise gone(records[row], error)
        return found.values

    def changed(self, record: Record, view: int, side: int | None = None) -> np.ndarray:
        """View number `view` of a photo, as it is learned from: uint8 (side, side, 3), by default of full size."""
        changing = self.changing if side is None else self.changing.of_size(side)
        return changing.load(content_of(self.root, record), record.digest, view)

    def fed(self, by_side: Callable[[int], Feed], epochs: int | None) -> Feed:
        """What `by_side` makes for photos of a size: of full size, or of ever larger ones over so many epochs."""
        if self.resize_from is None or epochs is None:
            return by_side(self.changing.size)
        return growing.Growing(by_side, self.resize_from, self.changing.size, epochs)

    def efforts(self, epochs: int) -> list[float]:
        """What learning from each of so many epochs costs, in parts of one that shows photos of full size."""
        size = self.changing.size
        shown = [size] * epochs if self.resize_from is None else growing.sides(self.resize_from, size, epochs)
        return [(side / size) ** 2 for side in shown]

    def unchanged(self, record: Record, view: int) -> np.ndarray:  # noqa: ARG002 - as `changed` has it
        """A photo as it is judged: uint8 (size, size, 3)."""
        return self.body.preprocess.load(content_of(self.root, record))

    def show(self, records: Sequence[Record], path: Path, changed: bool) -> None:
        """Write a picture of `records` as the model sees them: `changed`, or as they are judged."""
        load, shown = (self.changed if changed else self.unchanged), records[: batch_picture.MOST]
        batch_picture.write([load(record, 1) for record in shown], [record.label for record in shown], path)

    def unchanged_many(self, records: Sequence[Record], side: int) -> list[np.ndarray]:
        """Photos as they are judged but of `side` pixels, each uint8 (side, side, 3), read by several threads."""
        preprocess = replace(self.body.preprocess, size=side)

        def load(record: Record) -> np.ndarray:
            try:
                return preprocess.load(content_of(self.root, record))
            except UnreadableFile as error:
                raise gone(record, error) from error

        threads = usable_cpus() if self.workers is None else max(1, self.workers)
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(load, records))

    @property
    def usual(self) -> int:
        """What lies above the cut on a processor; on a card, of random weights, or where there is no cut, all of it."""
        self._must_be_able_to_learn()
        if self.body.device != "cpu" or not self.body.backbone.pretrained or self._cut is None:
            return 0
        return self._groups - self._upper

    def trunk(self, n: int) -> tuple[Trunk, int]:
        """A trunk in which the groups from `n` on may learn, and how many groups lie below it.

        A short one on stored maps where all of them lie above the cut, else the whole.
        """
        self._must_be_able_to_learn()
        groups = self._groups + 1  # the head is one more
        if not -groups <= n < groups:
            raise UsageError(f"There are {groups} groups of layers, so none can be number {n}.")
        if self.body.device == "cpu" and self._cut is not None:
            below = self._groups - self._upper
            if n % groups >= below:
                return UpperTrunk(self, self._cut), below
        return WholeTrunk(self), 0

    def _must_be_able_to_learn(self) -> None:
        if not self.body.backbone.can_learn:
            raise UsageError(self.body.backbone.cannot_learn, "Use lite0, lite2 or timm:NAME to fine-tune.")

    def with_body(self, body: Body) -> PhotoGrafting:
        """The same photos on another backbone."""
        return replace(self, body=body)

    @functools.cached_property
    def _halves(self) -> tuple[str, cutting.Lower, cutting.Upper] | None:
        """Where the backbone may be cut in two, and both parts; None where it is no chain."""
        return cutting.halves(self.body.extractor, self.body.preprocess.size)

    @property
    def _cut(self) -> str | None:
        return None if self._halves is None else self._halves[0]

    @functools.cached_property
    def _groups(self) -> int:
        """Groups of layers of the whole backbone, without the head."""
        return len(layer_groups(self.body.extractor().body))

    @functools.cached_property
    def _upper(self) -> int:
        """Those of them that lie above the cut."""
        return 0 if self._halves is None else len(layer_groups(self._halves[2].extractor.body))

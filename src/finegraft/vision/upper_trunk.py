"""The upper part of a backbone, learning from stored maps of what lies below: the way on a processor."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from finegraft.data.record import Record
from finegraft.models import cut as cutting
from finegraft.models import graph
from finegraft.models.groups import Group, layer_groups
from finegraft.runtimes import Runtime, open_graph
from finegraft.runtimes.cpus import usable_cpus
from finegraft.runtimes.torch import Torch
from finegraft.training.loaders import Feed
from finegraft.vision.maps import MapBatches, computed
from finegraft.vision.settling import settled

if TYPE_CHECKING:
    from finegraft.vision.grafting import PhotoGrafting

# Photos in one forward pass when nothing is learned.
_JUDGED_AT_ONCE = 64


class UpperTrunk:
    """A `finegraft.training.trunks.Trunk`: what lies above `cut` in the backbone of `origin`.

    The maps at the cut are computed by the engine that computes features.
    """

    views = 8  # as many as a plan without a wish may have epochs; each costs as much as reading all photos anew

    def __init__(self, origin: PhotoGrafting, cut: str) -> None:
        self._origin = origin
        self._cut = cut
        self._runtimes: dict[int, Runtime] = {}
        self._known: dict[tuple[str, ...], cutting.Maps] = {}
        upper = cutting.Upper(origin.body.extractor(), cut, origin.body.preprocess.size).eval()
        self._upper = upper.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def network(self) -> nn.Module:
        """Maps of a mini-batch -> features (n, d)."""
        network: nn.Module = self._upper
        return network

    @property
    def pretrained(self) -> bool:
        """Whether the backbone's weights are not random."""
        return self._origin.body.backbone.pretrained

    def groups(self) -> list[Group]:
        """The parameters above the cut, in groups from the lowest to the highest."""
        return layer_groups(self._upper.extractor.body)

    def feed(
        self, records: Sequence[Record], truth: Tensor, batch_size: int, seed: int, epochs: int | None = None
    ) -> Feed:
        """Mini-batches of maps of changed views of `records`."""
        origin, views = self._origin, self.views

        def of_size(side: int) -> MapBatches:
            load, runtime = partial(origin.changed, side=side), self._lower(side)
            return MapBatches(records, truth, batch_size, seed, views, load, runtime, origin.workers, epochs)

        return origin.fed(of_size, epochs)

    def efforts(self, epochs: int) -> list[float]:
        """What learning from each epoch costs, in parts of one of full size."""
        return self._origin.efforts(epochs)

    def features(self, records: Sequence[Record]) -> Tensor:
        """Features float32 (n, d) of `records` unchanged, by the upper part as it stands."""
        maps, below = self._unchanged(records)
        parts = zip(torch.split(maps, _JUDGED_AT_ONCE), torch.split(below, _JUDGED_AT_ONCE), strict=True)
        was_training = self._upper.training
        self._upper.eval()
        try:
            with torch.no_grad():
                return torch.cat([self._upper(part) for part in parts])
        finally:
            self._upper.train(was_training)

    def settled(self) -> PhotoGrafting:
        """The backbone with the weights as they stand, frozen again."""
        return self._origin.with_body(settled(self._origin.body, self._upper.extractor))

    def _unchanged(self, records: Sequence[Record]) -> cutting.Maps:
        """The maps of `records` unchanged; remembered, as the same few are judged after every epoch."""
        keys = tuple(record.key for record in records)
        if keys not in self._known:
            runtime = self._lower(self._origin.body.preprocess.size)
            chunk = computed(records, 0, self._origin.unchanged, runtime, self._origin.workers)
            self._known[keys] = chunk.rows(np.arange(len(records)))
        return self._known[keys]

    def _lower(self, size: int) -> Runtime:
        """What computes the maps of photos of `size` pixels."""
        if size not in self._runtimes:
            body = self._origin.body
            lower = cutting.Lower(body.extractor(size), self._cut).eval()
            if body.engine == "torch":
                self._runtimes[size] = Torch(lower, body.device, ("map", "below"))
            else:
                made = graph.lower_graph(lower, size)
                self._runtimes[size] = open_graph(made, body.engine, threads=usable_cpus(), streams=usable_cpus())
        return self._runtimes[size]

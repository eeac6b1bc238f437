"""All of a backbone, learning from the photos themselves: the way on a card, and of backbones that cannot be cut."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from finegraft.data.record import Record
from finegraft.models.groups import Group, layer_groups
from finegraft.models.network import Extractor
from finegraft.training.loaders import Feed
from finegraft.vision.device_batches import LARGER, DeviceBatches, gathered, room_for
from finegraft.vision.device_views import can_draw
from finegraft.vision.photo_batches import PhotoBatches
from finegraft.vision.preprocess import LARGEST
from finegraft.vision.settling import settled

if TYPE_CHECKING:
    from finegraft.vision.grafting import PhotoGrafting

# Photos in one forward pass when nothing is learned.
_JUDGED_AT_ONCE = 64


class Whole(nn.Module):
    """Photos (n, size, size, 3) in 0..255 -> features (n, d), all of the backbone."""

    def __init__(self, extractor: Extractor) -> None:
        super().__init__()
        self.extractor = extractor

    def forward(self, photos: Tensor) -> Tensor:
        """Run the body."""
        x = self.extractor.normalised(photos).contiguous(memory_format=torch.channels_last)
        return self.extractor.run(x)[1]


class WholeTrunk:
    """A `finegraft.training.trunks.Trunk`: all of the backbone of `origin`."""

    views = sys.maxsize  # every epoch reads the photos anyhow

    def __init__(self, origin: PhotoGrafting) -> None:
        self._origin = origin
        whole = Whole(origin.body.extractor()).eval().to(origin.body.device)
        self._whole = whole.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._kept_keys: tuple[str, ...] = ()
        self._kept = torch.empty(0)

    @property
    def network(self) -> nn.Module:
        """uint8 photos (n, size, size, 3) -> features (n, d)."""
        network: nn.Module = self._whole
        return network

    @property
    def pretrained(self) -> bool:
        """Whether the backbone's weights are not random."""
        return self._origin.body.backbone.pretrained

    def groups(self) -> list[Group]:
        """The backbone's parameters, in groups from the lowest to the highest."""
        return layer_groups(self._whole.extractor.body)

    def feed(
        self,
        records: Sequence[Record],
        truth: Tensor,
        batch_size: int,
        seed: int,
        epochs: int | None = None,
    ) -> Feed:
        """Mini-batches of changed photos of `records`; every epoch shows new views.

        On a card with room for them the photos are decoded once and changed there.
        """
        origin, device = self._origin, self._origin.body.device
        kept = self._kept_on_device(records)

        def of_size(side: int) -> Feed:
            if kept is not None:
                return DeviceBatches(records, kept, truth, batch_size, seed, origin.changing.of_size(side))
            load = partial(origin.changed, side=side)
            return PhotoBatches(records, truth, batch_size, seed, load, origin.workers, device)

        return origin.fed(of_size, epochs)

    def efforts(self, epochs: int) -> list[float]:
        """What learning from each epoch costs, in parts of one of full size."""
        return self._origin.efforts(epochs)

    def _kept_on_device(self, records: Sequence[Record]) -> Tensor | None:
        """The photos of `records`, uint8 (n, s, s, 3), where they are changed on a card and there is room for them."""
        origin, device = self._origin, self._origin.body.device
        if device == "cpu" or not can_draw(origin.changing.augmentation):
            return None
        keys = tuple(record.key for record in records)
        if keys != self._kept_keys:
            side = min(round(origin.changing.size * LARGER), LARGEST)
            self._kept, self._kept_keys = torch.empty(0), ()  # given back before it is asked how much room there is
            if not room_for(len(records), side, torch.cuda.mem_get_info()[0]):
                return None
            self._kept = gathered(records, side, origin.unchanged_many, device)
            self._kept_keys = keys
        return self._kept

    def features(self, records: Sequence[Record]) -> Tensor:
        """Features float32 (n, d) of `records` unchanged, by the network as it stands."""
        was_training = self._whole.training
        self._whole.eval()
        try:
            with torch.no_grad():
                return torch.cat([self._whole(photos).float() for photos in self._unchanged(records)])
        finally:
            self._whole.train(was_training)

    def settled(self) -> PhotoGrafting:
        """The backbone with the weights as they stand, frozen again."""
        return self._origin.with_body(settled(self._origin.body, self._whole.extractor))

    def _unchanged(self, records: Sequence[Record]) -> Iterator[Tensor]:
        body = self._origin.body
        for start in range(0, len(records), _JUDGED_AT_ONCE):
            photos = self._origin.unchanged_many(records[start : start + _JUDGED_AT_ONCE], body.preprocess.size)
            yield torch.from_numpy(np.stack(photos)).to(body.device)

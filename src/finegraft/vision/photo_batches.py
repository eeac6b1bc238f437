"""Mini-batches of photos, changed a little for every epoch: a `Feed` for a network that learns from the photos on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from finegraft.data.record import Record
from finegraft.errors import UnreadableFile
from finegraft.runtimes.cpus import usable_cpus
from finegraft.training.loaders import batches_in_order, batches_of
from finegraft.vision.body import gone

# (record, view) -> the photo as the backbone takes it.
Load = Callable[[Record, int], np.ndarray]
_AHEAD = 2  # batches that are decoded while one is learned from


@dataclass(frozen=True)
class PhotoBatches:
    """uint8 photos (b, size, size, 3) and their truth; epoch e shows view 1 + e of every record, in a new order.

    `workers` threads decode and change photos while others are learned from; with 0 that happens in between. The order
    is that of `finegraft.training.loaders.Batches`. How many work changes no bit. Raises `DataError` for a photo that
    can no longer be read.
    """

    items: Sequence[Record]
    truth: Tensor
    size: int
    seed: int
    load: Load
    workers: int | None = None
    device: str = "cpu"

    @property
    def records(self) -> int:
        """Records of an epoch."""
        return len(self.items)

    def __len__(self) -> int:
        """Batches of an epoch."""
        return batches_of(len(self.items), self.size)

    def epoch(self, number: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The mini-batches of one epoch."""
        batches = batches_in_order(len(self.items), self.size, self.seed, number)
        workers = usable_cpus() if self.workers is None else self.workers
        if workers == 0:
            for rows in batches:
                yield self._batch(rows, [self._photo(row, number + 1) for row in rows.tolist()])
            return
        pool = ThreadPoolExecutor(workers, thread_name_prefix="finegraft-photos")

        def begun(some: Sequence[Tensor]) -> list[list[Future[np.ndarray]]]:
            return [[pool.submit(self._photo, row, number + 1) for row in rows.tolist()] for rows in some]

        try:
            waiting = begun(batches[:_AHEAD])
            for at, rows in enumerate(batches):
                photos = [photo.result() for photo in waiting.pop(0)]
                waiting += begun(batches[at + _AHEAD : at + _AHEAD + 1])
                yield self._batch(rows, photos)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _photo(self, row: int, view: int) -> np.ndarray:
        record = self.items[row]
        try:
            return self.load(record, view)
        except UnreadableFile as error:
            raise gone(record, error) from error

    def _batch(self, rows: Tensor, photos: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
        inputs = torch.from_numpy(np.stack(photos))
        return inputs.to(self.device, non_blocking=True), self.truth[rows.to(self.truth.device)]

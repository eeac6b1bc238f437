"""What the lower part of a backbone says of photos, computed once and learned from many times.

The maps of a view are kept in half precision: training noise is far larger than its rounding, and 3,000 photos of 288
pixels take 220 MB. Where not all of them fit, an epoch goes through the photos in chunks and computes them anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from finegraft.data.record import Record
from finegraft.errors import DataError, UnreadableFile
from finegraft.features.pipeline import run_all
from finegraft.models.cut import Maps
from finegraft.runtimes import Runtime
from finegraft.training.loaders import batches_in_order, batches_of
from finegraft.vision.body import gone

# Bytes of maps kept at once.
KEPT = 2 * 2**30
# (record, view) -> the photo as the backbone takes it; view 0 is the plain one.
Load = Callable[[Record, int], np.ndarray]


@dataclass(frozen=True)
class Chunk:
    """Of n photos: `maps` float16 (n, c, h, w) at the cut, and `below` float32 (n, b), averages of stages below it."""

    maps: np.ndarray
    below: np.ndarray

    def rows(self, which: np.ndarray) -> Maps:
        """Those of the rows `which`, as the upper part takes them."""
        maps = torch.from_numpy(self.maps[which]).float().contiguous(memory_format=torch.channels_last)
        return maps, torch.from_numpy(self.below[which])

    @property
    def nbytes(self) -> int:
        """How much memory they take."""
        return self.maps.nbytes + self.below.nbytes


def computed(records: Sequence[Record], view: int, load: Load, runtime: Runtime, workers: int | None = None) -> Chunk:
    """The maps of one view of `records`, by `runtime`, which gives `map` and `below`.

    Raises `DataError` for a photo that can no longer be read.
    """
    maps: np.ndarray | None = None
    below: np.ndarray | None = None
    answers = run_all(records, lambda record: load(record, view), runtime, workers)
    try:
        for row, (record, outputs) in enumerate(answers):
            if isinstance(outputs, UnreadableFile):
                raise gone(record, outputs)
            if maps is None or below is None:
                maps = np.empty((len(records), *outputs["map"].shape), np.float16)
                below = np.empty((len(records), *outputs["below"].shape), np.float32)
            # Numbers beyond half precision would become infinite; none was met, and a bounded one harms nothing.
            maps[row] = outputs["map"].clip(-65504, 65504)
            below[row] = outputs["below"]
    finally:
        answers.close()
    if maps is None or below is None:
        raise DataError("There are no photos to learn from.", "Check the training part.")
    return Chunk(maps, below)


@dataclass
class MapBatches:
    """Mini-batches of maps, a `Feed`: epoch e shows view 1 + e modulo `views` of every record, in a new order.

    The order is that of `finegraft.training.loaders.Batches`. `epochs` says how many will be asked for, None where
    nobody knows. Views that are shown again are computed once where all of them fit in `keep` bytes; of more records
    than fit at all, an epoch computes one chunk after the other. Which of these it is changes no batch.
    """

    items: Sequence[Record]
    truth: Tensor
    size: int
    seed: int
    views: int
    load: Load
    runtime: Runtime
    workers: int | None = None
    epochs: int | None = None
    keep: int = KEPT
    _kept: dict[int, Chunk] = field(default_factory=dict, repr=False)
    _each: int = 0  # bytes that the maps of a record take, once known

    @property
    def records(self) -> int:
        """Records of an epoch."""
        return len(self.items)

    def __len__(self) -> int:
        """Batches of an epoch."""
        return batches_of(len(self.items), self.size)

    def epoch(self, number: int) -> Iterator[tuple[Maps, Tensor]]:
        """The mini-batches of one epoch."""
        view = 1 + number % self.views
        batches = batches_in_order(len(self.items), self.size, self.seed, number)
        for together in self._chunks(batches):
            returns = self.epochs is None or number + self.views < self.epochs
            chunk, place = self._view(view, np.sort(np.concatenate(together)), returns)
            for rows in together:
                yield chunk.rows(np.searchsorted(place, rows)), self.truth[torch.from_numpy(rows)]

    def _chunks(self, batches: Sequence[Tensor]) -> Iterator[list[np.ndarray]]:
        """The batches of an epoch, as many at a time as their maps may take memory."""
        rows = [batch.numpy() for batch in batches]
        each = self._bytes_each() * max(len(batch) for batch in rows)
        at_once = max(1, self.keep // each)
        for start in range(0, len(rows), at_once):
            yield rows[start : start + at_once]

    def _bytes_each(self) -> int:
        """Bytes that the maps of a record take."""
        if not self._each:
            self._each = computed(self.items[:1], 0, self.load, self.runtime, self.workers).nbytes
        return self._each

    def _view(self, view: int, rows: np.ndarray, returns: bool) -> tuple[Chunk, np.ndarray]:
        """The maps of at least `rows` (m,), ascending, in one view; and which rows they are of. It may be kept where it
        `returns`.
        """
        if view in self._kept:
            return self._kept[view], np.arange(len(self.items))
        chunk = computed([self.items[row] for row in rows], view, self.load, self.runtime, self.workers)
        if returns and len(rows) == len(self.items) and chunk.nbytes * self.views <= self.keep:
            self._kept[view] = chunk
        return chunk, rows

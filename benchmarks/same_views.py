"""Are changed photos the same for any number of workers? `python -m benchmarks.same_views PHOTOS`.

The first mini-batches of two epochs, of every set of changes, as the network takes them: photos where all of it learns,
stored maps where its upper part does. Prints one JSON object: `compared` arrays, and how many were `different` with 1
or 2 workers from those with none.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line sets it

import itertools
import json
import sys
from pathlib import Path

import torch

import finegraft as fg
from finegraft.data.record import Record
from finegraft.features.store import Store
from finegraft.vision.body import Body, body
from finegraft.vision.changing import Changing
from finegraft.vision.grafting import PhotoGrafting
from finegraft.vision.sets import SETS, Augmentation

PHOTOS = 64
BATCH = 24
WORKERS = (0, 1, 2)


def batches(
    grafted: Body, root: Path, records: list[Record], how: Augmentation, n: int, workers: int
) -> list[torch.Tensor]:
    """What the groups of layers from `n` on learn from in two epochs."""
    origin = PhotoGrafting(grafted, root, Changing(grafted.preprocess, 0, how), workers)
    feed = origin.trunk(n)[0].feed(records, torch.arange(len(records)), BATCH, seed=0, epochs=2)
    inputs = [inputs for epoch in (0, 1) for inputs, _ in feed.epoch(epoch)]
    return [tensor for one in inputs for tensor in (one if isinstance(one, tuple) else (one,))]


def measure(photos: Path) -> dict[str, int]:
    """All of them."""
    data = fg.vision.read(photos)
    records = list(data.usable[:: max(1, len(data.usable) // PHOTOS)][:PHOTOS])
    compared = different = 0
    with Store.open() as store:
        grafted = body("lite0", store)
    for how, n in itertools.product(SETS.values(), (0, -3)):
        wanted, *others = (batches(grafted, data.root, records, how, n, workers) for workers in WORKERS)
        for got in others:
            compared += len(wanted)
            different += sum(not torch.equal(a, b) for a, b in zip(got, wanted, strict=True))
    return {"compared": compared, "different": different}


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))

"""Does the rate finder always answer? `python -m benchmarks.finding PHOTOS`.

Every number of photos in `SIZES`, backbone in `BACKBONES` and stage (the head; the whole network, unfrozen) is swept
once, at 64 pixels. Photos are taken from the first four classes of PHOTOS in turn; backbones other than `lite0` have
random weights, which are the harder case. Prints one JSON object: a row for each, and the `share` that answered with a
rate from the curve or said why there is none.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line sets it

import itertools
import json
import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import finegraft as fg
from finegraft.data.dataset import Dataset
from finegraft.features.store import Store
from finegraft.training.learner import Learner
from finegraft.vision.assembly import learner as make_learner

SIZES = (20, 50, 200, 3000)
BACKBONES = {"lite0": None, "timm:resnet18": "none", "timm:vit_tiny_patch16_224": "none"}
PIXELS = 64
_CLASSES = 4


def subset(data: Dataset, n: int) -> Dataset:
    """`n` photos of the first classes in turn, as far as there are so many."""
    classes = list(data.classes)
    first = classes[:_CLASSES] if n <= 200 else classes
    kinds = [[record for record in data.usable if record.label == label] for label in first]
    turns = itertools.chain.from_iterable(itertools.zip_longest(*kinds))
    chosen = tuple(itertools.islice((record for record in turns if record is not None), n))
    return replace(data, records=tuple(replace(record, split=None) for record in chosen), findings=(), traits={})


def tried(learner: Learner) -> Iterator[tuple[str, dict[str, Any]]]:
    """The finder's answer for the head, and for the whole network after the head has learned."""
    yield "head", _answer(learner)
    learner.fit_one_cycle(1, lr=1e-3)
    learner.unfreeze()
    yield "unfrozen", _answer(learner)


def _answer(learner: Learner) -> dict[str, Any]:
    try:
        curve = learner.find_lr()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is counted
        return {"answered": False, "error": f"{type(error).__name__}: {error}"}
    answered = math.isfinite(curve.suggestion) and curve.suggestion > 0 and bool(curve.reason)
    return {"answered": answered, "rate": curve.suggestion, "reason": curve.reason, "steps": len(curve.lrs)}


def measure(photos: Path, sizes: tuple[int, ...] = SIZES) -> dict[str, Any]:
    """All of them."""
    data, rows = fg.vision.read(photos), []
    with Store.in_memory() as store:
        for n, (backbone, weights) in itertools.product(sizes, BACKBONES.items()):
            parts = subset(data, n).split(valid=0.2, seed=0)
            learner = make_learner(
                parts, backbone, weights=weights, size=PIXELS, head="linear", store=store, show=False
            )
            for stage, answer in tried(learner):
                rows.append({"photos": len(parts.usable), "backbone": backbone, "stage": stage, **answer})
                print(rows[-1], file=sys.stderr)
    return {"share": sum(row["answered"] for row in rows) / len(rows), "rows": rows}


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))

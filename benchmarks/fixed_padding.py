"""What padding by fixed numbers is worth: `python -m benchmarks.fixed_padding [--backbone lite0] [--rounds 7]`.

The backbone is traced twice, once as timm computes its padding and once as `finegraft.models.graph` fixes it, and both
graphs answer 30 photos in turn, on every engine. Prints a line for each; the features must be equal to the bit.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable
from unittest import mock

import numpy as np

from benchmarks.duel import duel, timed
from finegraft.models import backbones, graph
from finegraft.runtimes import Runtime, available, open_graph

PHOTOS = 30


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--backbone", default=backbones.DEFAULT)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    row = backbones.find(given.backbone)
    graphs = {"fixed": graph.body_graph(row, row.graft_size)}
    with mock.patch.object(graph, "_fixed_padding", contextlib.nullcontext):
        graphs["computed"] = graph.body_graph(row, row.graft_size)
    size = (PHOTOS, 1, row.graft_size, row.graft_size, 3)
    photos = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    for engine in available():
        opened = {name: open_graph(content, engine) for name, content in graphs.items()}
        fixed, computed = (runtime.run(photos[0])["features"] for runtime in opened.values())
        assert np.array_equal(fixed, computed)
        found = duel({name: timed(_all(runtime, photos)) for name, runtime in opened.items()}, given.rounds)
        print(f"{engine}\n" + "\n".join(found.lines()))


def _all(runtime: Runtime, photos: np.ndarray) -> Callable[[], None]:
    def work() -> None:
        for photo in photos:
            runtime.run(photo)

    return work


if __name__ == "__main__":
    main()

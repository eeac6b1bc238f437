"""Photos a second that decoding alone, inference alone and the whole prediction reach, in one process.

    python -m benchmarks.rates MODEL.fg FOLDER

prints one JSON object: {"decode", "inference", "together"}. All three use every processor at hand.
"""

from __future__ import annotations

import json
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import finegraft as fg
from finegraft.runtimes import Runtime, open_graph
from finegraft.runtimes.cpus import usable_cpus


def allowed(decode: float, inference: float) -> float:
    """The rate at which photos can both be decoded and answered by processors that do nothing else."""
    return 1 / (1 / decode + 1 / inference)


def _rate(count: int, work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def _in_threads(work: Callable[[int], object], count: int) -> None:
    with ThreadPoolExecutor(usable_cpus()) as pool:
        for _ in pool.map(work, range(count)):
            pass


def _inference(runtime: Runtime, photo: np.ndarray, count: int) -> float:
    batch = photo[None]
    _in_threads(lambda _: runtime.run(batch), 4 * usable_cpus())  # every stream has its memory before the clock starts
    return _rate(count, lambda: _in_threads(lambda _: runtime.run(batch), count))


def measure(model: Path, folder: Path) -> dict[str, float]:
    """The three rates on the photos of `folder`."""
    predictor = fg.load(model)
    paths = sorted(folder.iterdir())
    contents = [path.read_bytes() for path in paths]
    decode = _rate(len(paths), lambda: _in_threads(lambda n: predictor.preprocess.load(contents[n]), len(paths)))
    photo = predictor.preprocess.load(contents[0])
    with zipfile.ZipFile(model) as bundle:
        graph = bundle.read("model.onnx")
    # The engine at its best: all processors on one photo, or each on its own.
    inference = max(
        _inference(open_graph(graph, purpose="throughput", streams=streams), photo, len(paths))
        for streams in sorted({1, usable_cpus()})
    )
    list(predictor.predict_many(paths[:64]))  # opens the engine for many
    together = _rate(len(paths), lambda: list(predictor.predict_many(paths)))
    return {"decode": decode, "inference": inference, "together": together}


def main(words: Sequence[str]) -> None:
    """The command."""
    model, folder = words
    print(json.dumps(measure(Path(model), Path(folder))))


if __name__ == "__main__":
    main(sys.argv[1:])

"""How the ranges of 8-bit numbers are best found: `python -m benchmarks.choices_int8 RUN`.

200 photos that RUN learned from show the ranges, 200 others that it learned from tell what the integers cost: the mean
Kullback-Leibler divergence of the answers from those in single precision, and the share of equal first answers, for
each way and every engine. Nothing of the judged part is looked at.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np
import onnxruntime.quantization as quantization

from finegraft.evaluation.run import Run
from finegraft.exporting.quantising import quantised
from finegraft.exporting.still_there import learned_from
from finegraft.inference import bundle
from finegraft.inference.predictor import Predictor
from finegraft.runtimes import available

PHOTOS = 200
WAYS: dict[str, dict[str, Any]] = {
    "the average range": {},
    "the widest range": {"CalibMovingAverage": False},
}


@contextlib.contextmanager
def ranges(changes: dict[str, Any]) -> Iterator[None]:
    """Quantising with other options."""
    plain = quantization.quantize_static

    def changed(*given: Any, extra_options: dict[str, Any], **options: Any) -> None:
        plain(*given, extra_options={**extra_options, **changes}, **options)

    with mock.patch.object(quantization, "quantize_static", changed):
        yield


def divergence(wanted: np.ndarray, got: np.ndarray) -> float:
    """Mean Kullback-Leibler divergence of the rows of `got` (n, k) from `wanted`."""
    return float((wanted * np.log((wanted + 1e-9) / (got + 1e-9))).sum(axis=1).mean())


def answers(predictor: Predictor, paths: list[Any]) -> np.ndarray:
    """Probabilities (n, k)."""
    return np.array([row.values for row in predictor.judgements(paths)])  # type: ignore[union-attr]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run")
    run = Run.open(parser.parse_args().run)
    predictor = bundle.load(run.model, engine="onnxruntime")
    paths = learned_from(run, 2 * PHOTOS)
    shown, others = paths[::2], paths[1::2]
    photos = [predictor.preprocess.load(path.read_bytes()) for path in shown]
    wanted = answers(predictor, others)
    for name, changes in WAYS.items():
        with ranges(changes):
            form = quantised(predictor.graph, photos)
        for engine in available():
            got = answers(predictor.with_graph(form.content, engine), others)
            same = float((got.argmax(axis=1) == wanted.argmax(axis=1)).mean())
            print(
                f"{name}, {engine}: divergence {divergence(wanted, got):.4f}, {100 * same:.1f} % the same first answer"
            )


if __name__ == "__main__":
    main()

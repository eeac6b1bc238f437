"""Many items through one runtime, with decoding and inference overlapping on all cores.

A photo spends about a third of its time in the decoder and the rest in the model. Each worker takes an item the
whole way, so while one decodes another computes, no stage waits for a queue, and nothing is copied between
processes: both the decoder and the engines work outside Python's lock.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from finegraft.errors import UnreadableFile
from finegraft.runtimes import Runtime
from finegraft.runtimes.cpus import usable_cpus

T = TypeVar("T")
Outputs = dict[str, np.ndarray]

# Workers per processor: the second fills the moments in which the first waits for the engine. On two cores with lite0
# under OpenVINO, one worker each reaches 0.87 of the rate that decoding and inference alone allow, two reach 0.98.
WORKERS = 2
# Batches under way or waiting to be fetched, per worker: enough that one slow photo holds up nobody.
WINDOW = 2


def run_all(
    items: Iterable[T],
    load: Callable[[T], np.ndarray],
    runtime: Runtime,
    workers: int | None = None,
) -> Generator[tuple[T, Outputs | UnreadableFile], None, None]:
    """Load and run every item; yield (item, its outputs) in the order of `items`.

    `load` makes one input without the batch axis, and is called from `workers` threads (default: two for each usable
    processor or stream). Outputs have no batch axis either. An `UnreadableFile` raised by `load` becomes that item's
    result; any other error is raised here. At most `WINDOW * workers` batches are held, so `items` may be endless.
    Closing the generator waits only for the batches under way.
    """
    workers = WORKERS * max(usable_cpus(), runtime.streams) if workers is None else workers
    source = iter(items)
    waiting: deque[Future[list[tuple[T, Outputs | UnreadableFile]]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="finegraft-pipeline")
    try:
        while batch := list(itertools.islice(source, runtime.batch)):
            waiting.append(pool.submit(_answer, batch, load, runtime))
            while waiting and (waiting[0].done() or len(waiting) >= WINDOW * workers):
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _answer(
    batch: list[T], load: Callable[[T], np.ndarray], runtime: Runtime
) -> list[tuple[T, Outputs | UnreadableFile]]:
    """One batch the whole way, on one thread."""
    loaded = [_loaded(item, load) for item in batch]
    readable = [x for x in loaded if not isinstance(x, UnreadableFile)]
    outputs = runtime.run(np.stack(readable)) if readable else {}
    rows = iter(range(len(readable)))
    return [
        (item, x if isinstance(x, UnreadableFile) else _row(outputs, next(rows)))
        for item, x in zip(batch, loaded, strict=True)
    ]


def _loaded(item: T, load: Callable[[T], np.ndarray]) -> np.ndarray | UnreadableFile:
    try:
        return load(item)
    except UnreadableFile as error:
        return error


def _row(outputs: Outputs, row: int) -> Outputs:
    """One item's outputs, as copies: a view would keep the whole batch in memory."""
    return {name: values[row].copy() for name, values in outputs.items()}

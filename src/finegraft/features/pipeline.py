"""Many items through one runtime, with decoding and inference overlapping on all cores.

A photo spends about a third of its time in the decoder and the rest in the model. Each worker takes an item the
whole way, so while one decodes another computes, no stage waits for a queue, and nothing is copied between
processes: both the decoder and the engines work outside Python's lock.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Generic, TypeVar

import numpy as np

from finegraft.errors import UnreadableFile
from finegraft.runtimes import Runtime
from finegraft.runtimes.cpus import usable_cpus

T = TypeVar("T")
R = TypeVar("R")
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
    processor or stream); with 0 all is done by the caller's own. Outputs have no batch axis either. An `UnreadableFile`
    raised by `load` becomes that item's result; any other error is raised here. At most `WINDOW * workers` batches are
    held, so `items` may be endless. They are read on a thread of their own: an answer that is ready does not wait for a
    slow source. Closing the generator waits only for the batches under way.
    """
    workers = WORKERS * max(usable_cpus(), runtime.streams) if workers is None else workers
    if workers == 0:
        for batch in _batches(items, runtime.batch):
            yield from answered(batch, load, runtime)
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="finegraft-pipeline")
    feeder = _Feeder(items, runtime.batch, lambda batch: pool.submit(answered, batch, load, runtime), WINDOW * workers)
    try:
        for answers in feeder:
            yield from answers
    finally:
        feeder.stop()
        pool.shutdown(wait=True, cancel_futures=True)


class _Feeder(Generic[T, R]):
    """Takes batches of `items` on a thread, hands them to `submit`, and gives the results in order.

    At most `room` results are waited for or waiting to be fetched.
    """

    def __init__(self, items: Iterable[T], batch: int, submit: Callable[[list[T]], Future[R]], room: int) -> None:
        self._items = items
        self._batch = batch
        self._submit = submit
        self._room = threading.Semaphore(room)
        self._stopped = False
        self._waiting: SimpleQueue[Future[R] | BaseException | None] = SimpleQueue()
        # A daemon: nothing can wake a thread that waits for a line of stdin, and the process must not wait for it.
        self._thread = threading.Thread(target=self._feed, name="finegraft-feeder", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[R]:
        while (next_one := self._waiting.get()) is not None:
            if isinstance(next_one, BaseException):
                raise next_one
            result = next_one.result()
            self._room.release()
            yield result

    def stop(self) -> None:
        """Take no more items; returns at once even where the source lets itself be waited for."""
        self._stopped = True
        self._room.release()
        self._thread.join(timeout=0.1)

    def _feed(self) -> None:
        try:
            for batch in _batches(self._items, self._batch):
                self._room.acquire()
                if self._stopped:
                    return
                self._waiting.put(self._submit(batch))
            self._waiting.put(None)
        except BaseException as error:  # noqa: BLE001 - raised again where the results are asked for
            self._waiting.put(error)


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    source = iter(items)
    while batch := list(itertools.islice(source, size)):
        yield batch


def answered(
    batch: Sequence[T], load: Callable[[T], np.ndarray], runtime: Runtime
) -> list[tuple[T, Outputs | UnreadableFile]]:
    """One batch the whole way, on the calling thread: each item with its outputs, or with why it cannot be read."""
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

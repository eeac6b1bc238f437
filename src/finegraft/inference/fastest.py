"""Which engine answers the most items here: measured once for a graph, then remembered.

Which one that is depends on the graph and on the processor, and costs a second to find out: too long for a few photos,
nothing for a server.
"""

from __future__ import annotations

import logging
import platform
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from finegraft.data.contents import digest_of
from finegraft.errors import StorageError
from finegraft.features.store import opened
from finegraft.runtimes import Runtime, available, open_graph
from finegraft.runtimes.cpus import usable_cpus

_log = logging.getLogger("finegraft")
_KIND = "fastest engine"
_SECONDS = 0.2  # of one turn
_TURNS = 2  # of each engine; the better one counts, as what else runs here only ever slows one down
Rate = Callable[[Runtime, np.ndarray, float], float]


def fastest(graph: bytes, x: np.ndarray, threads: int | None = None) -> str:
    """The installed engine that runs `graph` on inputs like `x` (size, size, 3) most often a second.

    The answer is kept in the cache folder, for this graph, these versions, this processor and so many `threads`
    (default: `usable_cpus()`). Raises `BundleError` where an engine cannot run the graph.
    """
    names = available()
    if len(names) == 1:
        return names[0]
    threads = usable_cpus() if threads is None else threads
    key = _key(graph, names, threads)
    try:
        with opened(None) as store:
            known = (store.get(_KIND, key) or b"").decode()
            if known not in names:
                known = measured(graph, x, names, threads)
                store.put(_KIND, key, known.encode())
            return known
    except StorageError as error:  # a server does without what is remembered
        _log.warning("%s The faster engine is measured anew.", error)
        return measured(graph, x, names, threads)


def measured(graph: bytes, x: np.ndarray, names: list[str], threads: int, rate: Rate | None = None) -> str:
    """The engine of `names` with the best turn, each turn told by `rate`; the first of equals."""
    runtimes = {name: open_graph(graph, name, "throughput", threads, threads) for name in names}
    for runtime in runtimes.values():
        runtime.run(x[None])  # the first one is slow, and counts for nothing
    best = dict.fromkeys(names, 0.0)
    for _ in range(_TURNS):
        for name, runtime in runtimes.items():
            best[name] = max(best[name], (rate or answers)(runtime, x, _SECONDS))
    return max(best, key=lambda name: best[name])


def answers(runtime: Runtime, x: np.ndarray, seconds: float) -> float:
    """Items a second that `runtime` answers, asked by as many threads as it has streams."""
    counts = [0] * runtime.streams
    started = time.perf_counter()

    def ask(number: int) -> None:
        while time.perf_counter() - started < seconds:
            runtime.run(x[None])
            counts[number] += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(runtime.streams)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - started)


def _key(graph: bytes, names: list[str], threads: int) -> bytes:
    """All that decides on the answer."""
    decides = [digest_of(graph), *(f"{name} {version(name)}" for name in names), str(threads), processor()]
    return "\n".join(decides).encode()


def processor(about: Path = Path("/proc/cpuinfo")) -> str:
    """The name of this machine's processor, as far as the system tells it."""
    try:
        lines = about.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:  # not Linux
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else f"{platform.processor()} {platform.machine()}"

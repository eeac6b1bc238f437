"""The runtimes of one model, each opened when it is first needed."""

from __future__ import annotations

import threading

from finegraft.errors import BundleError
from finegraft.runtimes import Purpose, Runtime, choose, open_graph
from finegraft.runtimes.cpus import usable_cpus


class Engines:
    """A graph and how to run it; safe to ask from many threads.

    For "start" all `threads` work on one item, for "throughput" each takes its own.
    """

    def __init__(self, graph: bytes, engine: str = "auto", threads: int | None = None) -> None:
        choose(engine)  # a wrong name is said now, not at the first photo
        self.graph = graph
        self.engine = engine
        self.threads = usable_cpus() if threads is None else threads
        self._opened: dict[Purpose, Runtime] = {}
        self._for_one: Runtime | None = None
        self._lock = threading.Lock()

    def get(self, purpose: Purpose) -> Runtime:
        """A runtime fit for `purpose`. Raises `BundleError` where the graph has no output called "scores"."""
        with self._lock:
            # What is open for many items answers one as well, and no engine starts faster than none.
            ready = self._opened.get("throughput") or self._opened.get(purpose)
            if ready is None:
                ready = self._opened[purpose] = self._open(purpose)
            return ready

    def open_for_one(self) -> None:
        """Open a runtime that gives all threads to one item, beside that for many: for who is answered alone."""
        if self.threads > 1:
            self._for_one = open_graph(self.graph, self.engine, "start", self.threads)

    def for_one(self) -> Runtime:
        """What answers an item with no other beside it soonest, of the runtimes for many and for one that are open."""
        return self._for_one or self.get("throughput")

    def _open(self, purpose: Purpose) -> Runtime:
        streams = self.threads if purpose == "throughput" else 1
        runtime = open_graph(self.graph, self.engine, purpose, self.threads, streams)
        if "scores" not in runtime.outputs:
            raise BundleError(
                f"The model's graph has no output 'scores', only {', '.join(runtime.outputs)}.",
                "Export it again with finegraft.",
            )
        return runtime

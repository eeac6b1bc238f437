"""Engines that run a model graph: the bytes of an ONNX file in, a function of arrays out.

An engine is a module with `open(graph, threads, streams) -> Runtime`, found in the table `ENGINES`. All of them
compute in single precision, so they give the same answers within 1e-4. `finegraft.runtimes.torch` is a `Runtime` too
and not in the table: it runs the module a graph was made from, so it cannot open one, and answers no predictor.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Literal, Protocol

import numpy as np

from finegraft.errors import MissingExtra, UsageError
from finegraft.runtimes.cpus import usable_cpus

Purpose = Literal["start", "throughput"]

# engine -> the module that opens it. An engine is installed when a package of its own name is.
ENGINES: dict[str, str] = {
    "onnxruntime": "finegraft.runtimes.onnxruntime",
    "openvino": "finegraft.runtimes.openvino",
}


class Runtime(Protocol):
    """A graph opened by one engine, ready to run; every thread may call `run`."""

    @property
    def name(self) -> str:
        """The engine: a name in `ENGINES`, or "torch"."""

    @property
    def version(self) -> str:
        """The engine's own version, kept in run.json."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names that `run` returns, in the graph's order."""

    @property
    def streams(self) -> int:
        """How many calls of `run` make progress at once."""

    @property
    def batch(self) -> int:
        """How many items in one call serve it best: 1 on a processor, more on an accelerator."""

    def run(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Every output of a batch; the first axis of `x` and of each output counts the items.

        Raises `BundleError` where the graph does not take such an input.
        """
        ...


def available() -> list[str]:
    """The engines that are installed, without importing them."""
    return [name for name in ENGINES if importlib.util.find_spec(name) is not None]


def choose(engine: str = "auto", purpose: Purpose = "start") -> str:
    """The engine that `engine` means: itself, or for "auto" the best one installed for the `purpose`.

    Raises `UsageError` for a name that is no engine and `MissingExtra` for one that is not installed.
    """
    if engine == "auto":
        return "openvino" if purpose == "throughput" and "openvino" in available() else "onnxruntime"
    if engine not in ENGINES:
        raise UsageError(f"There is no engine called {engine!r}.", f"Known: auto, {', '.join(ENGINES)}.")
    if engine != "onnxruntime" and engine not in available():  # that one comes with every install
        raise MissingExtra(engine, f"The engine {engine!r}")
    return engine


def purpose_for(items: int | None) -> Purpose:
    """What to optimise for when so many items wait; None means that nobody knows how many.

    Measured on two cores with lite0, from a cold process, before graphs had fixed padding: ONNX Runtime answers first
    after 0.32 s and then 105 photos a second, OpenVINO after 0.47 s and then 190. They draw level at about 35 photos
    (0.15 / (1/105 - 1/190)). With it ONNX Runtime is 1.4 times as fast, so a later change would cost little; what goes
    on answering measures which one is faster (`finegraft.inference.fastest`).
    """
    return "start" if items is not None and items <= 35 else "throughput"


def open_graph(
    graph: bytes,
    engine: str = "auto",
    purpose: Purpose = "start",
    threads: int | None = None,
    streams: int = 1,
) -> Runtime:
    """Open the bytes of an ONNX model with one input.

    `engine` and `purpose` are read as in `choose`. `threads` (default: `usable_cpus()`) are shared by `streams`
    calls of `run` at once. Raises `BundleError` where the engine cannot open the graph.
    """
    threads = usable_cpus() if threads is None else threads
    if threads < 1 or streams < 1:
        raise UsageError(f"An engine needs at least one thread and one stream, got {threads} and {streams}.")
    module = importlib.import_module(ENGINES[choose(engine, purpose)])
    opened: Runtime = module.open(graph, threads, streams)
    return opened

"""Small models behind the API, in this process or in one of their own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx
from starlette.testclient import TestClient

from finegraft.inference.predictor import Predictor
from finegraft.serving.answering import Answerer
from finegraft.serving.app import Api
from finegraft.serving.feedback import Feedback
from finegraft.serving.limits import Limits
from finegraft.serving.models import Served, named
from finegraft.serving.running import _Server
from tests.inference.making import predictor


def bundle_at(path: Path, seed: int = 0, **options: Any) -> Path:
    """A bundle of three classes, with its samples."""
    from tests.graphs import headed_graph

    predictor(graph=headed_graph(3, seed=seed), **options).save(path)
    return path


@dataclass
class Fixed:
    """A stand-in for a model: what it answers comes when `go` is set; the sizes of its batches are noted."""

    real: Predictor
    go: threading.Event = field(default_factory=threading.Event)
    sizes: list[int] = field(default_factory=list)

    @property
    def description(self) -> Any:
        """As a predictor's."""
        return self.real.description

    def predict_batch(self, items: list[bytes], alone: bool = False) -> list[Any]:
        """As a predictor's."""
        self.sizes.append(len(items))
        assert self.go.wait(30)
        return self.real.predict_batch(items, alone)


@contextlib.contextmanager
def api(
    *paths: Path,
    limits: Limits | None = None,
    token: str | None = None,
    load: bool = True,
    workers: int = 2,
    feedback: Path | None = None,
) -> Iterator[tuple[TestClient, Api]]:
    """A client of the API in this process."""
    models: dict[str, Served] = named(list(paths))
    if load:
        for served in models.values():
            served.load()
    limits = limits or Limits()
    answerer = Answerer(workers, limits.queue)
    made = Api(models, answerer, limits, token, None if feedback is None else Feedback(feedback))
    try:
        yield TestClient(made.asgi(), raise_server_exceptions=False), made
    finally:
        answerer.close()


@dataclass
class Listening:
    """A server on a port of its own, in a thread of this process."""

    server: _Server
    api: Api
    port: int

    @contextlib.contextmanager
    def connected(self, content: bytes = b"") -> Iterator[socket.socket]:
        """A connection, on which `content` is said."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(content)
            yield connection

    def post(self, content: bytes) -> httpx.Response:
        """A photo."""
        return httpx.post(f"http://127.0.0.1:{self.port}/v1/predict", content=content, timeout=30)

    def until(self, wanted: Callable[[], bool]) -> None:
        """Wait for something that the server does by itself."""
        end = time.monotonic() + 30
        while not wanted():
            assert time.monotonic() < end
            time.sleep(0.01)


@contextlib.contextmanager
def listening(*paths: Path, limits: Limits | None = None) -> Iterator[Listening]:
    """The server as `finegraft serve` runs it, but for its signals."""
    limits = limits or Limits()
    with api(*paths, limits=limits) as (_, made), socket.create_server(("127.0.0.1", 0)) as bound:
        server = _Server(made, limits)
        thread = threading.Thread(target=server.run, args=([bound],))
        thread.start()
        found = Listening(server, made, bound.getsockname()[1])
        try:
            found.until(lambda: server.started)
            yield found
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive()


@dataclass
class Process:
    """`finegraft serve` in a process of its own, on a port of its own."""

    popen: subprocess.Popen[str]
    url: str
    lines: list[dict[str, Any]]

    def get(self, path: str) -> httpx.Response:
        """A GET."""
        return httpx.get(self.url + path, timeout=30)

    def post(self, content: bytes, path: str = "/v1/predict") -> httpx.Response:
        """A photo."""
        return httpx.post(self.url + path, content=content, timeout=30)

    def events(self, name: str) -> list[dict[str, Any]]:
        """The lines of the log that tell of it."""
        return [line for line in self.lines if line["event"] == name]

    def until(self, name: str, times: int = 1, seconds: float = 30) -> None:
        """Wait for a line of the log."""
        end = time.monotonic() + seconds
        while len(self.events(name)) < times:
            assert time.monotonic() < end, (name, self.lines)
            time.sleep(0.02)


@contextlib.contextmanager
def process(*words: str | Path, env: dict[str, str] | None = None) -> Iterator[Process]:
    """Start it, wait until it is ready, and end it if that was not done."""
    command = [sys.executable, "-m", "finegraft", "serve", *map(str, words), "--port", "0"]
    popen = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})
    lines: list[dict[str, Any]] = []
    made = Process(popen, "", lines)

    def read() -> None:
        assert popen.stderr is not None
        lines.extend(map(json.loads, popen.stderr))  # a line as soon as it is there

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        made.until("listening")
        made.url = re.sub(r"/$", "", made.events("listening")[0]["url"])
        made.until("ready")
        yield made
    finally:
        if popen.poll() is None:
            popen.kill()
        popen.wait()
        reader.join(5)
        assert popen.stderr is not None
        popen.stderr.close()

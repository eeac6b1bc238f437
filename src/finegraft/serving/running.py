"""The process around the API: its socket, its signals, and a log a machine can read.

SIGTERM and SIGINT: nothing new is accepted, all that was accepted is answered, and the process ends. SIGHUP: the file
of every model is opened anew and checked; the one before answers until then, and stays where the new one is not sound.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import logging
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from finegraft.errors import BundleError, FinegraftError, UsageError
from finegraft.runtimes.cpus import usable_cpus
from finegraft.serving.answering import Answerer
from finegraft.serving.app import LOG, Api
from finegraft.serving.connections import Connection
from finegraft.serving.feedback import Feedback
from finegraft.serving.limits import Limits
from finegraft.serving.models import Served

# Two for each processor: the second decodes while the first waits for the engine, as in `features.pipeline`.
WORKERS = 2
_KEEP_ALIVE = 5
_BACKLOG = 512  # connections that may come at once
_FILES = 100  # open besides them: libraries, models, the log
_OF_RECORDS = set(vars(logging.makeLogRecord({}))) | {"message", "taskName"}


@dataclass(frozen=True)
class Place:
    """Where to listen, how many files to answer at a time, and what to ask for."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int | None = None
    batch: int = 1
    wait: float = 0.0
    token: str | None = None
    feedback: Path | None = None


def serve(models: Mapping[str, Served], place: Place, limits: Limits) -> None:
    """Serve until a signal ends it. Raises `UsageError` where the port is taken, `BundleError` for an unsound model."""
    listening = _listening(place)
    _log_to_stderr()
    limits = _fitting(limits)
    feedback = None if place.feedback is None else Feedback(place.feedback)
    answerer = Answerer(place.workers or WORKERS * usable_cpus(), limits.queue, place.batch, place.wait)
    api = Api(models, answerer, limits, place.token, feedback)
    answerer.seen = api.metrics.batches.observe
    server = _Server(api, limits)
    try:
        host, port = listening.getsockname()[:2]
        if place.token is None and not ipaddress.ip_address(host).is_loopback:
            LOG.warning("open to everyone who reaches this address: no token is asked for")
        named = f"[{host}]" if ":" in host else host
        LOG.info("listening", extra={"url": f"http://{named}:{port}", "models": list(models)})
        server.run([listening])
    finally:
        answerer.close()
        listening.close()
    if server.failed is not None:
        raise server.failed


class _Server(uvicorn.Server):
    """Uvicorn's with our signals: it ends quietly, and reads models again."""

    def __init__(self, api: Api, limits: Limits) -> None:
        class Limited(Connection):
            pass

        Limited.limits = limits
        super().__init__(
            uvicorn.Config(
                api.asgi(),
                http=Limited,
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                backlog=_BACKLOG,
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=int(limits.seconds) + 5,
            )
        )
        self.failed: FinegraftError | None = None
        self._api = api

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """From now on nothing new is accepted."""
        self._api.draining = True
        super().handle_exit(sig, frame)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Uvicorn's raises the signal again at the end, which would kill what is still being answered."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        kinds = [signal.SIGINT, signal.SIGTERM]
        before = {kind: signal.signal(kind, self.handle_exit) for kind in kinds}
        try:
            yield
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen at once, and check the models meanwhile."""
        await super().startup(sockets)
        loop = asyncio.get_running_loop()
        if hasattr(signal, "SIGHUP") and threading.current_thread() is threading.main_thread():
            loop.add_signal_handler(signal.SIGHUP, lambda: self._keep(self._swap()))
        self._keep(self._load())

    def _keep(self, work: Any) -> None:
        """Run `work` beside the server, which counts it among what is to be finished."""
        task = asyncio.get_running_loop().create_task(work)
        self.server_state.tasks.add(task)
        task.add_done_callback(self.server_state.tasks.discard)

    async def _load(self) -> None:
        """The first models; an unsound one ends the server."""
        for served in self._api.models.values():
            try:
                loaded = await asyncio.to_thread(served.load)
            except Exception as error:  # noqa: BLE001 - of whatever kind, the server must not wait for it
                if not isinstance(error, FinegraftError):
                    LOG.exception("loading failed", extra={"model": served.name})
                    error = BundleError(f"{served.path} cannot be served: {error}.", "Please report this.")
                self.failed = error
                self.handle_exit(signal.SIGTERM, None)
                return
            LOG.info("ready", extra={"model": served.name, "engine": loaded.predictor.engines.engine})

    async def _swap(self) -> None:
        for served in self._api.models.values():
            try:
                loaded = await asyncio.to_thread(served.load)
            except FinegraftError as error:
                LOG.error("not swapped", extra={"model": served.name, "reason": str(error)})
            except Exception:  # noqa: BLE001 - the others are swapped all the same
                LOG.exception("not swapped", extra={"model": served.name, "reason": "a fault"})
            else:
                LOG.info("swapped", extra={"model": served.name, "digest": loaded.digest})


def _fitting(limits: Limits) -> Limits:
    """`limits` with as many connections as this process may have files, of which it asks for enough.

    Where there are none left, asyncio writes thousands of lines a second into the log. Twice the connections: those
    above the limit are told so before they are closed.
    """
    try:
        import resource
    except ImportError:  # pragma: no cover - Windows has no such limit
        return limits
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * limits.connections + _BACKLOG + _FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return limits
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return replace(limits, connections=min(limits.connections, max(1, (most - _BACKLOG - _FILES) // 2)))


def _listening(place: Place) -> socket.socket:
    """A bound socket. Raises `UsageError` where that cannot be."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, number)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        raise UsageError(
            f"Cannot listen on {place.host}:{place.port}: {error.strerror or error}.", "Choose another --port."
        ) from error
    return bound


class _Json(logging.Formatter):
    """A line of JSON: when, how grave, what, and what was given beside. Never what was sent."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        told = {"time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"), "level": record.levelname.lower()}
        told |= {"event": record.getMessage()}
        told |= {name: value for name, value in vars(record).items() if name not in _OF_RECORDS}
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False, default=str)


def _log_to_stderr() -> None:
    """Everyone's warnings, and our own remarks."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.captureWarnings(True)
    for name in ("PIL", "python_multipart"):  # they complain of bytes, which is for those who sent them to know
        logging.getLogger(name).setLevel(logging.CRITICAL)
    logging.getLogger("finegraft").setLevel(logging.INFO)

"""`finegraft serve` in a process of its own, as benchmarks ask it."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

PATIENCE = 60.0  # seconds a benchmark waits for any answer: longer than the server's own limits


@dataclass(frozen=True)
class Answer:
    """What came back: its status, its type of content, and its bytes."""

    status: int
    kind: str
    content: bytes

    @property
    def told(self) -> Any:
        """The JSON it is; None where it is none."""
        try:
            return json.loads(self.content)
        except ValueError:
            return None

    @property
    def code(self) -> str | None:
        """That of the envelope of errors; None where this is another thing."""
        told = self.told
        error = told.get("error") if isinstance(told, dict) and self.kind == "application/json" else None
        if not isinstance(error, dict) or not isinstance(error.get("message"), str):
            return None
        return error["code"] if isinstance(error.get("code"), str) else None


@dataclass(frozen=True)
class Server:
    """A server's process, where it listens, and the lines of its log that are no JSON, or tell of an error."""

    process: subprocess.Popen[str]
    host: str
    port: int
    reader: threading.Thread
    complaints: list[str]

    @property
    def memory(self) -> int:
        """Bytes of memory it holds, PSS."""
        rollup = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        (line,) = (line for line in rollup.splitlines() if line.startswith("Pss:"))
        return int(line.split()[1]) * 1024

    def ask(
        self, method: str, path: str, content: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own. Raises `OSError` or `HTTPException` where there is no answer."""
        with contextlib.closing(http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)) as connection:
            connection.request(method, path, content, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers.get_content_type(), answer.read())

    def predict(self, content: bytes) -> Answer:
        """A photo."""
        return self.ask("POST", "/v1/predict", content)

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait; kill it where that does not end it. Returns its exit code."""
        assert self.process.stderr is not None
        self.process.send_signal(how)  # nothing happens where it has ended
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.reader.join()
        self.process.stderr.close()
        return self.process.wait()

    def is_ready(self) -> bool:
        """Whether it says so."""
        try:
            return self.ask("GET", "/readyz").status == 200
        except (OSError, http.client.HTTPException):
            return False


def started(*words: str | Path, port: int = 0) -> Server:
    """A server that listens, and may be checking its models still: the caller ends it."""
    command = [sys.executable, "-m", "finegraft", "serve", *words, "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    told = json.loads(process.stderr.readline())
    host, _, bound = told["url"].removeprefix("http://").partition(":")
    complaints: list[str] = []
    reader = threading.Thread(target=_read, args=(process.stderr, complaints), daemon=True)
    reader.start()
    return Server(process, host, int(bound), reader, complaints)


def wait_until_ready(server: Server) -> None:
    """Ask until it says so, a hundred times a second at most. Raises `TimeoutError`."""
    end = time.monotonic() + PATIENCE
    while not server.is_ready():
        if time.monotonic() > end or server.process.poll() is not None:
            raise TimeoutError(f"The server did not get ready: {server.complaints}")
        time.sleep(0.01)


@contextlib.contextmanager
def serving(*words: str | Path) -> Iterator[Server]:
    """`finegraft serve WORDS…` on a free port, ready to answer."""
    server = started(*words)
    try:
        wait_until_ready(server)
        yield server
    finally:
        server.end()


def _read(log: IO[str], complaints: list[str]) -> None:
    """All of it: a full pipe would stop the server."""
    for line in log:
        try:
            told = json.loads(line)
            fine = told["level"] in ("info", "warning")
        except (ValueError, KeyError, TypeError):
            fine = False
        if not fine:
            complaints.append(line.rstrip())

"""The rivals' processes: started, asked whether they are there, and ended with all their workers."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fastai import environment
from benchmarks.workshop import ROOT

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / ".venv-serving"
STARTING, ENDING = 120.0, 10.0  # seconds
BOUNDARY = "finegraft-benchmark"


@dataclass(frozen=True)
class Rival:
    """A module that serves, its words beside the tensors and the port, and how it takes a photo."""

    name: str
    module: str
    words: tuple[str, ...] = ()
    kind: str = "application/octet-stream"
    body: Callable[[bytes], bytes] = bytes


def _form(content: bytes) -> bytes:
    head = b'Content-Disposition: form-data; name="content"; filename="photo"\r\n\r\n'
    return b"--%b\r\n%b%b\r\n--%b--\r\n" % (BOUNDARY.encode(), head, content, BOUNDARY.encode())


_FORM = f"multipart/form-data; boundary={BOUNDARY}"
# LitServe takes JSON or forms. One photo at a time and eight together: which is the better depends on the machine.
RIVALS = (
    Rival("FastAPI", "benchmarks.serving_rivals.fastapi_app"),
    Rival("LitServe", "benchmarks.serving_rivals.litserve_app", ("1",), _FORM, _form),
    Rival("LitServe, 8 together", "benchmarks.serving_rivals.litserve_app", ("8",), _FORM, _form),
)


def interpreter() -> Path:
    """That of their environment, made where it is missing. Raises `CalledProcessError` where it cannot be."""
    return environment.python(FOLDER, HERE / "requirements.txt")


@contextlib.contextmanager
def running(rival: Rival, python: Path, tensors: Path) -> Iterator[int]:
    """Its port, once it answers. Raises `TimeoutError`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [python, "-m", rival.module, tensors.resolve(), str(port), *rival.words]
    process = subprocess.Popen(command, cwd=ROOT, stdout=sys.stderr, start_new_session=True)
    try:
        end = time.monotonic() + STARTING
        while not _is_there(port):
            if process.poll() is not None or time.monotonic() > end:
                raise TimeoutError(f"{rival.name} did not start.")
            time.sleep(0.2)
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(ENDING)
            os.killpg(process.pid, signal.SIGKILL)  # workers outlive it
        process.wait()


def _is_there(port: int) -> bool:
    try:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False

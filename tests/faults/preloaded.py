"""A process that has everything imported and forks commands off itself: seconds of imports saved at every kill.

    python -m tests.faults.preloaded

reads a JSON object a line, forks, and prints {"pid": …}; when the child ends, {"ended": pid, "code": …}. The child
leads a session of its own.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

_MODULES = (
    "finegraft.cli.main finegraft.cli.train finegraft.cli.check finegraft.cli.predict finegraft.cli.runs "
    "finegraft.cli.cache finegraft.cli.report finegraft.cli.model finegraft.cli.environment finegraft.models.network "
    "finegraft.models.graph finegraft.vision.assembly finegraft.vision.sources finegraft.vision.rendering "
    "finegraft.reporting.report finegraft.runtimes.onnxruntime finegraft.inference.card finegraft.inference.samples "
    "onnx torch torch.onnx torch._dynamo"
)


class Preloaded:
    """The server, seen from outside. Use it as a context manager."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.faults.preloaded"]
        root = Path(__file__).resolve().parents[2]
        self._server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root, bufsize=0)
        self._ended: dict[int, int] = {}
        self._rest = b""

    def __enter__(self) -> Preloaded:
        return self

    def __exit__(self, *error: object) -> None:
        self._server.communicate()

    def fork(self, request: dict[str, Any]) -> int:
        """The id of a new process that does what `request` says (see `_become`)."""
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps(request).encode() + b"\n")
        while True:
            for line in self._lines(wait=None):
                if "pid" in line:
                    return int(line["pid"])

    def code(self, pid: int) -> int | None:
        """The exit code of a forked process, negative for a signal; None while it runs."""
        self._lines(wait=0)
        return self._ended.get(pid)

    def _lines(self, wait: float | None) -> list[dict[str, int]]:
        assert self._server.stdout is not None
        handle = self._server.stdout.fileno()
        if not select.select([handle], [], [], wait)[0]:
            return []
        said = os.read(handle, 65536)
        if not said:
            raise RuntimeError("The process that forks commands has ended.")
        *lines, self._rest = (self._rest + said).split(b"\n")
        found = [json.loads(line) for line in lines]
        for line in found:
            if "pid" in line:
                self._ended.pop(line["pid"], None)  # an earlier process had the same number
            else:
                self._ended[line["ended"]] = line["code"]
        return found


def _serve() -> dict[str, Any] | None:
    """Fork whatever is asked for. Returns in the children: the request; in the server, at the end: None."""
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    rest = b""
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _tell_the_ended()
        if 0 in ready:
            if not (said := os.read(0, 65536)):
                return None
            *lines, rest = (rest + said).split(b"\n")
            for line in lines:
                if (pid := os.fork()) == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    signal.signal(signal.SIGINT, signal.default_int_handler)
                    return dict(json.loads(line))
                os.write(1, json.dumps({"pid": pid}).encode() + b"\n")


def _tell_the_ended() -> None:
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            row = {"ended": found[0], "code": os.waitstatus_to_exitcode(found[1])}
            os.write(1, json.dumps(row).encode() + b"\n")


def _become(request: dict[str, Any]) -> None:
    """Take on the terminals "out" and "err", the "environment", the "words", and a "limit" on the size of files.

    "armed", where it is not null, holds the arguments of `deadly.arm`.
    """
    os.setsid()
    for handle, path in ((0, os.devnull), (1, request["out"]), (2, request["err"])):
        opened = os.open(path, os.O_RDWR | os.O_NOCTTY)
        os.dup2(opened, handle)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, mode, closefd=False) for n, mode in enumerate("rww"))
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["finegraft", *request["words"]]
    if request["limit"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["limit"], request["limit"]))
    if request["armed"] is not None:
        from tests.faults.deadly import arm

        folder, journal, fatal = request["armed"]
        arm(Path(folder), Path(journal), fatal)


def _run(words: list[str]) -> None:
    """Run the command and end the process without the interpreter's clean-up, which takes two seconds after torch."""
    from finegraft.cli.main import run

    code = run(words)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    # Read when torch is loaded, so the command line would set it too late. Beside other work a forked training with a
    # full cache took 50 s with threads that spin, 5 s so.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for module in _MODULES.split():
        importlib.import_module(module)
    importlib.import_module("finegraft.models.timm_weights").timm_package()
    gc.freeze()
    asked = _serve()
    if asked is not None:
        _become(asked)
        _run(asked["words"])

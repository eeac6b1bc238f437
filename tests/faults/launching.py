"""How a command is started: executed as a person does it, or forked off a process that has everything imported."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.faults.blows import Blow, Fatal, FullDisk
from tests.faults.preloaded import Preloaded

ROOT = Path(__file__).resolve().parents[2]
Code = Callable[[], int | None]  # the exit code, negative for a signal; None while the process runs


@dataclass(frozen=True)
class Command:
    """`finegraft WORDS…`. What it changes below `folder` is listed in the file `journal`, where that is given."""

    words: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    journal: Path | None = None


def launch(command: Command, blow: Blow | None, out: int, err: int, server: Preloaded | None) -> tuple[int, Code]:
    """Start `command` on the terminals `out` and `err`, in a session of its own: its id, and what tells its end.

    A `Stroke` is for the caller to deal; the other blows are given along.
    """
    if server is None:
        return _executed(command, blow, out, err)
    return _forked(command, blow, out, err, server)


def _executed(command: Command, blow: Blow | None, out: int, err: int) -> tuple[int, Code]:
    start = [sys.executable, "-m", "finegraft"]
    if armed := _armed(command, blow):
        start = [sys.executable, "-m", "tests.faults.deadly", *map(str, armed)]

    def in_the_child() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background, where Ctrl-C is ignored, is inherited
        if (limit := _limit(blow)) is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = subprocess.Popen(
        [*start, *command.words],
        env=dict(command.environment),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        start_new_session=True,
        preexec_fn=in_the_child,
    )
    return process.pid, process.poll


def _forked(command: Command, blow: Blow | None, out: int, err: int, server: Preloaded) -> tuple[int, Code]:
    request: dict[str, object] = {
        "words": command.words,
        "environment": dict(command.environment),
        "limit": _limit(blow),
    }
    request |= {"out": os.ttyname(out), "err": os.ttyname(err), "armed": _armed(command, blow)}
    pid = server.fork(request)
    return pid, lambda: server.code(pid)


def _armed(command: Command, blow: Blow | None) -> tuple[str, str, int] | None:
    if command.journal is None:
        return None
    return str(command.folder), str(command.journal), blow.number if isinstance(blow, Fatal) else -1


def _limit(blow: Blow | None) -> int | None:
    return blow.size if isinstance(blow, FullDisk) else None

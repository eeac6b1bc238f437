"""Run one command from outside: its seconds, its exit code, what it printed, its peak memory.

Memory is PSS, proportional set size: a page shared by n processes counts 1/n in each, so the sum over a process tree
is what the tree really holds. (RSS would count torch's libraries once for every worker.)
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

EVERY = 0.05  # seconds between two samples, at least
# A sample costs 1 ms, and 10 ms and more of a process that holds a gigabyte; it is taken on the processors that are
# measured. So it waits this many times as long as the last one took: at most 2 % of one processor.
SPARING = 50
PROC = Path("/proc")


@dataclass(frozen=True)
class Watched:
    """What one command did.

    `peak` is in bytes; None where the system has no /proc or nothing was sampled. `others` is the share of all
    processors that programs not started by it took meanwhile, 0..1: a time taken beside busy neighbours says little.
    """

    command: tuple[str, ...]
    seconds: float
    code: int
    peak: int | None
    stdout: str
    stderr: str
    others: float = 0.0


class CommandFailedError(Exception):
    """A command of a measurement ended with another exit code than 0; the message carries its last words."""


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str = "",
    cores: int | None = None,
    memory: bool = True,
    timeout: float = 3600,
) -> Watched:
    """Run `command` to its end and say what it did; whatever it started is killed after `timeout` seconds.

    `cores` limits it to that many of the processors at hand. `memory=False` leaves out the sampling, for commands so
    short that it would show in their time.
    """
    words = tuple(str(word) for word in command)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, _on_cores(cores):
        start, neighbours = time.perf_counter(), Neighbours()
        process = subprocess.Popen(
            words, env=env, cwd=cwd, stdin=subprocess.PIPE, stdout=out, stderr=err, start_new_session=True
        )
        with _sampling(process.pid if memory else None) as peak:
            try:
                process.communicate(stdin.encode(), timeout=timeout)
            except BaseException:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, 9)
                process.wait()
                raise
        seconds = time.perf_counter() - start
        return Watched(
            words, seconds, process.returncode, peak.bytes, _text(out), _text(err), neighbours.share(seconds)
        )


def checked(watched: Watched, codes: tuple[int, ...] = (0,)) -> Watched:
    """`watched` itself. Raises `CommandFailedError` where its exit code is none of `codes`."""
    if watched.code in codes:
        return watched
    last = (watched.stderr.strip() or watched.stdout.strip() or "no output").splitlines()[-1]
    raise CommandFailedError(f"`{Path(watched.command[0]).name}` ended with exit code {watched.code}: {last}")


def tree(root: int) -> list[int]:
    """The process `root`, its descendants, and everything of its session (orphans have another parent)."""
    parents: dict[int, int] = {}
    found = {root}
    for pid, parent, session in _processes():
        parents[pid] = parent
        if session == root:
            found.add(pid)
    for pid in parents:
        line = [pid]
        while line[-1] in parents and line[-1] not in found:
            line.append(parents[line[-1]])
        if line[-1] in found:
            found.update(line)
    return sorted(found & parents.keys())


def pss(pid: int) -> int:
    """Proportional set size of one process in bytes; 0 when it has just ended."""
    for line in _lines(f"{pid}/smaps_rollup"):
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _processes() -> Iterator[tuple[int, int, int]]:
    for name in filter(str.isdigit, os.listdir(PROC)):  # noqa: PTH208  (see _lines)
        for line in _lines(f"{name}/stat"):
            # The name in brackets may hold spaces and brackets; the fields follow the last one.
            state, parent, _group, session, *_ = line.rpartition(b")")[2].split()
            if state != b"Z":
                yield int(name), int(parent), int(session)


def _lines(name: str) -> list[bytes]:
    # Read for every process twenty times a second, on the processors being measured: no Path, no buffer, no decoding.
    try:
        handle = os.open(f"{PROC}/{name}", os.O_RDONLY)
    except OSError:
        return []
    try:
        return os.read(handle, 8192).splitlines()
    except OSError:  # the process has just ended
        return []
    finally:
        os.close(handle)


class Neighbours:
    """Processor time of the whole machine less that of this process and of the children it has waited for."""

    def __init__(self) -> None:
        self.before = self._theirs()

    def share(self, seconds: float) -> float:
        """The share of all processors that others took in the `seconds` since this was made, 0..1."""
        return max(0.0, self._theirs() - self.before) / (seconds * (os.cpu_count() or 1))

    @staticmethod
    def _theirs() -> float:
        if not PROC.is_dir():
            return 0.0
        fields = (PROC / "stat").read_text().split("\n", 1)[0].split()
        user, nice, system, _idle, _waiting, *rest = map(int, fields[1:9])  # rest: interrupts, time stolen by the host
        return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])


class _Peak:
    bytes: int | None = None


@contextlib.contextmanager
def _sampling(root: int | None) -> Iterator[_Peak]:
    peak, ended = _Peak(), threading.Event()

    def sample() -> None:
        pause = EVERY
        while not ended.wait(pause):
            start = time.perf_counter()
            peak.bytes = max(peak.bytes or 0, sum(pss(pid) for pid in tree(root or 0)))
            pause = max(EVERY, SPARING * (time.perf_counter() - start))

    if root is None or not PROC.is_dir():
        yield peak
        return
    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    try:
        yield peak
    finally:
        ended.set()
        sampler.join()


@contextlib.contextmanager
def _on_cores(cores: int | None) -> Iterator[None]:
    # A child inherits the processors of the thread that starts it, so no code need run between fork and exec.
    if cores is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:cores])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")

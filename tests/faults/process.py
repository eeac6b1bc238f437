"""One process of the command, watched from outside, and stopped if it should be."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
import tty
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.faults.blows import Blow, Stroke
from tests.faults.launching import Code, Command, launch
from tests.faults.phases import STARTING, Phase, phases
from tests.faults.preloaded import Preloaded

_EVERY = 0.002  # seconds between two looks; a moment is met as exactly as that
_LONGEST = 600.0


@dataclass(frozen=True)
class Ended:
    """An ended process: exit code (negative: that signal), the phase it ended in, what it said.

    `struck` is the phase in which a `Stroke` met it, None where none did; `entered` says when each phase began, in
    seconds from the start.
    """

    code: int
    phase: Phase
    out: str
    err: str
    struck: str | None
    seconds: float
    entered: dict[str, float] = field(default_factory=dict)

    @property
    def lengths(self) -> dict[str, float]:
        """Phase -> its seconds, in order."""
        ends = [*list(self.entered.values())[1:], self.seconds]
        return {name: end - begin for (name, begin), end in zip(self.entered.items(), ends, strict=True)}


def run(command: Command, blow: Blow | None = None, server: Preloaded | None = None) -> Ended:
    """Run `command` to its end, or to the blow; forked off `server` where there is one, else executed."""
    with started(command, blow, server) as watched:
        return watched.end(blow if isinstance(blow, Stroke) else None)


@contextlib.contextmanager
def started(command: Command, blow: Blow | None = None, server: Preloaded | None = None) -> Iterator[Watched]:
    """`command` under way; whatever happens in the block, its process group is killed at the end."""
    with _terminal() as (out, out_end), _terminal() as (err, err_end):
        pid, code = launch(command, blow, out_end, err_end, server)
        try:
            yield Watched(pid, code, out, err)
        finally:
            while code() is None:
                send(pid, signal.SIGKILL)
                time.sleep(_EVERY)


class Watched:
    """A process under way. `end` may be called once."""

    def __init__(self, pid: int, code: Code, out: int, err: int) -> None:
        self._pid = pid
        self._code = code
        self._handles = (out, err)
        self._said = {out: b"", err: b""}
        self._begun = time.perf_counter()
        self._entered = {STARTING: 0.0}

    def end(self, stroke: Stroke | None = None) -> Ended:
        """Wait for the end, and strike on the way to it."""
        struck = None
        while (code := self._code()) is None:
            self._listen(_EVERY)
            if stroke is not None and struck is None and self._is_due(stroke) and send(self._pid, stroke.signal):
                struck = list(self._entered)[-1]
            if time.perf_counter() - self._begun > _LONGEST:
                send(self._pid, signal.SIGKILL)
        seconds = time.perf_counter() - self._begun
        while self._listen(0):
            pass
        out, err = self._heard()
        return Ended(code, phases(err, out)[-1], out, err, struck, seconds, self._entered)

    def _is_due(self, stroke: Stroke) -> bool:
        entered = self._entered.get(stroke.phase)
        return entered is not None and time.perf_counter() - self._begun >= entered + stroke.after

    def _listen(self, wait: float) -> bool:
        """Hear what is said within `wait` seconds; whether there was anything."""
        ready, _, _ = select.select(self._handles, [], [], wait)
        for handle in ready:
            self._said[handle] += os.read(handle, 65536)
        if ready:
            out, err = self._heard()
            for passed in phases(err, out):
                self._entered.setdefault(passed.name, time.perf_counter() - self._begun)
        return bool(ready)

    def _heard(self) -> tuple[str, str]:
        out, err = (self._said[handle].decode(errors="replace") for handle in self._handles)
        return out, err


def send(pid: int, number: int) -> bool:
    """Send a signal to the process group `pid`; whether it was there."""
    for call in (os.killpg, os.kill):  # a process that has just been forked leads no group yet
        with contextlib.suppress(ProcessLookupError):
            call(pid, number)
            return True
    return False


@contextlib.contextmanager
def _terminal() -> Iterator[tuple[int, int]]:
    """Both ends of a terminal that passes on what is written as it is. Commands count only on a terminal."""
    ours, theirs = os.openpty()
    try:
        tty.setraw(theirs)
        yield ours, theirs
    finally:
        os.close(ours)
        os.close(theirs)

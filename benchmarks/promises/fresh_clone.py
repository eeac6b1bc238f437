"""Two commands on a fresh machine, and silence on the network once they have installed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from benchmarks import watch
from benchmarks.promise import CannotMeasureError, Measured, Promise, at_most
from benchmarks.workshop import ROOT, Workshop

COMMANDS = (("make", "demo"), ("make", "test"))
# As strace -yy prints them: sin_addr=inet_addr("1.2.3.4"), inet_pton(AF_INET6, "2001:db8::1", …), and the peer of a
# socket that is connected already: <UDP:[10.0.0.2:1234->1.2.3.4:53]>, <TCPv6:[[fd00::2]:1234->[2001:db8::1]:443]>.
ADDRESS = re.compile(
    r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"|->([0-9.]+):\d+\]>|->\[([0-9a-f:.]+)\]:\d+\]>'
)
# Connecting a datagram socket sends nothing: a browser asks the system so whether there is a way to the outside.
ASKS_FOR_A_WAY = re.compile(r"connect\(\d+<UDP")


def _clone(workshop: Workshop) -> Path:
    def clone() -> Path:
        path = workshop.empty("fresh") / "finegraft"
        watch.checked(watch.run(["git", "clone", "--quiet", ROOT, path], memory=False))
        return path

    return workshop.once("clone", clone)


def _environment(workshop: Workshop) -> dict[str, str]:
    # A virtual environment of the caller would be found before the clone's own.
    inherited = workshop.environment("fresh-cache")
    own = {k: v for k, v in inherited.items() if k not in ("VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return own | {"PATH": ":".join(p for p in own["PATH"].split(":") if ".venv" not in p)}


def _two_commands(workshop: Workshop) -> Measured:
    clone = _clone(workshop)
    words: list[str] = []
    last_words: dict[str, list[str]] = {}
    for command in COMMANDS:
        done = watch.run(command, cwd=clone, env=_environment(workshop), memory=False)
        words.append(f"`{' '.join(command)}` exit code {done.code} after {done.seconds:.0f} s")
        if done.code != 0:
            last_words[" ".join(command)] = last_lines(done)
    commit = watch.run(["git", "rev-parse", "--short", "HEAD"], cwd=clone, memory=False).stdout.strip()
    return Measured(len(last_words), f"{', '.join(words)}; commit {commit}", {"last_words": last_words})


def last_lines(done: watch.Watched, count: int = 40) -> list[str]:
    """The end of what a command printed on either stream: a failure without its words cannot be mended."""
    return [*done.stdout.splitlines()[-count:], *done.stderr.splitlines()[-count:]]


def _silence(workshop: Workshop) -> Measured:
    if not shutil.which("strace"):
        raise CannotMeasureError("strace is not installed")
    clone = _clone(workshop)
    if not (clone / ".venv").exists():
        raise CannotMeasureError("the clone is not installed; measure spine-1-clone in the same run")
    seen: list[str] = []
    for number, command in enumerate(COMMANDS):
        log = workshop.scratch / f"sockets-{number}"
        trace: list[str | Path] = [
            "strace",
            "-f",
            "-qq",
            "-yy",
            "--seccomp-bpf",
            "-e",
            "signal=none",
            "-e",
            "trace=connect,sendto,sendmsg,sendmmsg",
            "-o",
            log,
        ]
        watch.checked(watch.run([*trace, *command], cwd=clone, env=_environment(workshop), memory=False))
        seen += outgoing(log.read_text(errors="replace").splitlines())
    return Measured(len(seen), ", ".join(sorted(set(seen))) or "none, in second runs of both commands under strace")


def outgoing(trace: Iterable[str]) -> list[str]:
    """The addresses outside this machine that lines of `strace` show, one for every call."""
    sending = (line for line in trace if not ASKS_FOR_A_WAY.search(line))
    found = (next(filter(None, match.groups())) for line in sending if (match := ADDRESS.search(line)))
    return [address for address in found if not address.startswith("127.") and address not in ("::1", "0.0.0.0", "::")]


ROWS = [
    Promise(
        "spine-1-clone",
        "both commands in a fresh clone, nothing done by hand: how many fail",
        at_most(0),
        "git clone . CLONE && cd CLONE && make demo && make test",
        _two_commands,
    ),
    Promise(
        "spine-1-silence",
        "outgoing connections once installed",
        at_most(0),
        "strace -f -e trace=connect,sendto,sendmsg,sendmmsg make demo (and make test)",
        _silence,
    ),
]

"""Fetching from hosts that misbehave: every row accounted for, nothing fetched twice, nobody else asked."""

from __future__ import annotations

import contextlib
import json
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import bad_answers, watch
from benchmarks.bad_answers import CASES
from benchmarks.bad_host import BadHost, Visit
from benchmarks.promise import CannotMeasureError, Measured, Promise, at_most
from benchmarks.workshop import CORES, Workshop, json_of

ROWS_OF_LIST = 2000
EACH = 16  # rows of each way to misbehave; of those that cost a time limit, a quarter
KILLS = 12
LABELS = ("rose", "tulip", "daisy")
MANIFEST = ".fetched.jsonl"
OPTIONS = ("--allow-private", "--timeout", "5", "--retries", "1", "--max-size", "0.2")
COMMAND = (
    "finegraft fetch LIST -o DIR --allow-private --timeout 5 --retries 1 --max-size 0.2 (LIST: 2,000 rows, 7 hosts)"
)
# As strace prints addresses, port first.
SOCKET = re.compile(r'htons\((\d+)\), (?:sin_addr=inet_addr\("([^"]+)"\)|.*?inet_pton\(AF_INET6, "([^"]+)")')


@dataclass(frozen=True)
class Planted:
    """A row of the list, and the kinds with which it may end; None is a saved one."""

    label: str
    url: str
    kinds: frozenset[str | None]


@contextlib.contextmanager
def hosts() -> Iterator[tuple[list[BadHost], BadHost, str]]:
    """Five hosts that misbehave on request, one that breaks every connection off, the origin of one that is gone."""
    with contextlib.ExitStack() as stack:
        bad = [stack.enter_context(BadHost(bad_answers.answer, f"127.0.0.{number}")) for number in range(2, 7)]
        dead = stack.enter_context(BadHost(None))
        taken = stack.enter_context(socket.socket())
        taken.bind(("127.0.0.1", 0))  # bound and not listening: no other program gets the port
        yield bad, dead, f"http://127.0.0.1:{taken.getsockname()[1]}"


def planted(bad: Sequence[BadHost], dead: str, gone: str, each: int, total: int) -> list[Planted]:
    """`total` rows in mixed order: `each` of every way to misbehave, the rest good photos."""
    busy, calm = bad[0], bad[1:]  # who answers 429 is asked less: the others need not wait for that
    places: list[tuple[str, frozenset[str | None]]] = []
    for name, case in CASES.items():
        kinds = frozenset({None, "same-bytes", "two-labels"}) if case.shared else frozenset({case.kind})
        for number in range(max(1, each // 4) if case.slow else each):
            host = busy if name == "first-429" else calm[number % len(calm)]
            places.append((f"{host.origin}/{name}/{number}", kinds))
    silent = frozenset({"broken", "unreachable", "timeout"})
    places += [(f"{origin}/{number}", silent) for origin in (dead, gone) for number in range(each)]
    wrong = ("ftp://127.0.0.2/a.jpg", "http://me:secret@127.0.0.2/a.jpg", "no address at all", "http://a b/")
    places += [(text, frozenset({"bad-url"})) for text in wrong] + [("", frozenset({"bad-row"}))]
    places += [(f"http://169.254.169.254/{number}", frozenset({"private"})) for number in range(each)]
    good = (f"{bad[number % len(bad)].origin}/photo/more-{number}" for number in range(total))
    places += [(url, frozenset({None})) for url, _ in zip(good, range(total - len(places) - each), strict=False)]
    rows = [Planted(LABELS[number % len(LABELS)], url, kinds) for number, (url, kinds) in enumerate(places)]
    random.Random(0).shuffle(rows)
    twins = [row for row in rows if row.kinds == {None}][:each]
    return rows + [Planted(LABELS[0], row.url, frozenset({"same-url", "two-labels"})) for row in twins]


def write(rows: Iterable[Planted], path: Path) -> Path:
    """The list as a CSV."""
    path.write_text("label,url\n" + "".join(f"{row.label},{row.url}\n" for row in rows))
    return path


def astray(rows: Sequence[Planted], lines: Sequence[dict[str, Any]]) -> list[str]:
    """What is wrong with a manifest: a sentence for each row without a line of its own, or with another end.

    Of rows that show one photo, one must be saved.
    """
    by_row: dict[int, list[dict[str, Any]]] = {}
    for line in lines:
        by_row.setdefault(line["row"], []).append(line)
    found = []
    shared = [0, 0]
    for number, row in enumerate(rows, start=2):  # the first line is the header
        ends = by_row.get(number, [])
        if len(ends) != 1:
            found.append(f"line {number} has {len(ends)} ends")
            continue
        kind = ends[0]["kind"]
        if kind not in row.kinds or (kind is not None and not ends[0]["reason"]):
            found.append(f"line {number}, {row.url}: {kind} ({ends[0]['reason']})")
        if len(row.kinds) > 1 and None in row.kinds:
            shared[kind is None] += 1
    if sum(shared) and shared[True] != 1:
        found.append(f"of {sum(shared)} rows with one photo, {shared[True]} were saved")
    return found


def stored(folder: Path) -> list[dict[str, Any]]:
    """The lines of a manifest; half a line at its end is none."""
    path = folder / MANIFEST
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]] if path.exists() else []


def _accounted(workshop: Workshop) -> Measured:
    folder = workshop.empty("fetched")
    with hosts() as (bad, dead, gone):
        rows = planted(bad, dead.origin, gone, EACH, ROWS_OF_LIST)
        path = write(rows, workshop.scratch / "list.csv")
        done = workshop.cli("fetch", path, "-o", folder, *OPTIONS, "--json", memory=False)
    said, wrong = json_of(done), astray(rows, stored(folder))
    missing = len(rows) - said["saved"] - said["skipped"] - said["failed"]
    files = sum(path.is_file() and not path.name.startswith(".") for path in folder.rglob("*"))
    number = len(wrong) + abs(missing) + abs(files - said["saved"])
    words = (
        f"{number} of {len(rows):,}: {said['saved']:,} saved, {said['skipped']:,} skipped, {said['failed']:,} failed "
        f"in {done.seconds:.0f} s, {len(CASES)} kinds of answers {'; '.join(wrong[:3])}"
    )
    return Measured(number, words.strip(), {"kinds": said["kinds"], "seconds": round(done.seconds, 1)})


def _twice(workshop: Workshop) -> Measured:
    """Killed while a host gives an answer, or a moment later; which one is drawn."""
    folder = workshop.empty("killed")
    chance = random.Random(0)
    victims: list[subprocess.Popen[bytes]] = []
    twice = killed = moment = 0

    def answer(visit: Visit) -> bool | None:
        if victims and host.counted().total() >= moment:
            victim = victims.pop()
            visit.ended.wait(chance.uniform(0, 0.05))
            victim.kill()
        return bad_answers.answer(visit)

    with BadHost(answer) as host:
        urls = [f"{host.origin}/{('photo', 'chunked', 'zipped')[n % 3]}/{n}" for n in range(ROWS_OF_LIST)]
        path = write([Planted("rose", url, frozenset({None})) for url in urls], workshop.scratch / "killed.csv")
        command = [sys.executable, "-m", "finegraft", "fetch", str(path), "-o", str(folder), *OPTIONS]
        before = Counter[str]()
        for _ in range(KILLS):
            moment = host.counted().total() + chance.randrange(2, 2 * ROWS_OF_LIST // (KILLS + 2))
            process = subprocess.Popen(command, env=workshop.environment(), stdout=subprocess.DEVNULL)
            victims[:] = [process]
            killed += process.wait() == -signal.SIGKILL
            asked = host.counted()
            twice += sum(asked[place] - count for place, count in before.items())
            before = Counter({place: asked[place] for place in _saved(folder, host.origin)})
        last = watch.checked(watch.run(command, env=workshop.environment(), cores=CORES, memory=False))
        asked = host.counted()
        twice += sum(asked[place] - count for place, count in before.items())
    lost = len(urls) - len(_saved(folder, host.origin))
    words = (
        f"{twice} fetched again, {lost} missing in the end; killed {killed} times, the last run {last.seconds:.0f} s"
    )
    return Measured(twice + lost, words)


def _saved(folder: Path, origin: str) -> set[str]:
    """The paths at the host of what is in the folder."""
    lines = (line for line in stored(folder) if line["outcome"] == "saved")
    return {line["url"].removeprefix(origin) for line in lines if (folder / line["path"]).exists()}


def _sockets(workshop: Workshop) -> Measured:
    if not shutil.which("strace"):
        raise CannotMeasureError("strace is not installed")
    with hosts() as (bad, dead, gone):
        rows = planted(bad, dead.origin, gone, each=4, total=400)
        listed = {f"{host.address}:{host.port}" for host in (*bad, dead)} | {gone.removeprefix("http://")}
        path = write(rows, workshop.scratch / "traced.csv")
        allowed = _traced(workshop, "allowed", path, *OPTIONS)
        refused = _traced(workshop, "refused", path, *OPTIONS[1:])
    strangers = sorted({place for place in allowed if place not in listed} | set(refused))
    asked = len(set(allowed) & listed)
    words = f"{len(strangers)} {' '.join(strangers)}".strip()
    return Measured(len(strangers), f"{words}; {asked} of {len(listed)} hosts reached, none without --allow-private")


def _traced(workshop: Workshop, name: str, path: Path, *options: str) -> list[str]:
    """The places that `fetch` opened connections to."""
    log = workshop.scratch / f"sockets-{name}"
    trace = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", "signal=none"]
    trace += ["-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", str(log)]
    command = [sys.executable, "-m", "finegraft", "fetch", path, "-o", workshop.empty(f"traced-{name}"), *options]
    watch.checked(watch.run([*trace, *command], env=workshop.environment(), memory=False), codes=(0, 1))
    return reached(log.read_text(errors="replace").splitlines())


def reached(trace: Iterable[str]) -> list[str]:
    """The addresses and ports in lines of `strace`, one for every call."""
    found = (SOCKET.search(line) for line in trace)
    return [f"{match[2] or match[3]}:{match[1]}" for match in found if match]


ROWS = [
    Promise(
        "dirt-5-accounted",
        "2,000 rows from hosts that misbehave in every way: rows without their right end and reason",
        at_most(0),
        COMMAND,
        _accounted,
    ),
    Promise(
        "dirt-5-twice",
        f"2,000 photos, killed at {KILLS} moments and resumed: fetched again after they were saved, or missing",
        at_most(0),
        "finegraft fetch LIST -o DIR, kill -9, the same again",
        _twice,
    ),
    Promise(
        "dirt-5-sockets",
        "connections to anything but the hosts of the list; to any of them without leave, all being private",
        at_most(0),
        "strace -f -e trace=connect,sendto,sendmsg,sendmmsg finegraft fetch LIST -o DIR",
        _sockets,
    ),
]

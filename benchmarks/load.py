"""Load on the server, beside what the same model reaches in this process: `python -m benchmarks.load MODEL.fg FOLDER`.

    python -m benchmarks.load MODEL.fg FOLDER [--clients 32] [--seconds 10] [--rounds 3] [--soak 0]

Server and clients share the machine. In turn, `rounds` times: in-process, the photos of FOLDER (at most 200) are
answered by `Predictor.predict_many`, then one by one; then `clients` clients ask the server without a pause for
`seconds`, then one client. Every answer is compared with the in-process one. Prints one JSON object: medians of
`inside` and `served` (photos a second), `inside_ms` and `alone_ms` (median of one at a time), `p99_ms` under load, and
how many answers were `asked`, `wrong` and `lost` (no answer at all). With --soak SECONDS the clients go on that long at
the end, and `grown` is by how many MB the server's memory (PSS) grew from a tenth of that time to its end.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line sets it

import argparse
import asyncio
import contextlib
import itertools
import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import finegraft as fg
from finegraft.inference.bundle import TOLERANCE
from finegraft.inference.prediction import Prediction
from finegraft.inference.predictor import Predictor

PHOTOS = 200


@dataclass
class Load:
    """What clients were told: seconds of each answer, and how many were `wrong` or `lost`."""

    seconds: list[float] = field(default_factory=list)
    wrong: int = 0
    lost: int = 0


@dataclass(frozen=True)
class Server:
    """A server's process and where it listens."""

    process: subprocess.Popen[str]
    host: str
    port: int

    @property
    def memory(self) -> int:
        """Bytes of memory it holds, PSS."""
        rollup = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        (line,) = (line for line in rollup.splitlines() if line.startswith("Pss:"))
        return int(line.split()[1]) * 1024


@contextlib.contextmanager
def serving(model: Path) -> Iterator[Server]:
    """`finegraft serve` on a free port, ready to answer."""
    command = [sys.executable, "-m", "finegraft", "serve", str(model), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            told = json.loads(process.stderr.readline())
            host, _, port = told["url"].removeprefix("http://").partition(":")
            for line in process.stderr:
                if json.loads(line)["event"] == "ready":
                    break
            threading.Thread(target=_drained, args=(process.stderr,), daemon=True).start()
            yield Server(process, host, int(port))
        finally:
            process.terminate()


def _drained(log: IO[str]) -> None:
    """Read it to its end: a full pipe would stop the server."""
    for _ in log:
        pass


async def _client(server: Server, contents: list[bytes], wanted: list[Any], first: int, end: float, load: Load) -> None:
    """One client on one connection, photo after photo from number `first` on."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    for number in itertools.islice(itertools.cycle(range(len(contents))), first, None):
        if time.perf_counter() >= end:
            break
        content, started = contents[number], time.perf_counter()
        writer.write(b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(content) + content)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
            told = json.loads(await reader.readexactly(length))
        except (OSError, asyncio.IncompleteReadError):
            load.lost += 1
            reader, writer = await asyncio.open_connection(server.host, server.port)
            continue
        load.seconds.append(time.perf_counter() - started)
        load.wrong += not _same(told, wanted[number])
    writer.close()


def _same(told: dict[str, Any], wanted: Prediction) -> bool:
    rows = told.get("predictions", [{}])
    if rows[0].get("label") != wanted.label:
        return False
    got = {row["label"]: row["probability"] for row in rows[0]["ranking"]}
    return all(abs(got[label] - probability) <= TOLERANCE for label, probability in wanted.ranking)


def asked(server: Server, contents: list[bytes], wanted: list[Any], clients: int, seconds: float) -> Load:
    """So many clients for so long."""
    load, end = Load(), time.perf_counter() + seconds

    async def run() -> None:
        starts = [n * len(contents) // clients for n in range(clients)]
        await asyncio.gather(*(_client(server, contents, wanted, start, end, load) for start in starts))

    asyncio.run(run())
    return load


def _inside(predictor: Predictor, contents: list[bytes]) -> tuple[float, float]:
    """Photos a second of many, and the median milliseconds of one at a time."""
    started = time.perf_counter()
    list(predictor.predict_many(contents))
    rate = len(contents) / (time.perf_counter() - started)
    each = []
    for content in contents[:50]:
        started = time.perf_counter()
        predictor.predict_batch([content])
        each.append(time.perf_counter() - started)
    return rate, 1000 * statistics.median(each)


def measure(model: Path, folder: Path, clients: int, seconds: float, rounds: int, soak: float) -> dict[str, Any]:
    """All of it."""
    predictor = fg.load(model)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    contents = [path.read_bytes() for path in files[:: max(1, len(files) // PHOTOS)][:PHOTOS]]
    wanted = list(predictor.predict_many(contents))
    inside, served, alone, slowest, total = [], [], [], [], Load()
    with serving(model) as server:
        asked(server, contents, wanted, clients, 1)
        for _ in range(rounds):
            inside.append(_inside(predictor, contents))
            load = asked(server, contents, wanted, clients, seconds)
            served.append(len(load.seconds) / seconds)
            slowest.append(1000 * statistics.quantiles(load.seconds, n=100)[98])
            one = asked(server, contents, wanted, 1, max(seconds / 2, 1))
            alone.append(1000 * statistics.median(one.seconds))
            _add(total, load, one)
        grown = _soaked(server, contents, wanted, clients, soak, total) if soak else None
    return {
        "inside": statistics.median(rate for rate, _ in inside),
        "inside_ms": statistics.median(each for _, each in inside),
        "served": statistics.median(served),
        "alone_ms": statistics.median(alone),
        "p99_ms": statistics.median(slowest),
        "asked": len(total.seconds) + total.lost,
        "wrong": total.wrong,
        "lost": total.lost,
        "grown": grown,
    }


def _soaked(
    server: Server, contents: list[bytes], wanted: list[Any], clients: int, seconds: float, total: Load
) -> float:
    """MB by which the server's memory grew after the first tenth of `seconds`."""
    _add(total, asked(server, contents, wanted, clients, seconds / 10))
    before = server.memory
    _add(total, asked(server, contents, wanted, clients, seconds * 9 / 10))
    return (server.memory - before) / 2**20


def _add(total: Load, *others: Load) -> None:
    for load in others:
        total.seconds += load.seconds
        total.wrong += load.wrong
        total.lost += load.lost


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--soak", type=float, default=0)
    given = parser.parse_args()
    print(json.dumps(measure(given.model, given.folder, given.clients, given.seconds, given.rounds, given.soak)))


if __name__ == "__main__":
    main()

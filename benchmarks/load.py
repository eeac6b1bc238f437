"""Load on the server, beside what the same model reaches in this process: `python -m benchmarks.load MODEL.fg FOLDER`.

    python -m benchmarks.load MODEL.fg FOLDER [--clients 32] [--seconds 10] [--rounds 3] [--soak 0] [--tensors DIR]

Server and clients share the machine. In turn, `rounds` times: in-process, the photos of FOLDER (at most 200) are
answered by `Predictor.predict_many`, then one by one; then `clients` clients ask the server without a pause for
`seconds`, then one client. Every answer is compared with the in-process one. Prints one JSON object: medians of
`inside` and `served` (photos a second), `inside_ms` and `alone_ms` (median of one at a time), `p99_ms` under load, and
how many answers were `asked`, `wrong` and `lost` (an error, or no answer at all). With --soak SECONDS the clients go on
that long at the end, and `grown` is by how many MB the server's memory (PSS) grew from a tenth of that time to its end.
With the tensors of the same model (`finegraft export RUN -o DIR --to torch`) other servers are asked in the same
rounds, and `rivals` has `served`, `alone_ms` and `p99_ms` of each, and the share of its labels that are ours (`same`).
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line sets it

import argparse
import asyncio
import itertools
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import finegraft as fg
from benchmarks.kept_alive import Client
from benchmarks.served import Server, serving
from benchmarks.serving_rivals.running import RIVALS, Rival, interpreter, running
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

    def add(self, *others: Load) -> None:
        """Theirs too."""
        for load in others:
            self.seconds += load.seconds
            self.wrong += load.wrong
            self.lost += load.lost


@dataclass(frozen=True)
class Asking:
    """What clients ask: `bodies`, one after the other; `right` says whether an answer to number n is."""

    client: Callable[[], Client]
    bodies: Sequence[bytes]
    right: Callable[[Any, int], bool]

    async def _one(self, first: int, end: float, load: Load) -> None:
        """One client on one connection, photo after photo from number `first` on."""
        client = self.client()
        for number in itertools.islice(itertools.cycle(range(len(self.bodies))), first, None):
            started = time.perf_counter()
            if started >= end:
                break
            try:
                heard = await client.ask(self.bodies[number])
            except (OSError, EOFError):
                load.lost += 1
                continue
            if heard.status != 200:
                load.lost += 1
                continue
            load.seconds.append(time.perf_counter() - started)
            load.wrong += not self.right(json.loads(heard.content), number)
        client.close()

    def by(self, clients: int, seconds: float) -> Load:
        """So many clients for so long."""
        load, end = Load(), time.perf_counter() + seconds

        async def run() -> None:
            starts = [n * len(self.bodies) // clients for n in range(clients)]
            await asyncio.gather(*(self._one(start, end, load) for start in starts))

        asyncio.run(run())
        return load


@dataclass(frozen=True)
class Rate:
    """Of one round: photos a second and the slowest of a hundred under load, the median of one client."""

    served: float
    p99_ms: float
    alone_ms: float

    @classmethod
    def of(cls, many: Load, one: Load, seconds: float) -> Rate:
        """From what many clients were told in `seconds`, and one."""
        slowest = 1000 * statistics.quantiles(many.seconds, n=100)[98]
        return cls(len(many.seconds) / seconds, slowest, 1000 * statistics.median(one.seconds))


def medians(rates: Sequence[Rate]) -> dict[str, float]:
    """Of all rounds, each by itself."""
    return {name: statistics.median(vars(rate)[name] for rate in rates) for name in ("served", "p99_ms", "alone_ms")}


def contents_of(folder: Path) -> list[bytes]:
    """The photos that are asked for."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path.read_bytes() for path in files[:: max(1, len(files) // PHOTOS)][:PHOTOS]]


def ours(server: Server, contents: Sequence[bytes], wanted: Sequence[Any]) -> Asking:
    """Of our server; right is what the model says in this process."""
    return Asking(lambda: Client(server.host, server.port), contents, lambda told, number: _same(told, wanted[number]))


def _same(told: dict[str, Any], wanted: Prediction) -> bool:
    rows = told.get("predictions", [{}])
    if rows[0].get("label") != wanted.label:
        return False
    got = {row["label"]: row["probability"] for row in rows[0]["ranking"]}
    return all(abs(got[label] - probability) <= TOLERANCE for label, probability in wanted.ranking)


def theirs(rival: Rival, port: int, contents: Sequence[bytes], wanted: Sequence[Any]) -> Asking:
    """Of a rival, which resizes in its own way: right is the same label."""
    return Asking(
        lambda: Client("127.0.0.1", port, "/predict", rival.kind),
        [rival.body(content) for content in contents],
        lambda told, number: told["label"] == wanted[number].label,
    )


def _inside(predictor: Predictor, alone: Predictor, contents: list[bytes]) -> tuple[float, float]:
    """Photos a second of many by `predictor`, and the median milliseconds of one at a time by `alone`, which was asked
    for no more: all processors work on each.
    """
    started = time.perf_counter()
    list(predictor.predict_many(contents))
    rate = len(contents) / (time.perf_counter() - started)
    each = []
    for content in contents[:50]:
        started = time.perf_counter()
        alone.predict(content)
        each.append(time.perf_counter() - started)
    return rate, 1000 * statistics.median(each)


class Rivals:
    """The other servers: one of them runs at a time, and only while it is asked."""

    def __init__(self, tensors: Path, contents: Sequence[bytes], wanted: Sequence[Any]) -> None:
        self._python, self._tensors = interpreter(), tensors
        self._contents, self._wanted = contents, wanted
        self._rates: dict[str, list[Rate]] = {rival.name: [] for rival in RIVALS}
        self._loads = {rival.name: Load() for rival in RIVALS}

    def round(self, clients: int, seconds: float) -> None:
        """Ask each as ours was asked."""
        for rival in RIVALS:
            with running(rival, self._python, self._tensors) as port:
                asking = theirs(rival, port, self._contents, self._wanted)
                asking.by(clients, 3)  # its workers begin slowly
                many, one = asking.by(clients, seconds), asking.by(1, max(seconds / 2, 1))
                if min(len(many.seconds), len(one.seconds)) < 2:
                    raise RuntimeError(f"{rival.name} does not answer photos.")
                self._rates[rival.name].append(Rate.of(many, one, seconds))
                self._loads[rival.name].add(many, one)

    def to_json(self) -> dict[str, dict[str, float]]:
        """By name."""
        return {
            name: {**medians(rates), "same": 1 - load.wrong / len(load.seconds), "lost": load.lost}
            for (name, rates), load in zip(self._rates.items(), self._loads.values(), strict=True)
        }


def measure(
    model: Path, folder: Path, clients: int, seconds: float, rounds: int, soak: float, tensors: Path | None = None
) -> dict[str, Any]:
    """All of it."""
    predictor, alone, contents = fg.load(model), fg.load(model), contents_of(folder)
    answers = list(predictor.predict_many(contents))
    contents = [content for content, answer in zip(contents, answers, strict=True) if isinstance(answer, Prediction)]
    wanted = [answer for answer in answers if isinstance(answer, Prediction)]
    rivals = None if tensors is None else Rivals(tensors, contents, wanted)
    inside, rates, total = [], [], Load()
    with serving(model) as server:
        asking = ours(server, contents, wanted)
        asking.by(clients, 1)
        for _ in range(rounds):
            inside.append(_inside(predictor, alone, contents))
            many, one = asking.by(clients, seconds), asking.by(1, max(seconds / 2, 1))
            rates.append(Rate.of(many, one, seconds))
            total.add(many, one)
            if rivals is not None:
                rivals.round(clients, seconds)
        grown = _soaked(server, asking, clients, soak, total) if soak else None
    return {
        "inside": statistics.median(rate for rate, _ in inside),
        "inside_ms": statistics.median(each for _, each in inside),
        **medians(rates),
        "asked": len(total.seconds) + total.lost,
        "wrong": total.wrong,
        "lost": total.lost,
        "grown": grown,
        "rivals": None if rivals is None else rivals.to_json(),
    }


def _soaked(server: Server, asking: Asking, clients: int, seconds: float, total: Load) -> float:
    """MB by which the server's memory grew after the first tenth of `seconds`."""
    total.add(asking.by(clients, seconds / 10))
    before = server.memory
    total.add(asking.by(clients, seconds * 9 / 10))
    return (server.memory - before) / 2**20


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--soak", type=float, default=0)
    parser.add_argument("--tensors", type=Path, help="the same model as tensors, for other servers")
    asked = parser.parse_args()
    found = measure(asked.model, asked.folder, asked.clients, asked.seconds, asked.rounds, asked.soak, asked.tensors)
    print(json.dumps(found))


if __name__ == "__main__":
    main()

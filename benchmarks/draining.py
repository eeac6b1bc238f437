"""SIGTERM under load, again and again: `python -m benchmarks.draining MODEL.fg FOLDER [--times 20] [--clients 32]`.

Each time a server starts, `clients` clients ask it without a pause, each on one connection that it has been answered
on, and at a random moment the signal comes. A client goes on until it is told that the server ends. Prints one JSON
object: how many requests were `answered`, `refused` (503) and `lost` (neither), how many were `under_way` when a signal
came, how many had another status (`odd`), and how many servers did not end with exit code 0 (`unclean`).
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import json
import random
import signal
from collections.abc import Sequence
from pathlib import Path

from benchmarks.kept_alive import Client
from benchmarks.load import contents_of
from benchmarks.served import PATIENCE, Server, serving

Counts = collections.Counter[str]


async def _client(
    server: Server, contents: Sequence[bytes], first: int, begun: asyncio.Barrier, counts: Counts
) -> None:
    client = Client(server.host, server.port)
    for number in range(first, 10**9):
        counts["now"] += 1
        try:
            heard = await asyncio.wait_for(client.ask(contents[number % len(contents)]), PATIENCE)
        except (OSError, EOFError, TimeoutError):
            counts["lost"] += 1
            return
        finally:
            counts["now"] -= 1
        counts[{200: "answered", 503: "refused"}.get(heard.status, "odd")] += 1
        if number == first:
            await begun.wait()
        if heard.last:
            return


async def ended_under_load(server: Server, contents: Sequence[bytes], clients: int, wait: float) -> Counts:
    """Signal the server after `wait` seconds of so many clients, and hear them out."""
    counts, begun = Counts(), asyncio.Barrier(clients + 1)
    asking = [asyncio.create_task(_client(server, contents, n, begun, counts)) for n in range(clients)]
    async with asyncio.timeout(PATIENCE):
        await begun.wait()
    await asyncio.sleep(wait)
    counts["under_way"] = counts["now"]
    server.process.send_signal(signal.SIGTERM)
    await asyncio.gather(*asking)
    del counts["now"]
    return counts


def measure(model: Path, folder: Path, times: int, clients: int, seed: int = 0) -> dict[str, int]:
    """All of it."""
    contents, dice = contents_of(folder), random.Random(seed)
    counts = Counts(dict.fromkeys(("answered", "refused", "lost", "under_way", "odd", "unclean"), 0))
    for _ in range(times):
        with serving(model) as server:
            counts.update(asyncio.run(ended_under_load(server, contents, clients, dice.random())))
            counts["unclean"] += server.process.wait(PATIENCE) != 0
    return {"times": times, **counts}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--clients", type=int, default=32)
    asked = parser.parse_args()
    print(json.dumps(measure(asked.model, asked.folder, asked.times, asked.clients)))


if __name__ == "__main__":
    main()

"""How a list is fetched: how much at once, how long, how large, and what is permitted."""

from __future__ import annotations

from dataclasses import dataclass

from finegraft import __version__


@dataclass(frozen=True)
class Settings:
    """All limits of one fetch. Times are in seconds, sizes in bytes.

    `workers` rows are under way at once, `per_host` of them at one host: browsers open six connections to a host, we
    stay below. `timeout` is for one photo with all its redirects, `connect` for one connection, `silence` between two
    bytes. `max_bytes` is that of a request to `serve`. A passing failure is tried `retries` times more, after
    `backoff`, twice, four times as long, each time by chance up to half more or less; where the host asks to wait
    longer than `longest_wait`, the row waits for the next run.
    """

    workers: int = 16
    per_host: int = 4
    retries: int = 3
    timeout: float = 60.0
    connect: float = 10.0
    silence: float = 20.0
    backoff: float = 0.5
    longest_wait: float = 60.0
    max_bytes: int = 20 * 2**20
    redirects: int = 5
    allow_private: bool = False
    obey_robots: bool = True
    user_agent: str = f"finegraft/{__version__}"

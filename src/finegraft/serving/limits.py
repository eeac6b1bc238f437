"""What one request may cost: read before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from finegraft.errors import UsageError


@dataclass(frozen=True)
class Limits:
    """`body` bytes of a request in all, in at most `files` files; `queue` files accepted and not yet answered, and
    `held` bytes of all requests together.

    `seconds` from a request's last byte to its answer; `receiving` for its body to arrive, with no `pause` longer than
    that many seconds; `head` seconds for its first lines; `connections` at a time. Photos have the decoder's own limit,
    64 million pixels.
    """

    body: int = 20 * 2**20
    files: int = 64
    queue: int = 64
    held: int = 512 * 2**20
    seconds: float = 30.0
    receiving: float = 30.0
    pause: float = 10.0
    head: float = 10.0
    connections: int = 1000

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise UsageError(f"The limit {name} must be above 0, got {value!r}.")

"""The errors of the API: a status, a code a program can read, a sentence a person can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Code of a file that cannot be answered -> status of a request that held this one file alone.
OF_FILES = {"too-large": 413, "not-a-photo": 415}


class Problem(Exception):
    """A request that gets no answer. `headers` go with it."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def to_json(self) -> dict[str, Any]:
        """The one envelope of all errors."""
        return {"error": {"code": self.code, "message": self.message}}


def of_file(code: str, message: str) -> Problem:
    """That of a request whose only file cannot be answered."""
    return Problem(OF_FILES.get(code, 400), code, message)


def too_large(limit: int) -> Problem:
    """A body of more than `limit` bytes."""
    return Problem(
        413,
        "too-large",
        f"A request may have {limit / 2**20:g} MB at most. Send smaller photos, or fewer.",
        {"Connection": "close"},
    )


def queue_full() -> Problem:
    """More files than the server takes at a time."""
    return Problem(
        429, "queue-full", "The server is busy. Try again in a second.", {"Retry-After": "1", "Connection": "close"}
    )


def shutting_down() -> Problem:
    """A server that is told to end."""
    return Problem(503, "shutting-down", "The server is shutting down.", {"Retry-After": "1"})


def too_late(seconds: float) -> Problem:
    """No answer in time."""
    return Problem(504, "too-late", f"There was no answer within {seconds:g} seconds.")


def not_kept() -> Problem:
    """A verdict that could not be written: a full disk, say. The log has the reason, which is not the client's."""
    return Problem(507, "not-kept", "The verdict could not be written down; it may be sent again later.")


def too_many_connections() -> Problem:
    """More clients than the server talks to at a time."""
    return Problem(503, "busy", "Too many are connected. Try again later.", {"Retry-After": "1", "Connection": "close"})


def no_http() -> Problem:
    """Bytes that are no request."""
    return Problem(400, "bad-request", "This is no HTTP request that can be understood.", {"Connection": "close"})


def broken_off() -> Problem:
    """A client that ended its side of the connection in the middle of a request."""
    return Problem(400, "gone", "The request ends before it is whole.", {"Connection": "close"})


def too_slow() -> Problem:
    """A client that does not send what it announced."""
    return Problem(408, "too-slow", "The request did not arrive in time.", {"Connection": "close"})

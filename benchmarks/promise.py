"""A promise: one number wanted, the command a person can type, and the function that measures it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from benchmarks.workshop import Workshop

Verdict = Literal["pass", "fail", "skipped"]


class CannotMeasureError(Exception):
    """Something a measurement needs is not on this machine; the message says what. The row is skipped, not failed."""


@dataclass(frozen=True)
class Wanted:
    """A limit on one number, in words and as a check."""

    words: str
    holds: Callable[[float], bool]


def at_least(limit: float, unit: str = "") -> Wanted:
    """`number ≥ limit`."""
    return Wanted(f"≥ {limit:g} {unit}".strip(), lambda number: number >= limit)


def at_most(limit: float, unit: str = "") -> Wanted:
    """`number ≤ limit`."""
    return Wanted(f"≤ {limit:g} {unit}".strip(), lambda number: number <= limit)


def within(low: float, high: float, unit: str = "") -> Wanted:
    """`low ≤ number ≤ high`."""
    return Wanted(f"{low:g} to {high:g} {unit}".strip(), lambda number: low <= number <= high)


@dataclass(frozen=True)
class Measured:
    """The number that is judged, its sentence in the table, and further figures kept in acceptance.json."""

    number: float
    words: str
    figures: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Promise:
    """One row. `id` is `topic-line-name`; `what` and `command` are shown as they are.

    `measure` may raise `CannotMeasureError`; any other exception is a failed row with the exception's text.
    """

    id: str
    what: str
    wanted: Wanted
    command: str
    measure: Callable[[Workshop], Measured]

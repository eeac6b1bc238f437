"""Why a row of a list is not saved: the kinds there are, and the error that carries one."""

from __future__ import annotations

from typing import Literal

from finegraft.data.findings import KINDS as FINDINGS
from finegraft.data.findings import LEAVES_OUT

Outcome = Literal["saved", "skipped", "failed"]

# kind -> what it means in words. What opening a photo shows has the names it has everywhere.
KINDS: dict[str, str] = {
    "bad-row": "the row has no address, no label, or broken cells",
    "bad-url": "not a plain http or https address",
    "private": "the address does not lead into the public internet",
    "robots": "the host asks programs to keep away from it",
    "unreachable": "no connection to the host",
    "timeout": "the host was too slow",
    "status": "the host answered with an error",
    "redirects": "redirected too often, or to nowhere",
    "broken": "the answer broke off, or is no proper HTTP",
    **{kind: words for kind, words in FINDINGS.items() if kind in LEAVES_OUT - {"misplaced"}},  # a place is given to it
    "same-url": "the same address as another row",
    "same-bytes": "the same photo as another row's, from another address",
    "two-labels": "the same photo as another row's, under another label",
}
_SKIPPED = frozenset({"robots", "same-url", "same-bytes", "two-labels"})


class Trouble(Exception):
    """Why one row is not saved.

    `kind` is one of `KINDS`, `reason` the sentence a person reads. `passing` says that another try may end better,
    `wait` after how many seconds, if the host said so, and `busy` that it was asked too much. `dead` names the origin
    that gave no connection, `size` the bytes known of a photo that has too many.
    """

    def __init__(
        self,
        kind: str,
        reason: str,
        *,
        passing: bool = False,
        wait: float | None = None,
        busy: bool = False,
        dead: str | None = None,
        size: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.passing = passing
        self.wait = wait
        self.busy = busy
        self.dead = dead
        self.size = size


def outcome_of(kind: str) -> Outcome:
    """ "skipped" for what was left on purpose, "failed" for what could not be had."""
    return "skipped" if kind in _SKIPPED else "failed"

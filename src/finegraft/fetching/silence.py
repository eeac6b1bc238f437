"""Hosts that are left alone for the rest of a run: gone, failing, or asking for it."""

from __future__ import annotations

from collections import Counter

from finegraft.fetching.reasons import Trouble
from finegraft.fetching.urls import Url

# So many times without a connection in a row: lists of some age hold thousands of addresses of hosts that are gone,
# and each would cost every try its time limit.
DEAF = 8


class Silence:
    """Remembers which hosts gave no connection lately, and which asked to be left alone."""

    def __init__(self) -> None:
        self._failures: Counter[str] = Counter()
        self._last: dict[str, Trouble] = {}
        self._left_alone: dict[str, tuple[str, str]] = {}

    def holds(self, url: Url) -> bool:
        """Whether `url`'s host is left alone."""
        return url.origin in self._left_alone

    def must_not_hold(self, url: Url) -> None:
        """Raises `Trouble` where `url`'s host is left alone."""
        if self.holds(url):
            kind, why = self._left_alone[url.origin]
            raise Trouble(kind, f"{url.authority} is left alone until the next run. {why}", passing=True)

    def heard(self, url: Url, trouble: Trouble | None) -> None:
        """Take note of how a question for `url` ended; None where it was answered well."""
        if trouble is None or trouble.dead != url.origin:
            self._failures.pop(url.origin, None)
            self._last.pop(url.origin, None)
        elif self._last.get(url.origin) is not trouble:  # one robots.txt is waited for by many
            self._last[url.origin] = trouble
            self._failures[url.origin] += 1
            if self._failures[url.origin] >= DEAF:
                self.leave_alone(url, trouble.kind, f"It failed {DEAF} times in a row, at last so: {trouble.reason}")

    def leave_alone(self, url: Url, kind: str, why: str) -> None:
        """Ask `url`'s host nothing more; its rows end with this kind and reason."""
        self._left_alone.setdefault(url.origin, (kind, why))

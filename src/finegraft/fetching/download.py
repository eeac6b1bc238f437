"""One address to the bytes it leads to: redirects followed, robots.txt asked, every limit kept."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from http import HTTPStatus

from finegraft.fetching import robots
from finegraft.fetching.connections import Connections
from finegraft.fetching.encodings import decoded
from finegraft.fetching.exchange import Answer, Head, Wanted
from finegraft.fetching.patience import asked_to_wait
from finegraft.fetching.reasons import Trouble
from finegraft.fetching.settings import Settings
from finegraft.fetching.urls import Url, join

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# 4xx that time may mend; of 5xx, those it will not: not implemented, no such version, a network that wants a login.
_PASSING = frozenset({408, 425, 429})
_LASTING = frozenset({501, 505, 511})
_SMALL = 64 * 1024  # bytes of an answer nobody wants that are read all the same, to keep the connection
_ACCEPTED = {"Accept": "image/jpeg,image/png,image/*;q=0.9,*/*;q=0.5", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Download:
    """What an address led to: `url` after redirects, the head of the last answer, and the content."""

    url: Url
    head: Head
    content: bytes


class Downloader:
    """Gets addresses, many at once, and keeps to `per_host` connections for each host."""

    def __init__(self, settings: Settings, connections: Connections) -> None:
        self._settings = settings
        self._connections = connections
        self._headers = {"User-Agent": settings.user_agent, **_ACCEPTED}
        self._slots: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(settings.per_host))
        self._rules: dict[str, asyncio.Task[robots.Rules]] = {}

    async def get(self, url: Url) -> Download:
        """The content at `url`. Raises `Trouble` with the kind and the sentence where there is none to be had."""
        final, answer = await self._followed(url, self._wanted, obey=self._settings.obey_robots)
        if answer.head.status != HTTPStatus.OK:
            raise _refused(final, answer.head)
        if self._opted_out(answer.head):
            tag = answer.head.headers["x-robots-tag"][:80]
            raise Trouble(
                "robots",
                f"{final.authority} asks not to train on this photo (X-Robots-Tag: {tag}). --ignore-robots takes it.",
            )
        most = self._settings.max_bytes
        encoding = answer.head.headers.get("content-encoding", "")
        content = None if answer.cut else decoded(answer.body, encoding, most)
        if content is None:
            raise _too_large(answer.head, most)
        return Download(final, answer.head, content)

    def pause(self, origin: str) -> float:
        """The seconds that `origin`, as far as is known, wants between two requests."""
        known = self._rules.get(origin)
        return known.result().pause if known and known.done() and not known.exception() else 0.0

    async def _followed(self, url: Url, wanted: Wanted, obey: bool) -> tuple[Url, Answer]:
        """Where `url` leads in the end, and the answer there. Every step is checked anew."""
        left = self._settings.timeout
        for _ in range(self._settings.redirects + 1):
            if obey:
                await self._must_be_permitted(url)
            async with self._slots[url.origin]:
                begun = time.monotonic()
                answer = await self._asked(url, wanted, left)
                left -= time.monotonic() - begun
            location = answer.head.headers.get("location")
            if answer.head.status not in _REDIRECTS or location is None:
                return url, answer
            url = join(url, location)
        raise Trouble("redirects", f"Redirected more than {self._settings.redirects} times, at last to {url}.")

    async def _asked(self, url: Url, wanted: Wanted, seconds: float) -> Answer:
        try:
            async with asyncio.timeout(seconds):
                return await self._connections.ask(url, self._headers, wanted)
        except TimeoutError as error:
            # Whatever waits for one byte ends sooner. This host was sending all the time: it would again.
            reason = f"{url.authority} had not sent everything after {self._settings.timeout:g} s."
            raise Trouble("timeout", reason) from error

    def _wanted(self, head: Head) -> int:
        """The bytes of a photo that are worth reading: none of one that is announced to be too large."""
        if head.status != HTTPStatus.OK or self._opted_out(head):
            return _SMALL
        announced = int(head.headers.get("content-length") or 0)
        return self._settings.max_bytes if announced <= self._settings.max_bytes else 0

    def _opted_out(self, head: Head) -> bool:
        return self._settings.obey_robots and robots.opted_out(head.headers.get("x-robots-tag", ""))

    async def _must_be_permitted(self, url: Url) -> None:
        """Raises `Trouble`: "robots" where robots.txt forbids `url`, another kind where it could not be had."""
        known = self._rules.get(url.origin)
        if known is None or (known.done() and (known.cancelled() or known.exception())):
            # One task: all who wait for it share its end, and the next one tries again where it failed.
            known = self._rules[url.origin] = asyncio.create_task(self._rules_of(url))
        if not (await asyncio.shield(known)).allows(url.path):
            reason = f"robots.txt of {url.authority} forbids it. --ignore-robots fetches it all the same."
            raise Trouble("robots", reason)

    async def _rules_of(self, url: Url) -> robots.Rules:
        """What `url`'s host permits: all where it has no robots.txt, nothing while that fails (RFC 9309, 2.3.1)."""
        try:
            place = replace(url, path="/robots.txt")
            final, answer = await self._followed(place, lambda _: robots.MAX_BYTES, obey=False)
            if answer.head.status == HTTPStatus.OK:
                return robots.parse(answer.body.decode("utf-8", "replace"), self._settings.user_agent)
            refused = _refused(final, answer.head)
            if not refused.passing:
                return robots.Rules()
            raise refused
        except Trouble as trouble:
            if trouble.kind == "redirects":
                return robots.Rules()
            if trouble.kind != "private" and trouble.dead != url.origin:
                trouble.reason = f"Nothing is fetched from {url.authority} without its robots.txt. {trouble.reason}"
                trouble.dead = url.origin
            raise


def _refused(url: Url, head: Head) -> Trouble:
    """The error of an answer that is not 200."""
    status = head.status
    try:
        words = f"{status} ({HTTPStatus(status).phrase})"
    except ValueError:
        words = str(status)
    passing = status in _PASSING or (status >= 500 and status not in _LASTING)
    wait = asked_to_wait(head.headers.get("retry-after")) if passing else None
    busy = status == HTTPStatus.TOO_MANY_REQUESTS
    return Trouble("status", f"{url.authority} answered {words}.", passing=passing, wait=wait, busy=busy)


def _too_large(head: Head, most: int) -> Trouble:
    announced = int(head.headers.get("content-length") or 0)
    limit = f"{most / 2**20:,.3g} MB"
    size = f"{announced / 2**20:,.1f} MB" if announced > most else f"more than {limit}"
    reason = f"The file has {size}; at most {limit} are fetched (--max-size)."
    return Trouble("too-large", reason, size=max(announced, most + 1))

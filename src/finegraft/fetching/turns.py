"""Whose turn it is: rows of many hosts in parallel, few of one host at once, and none of a host that rests."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class _Host(Generic[T]):
    name: str
    most: int
    waiting: deque[T] = field(default_factory=deque)
    active: int = 0
    resting: int = 0  # rests under way: they may overlap
    queued: bool = False

    @property
    def ready(self) -> bool:
        return bool(self.waiting) and self.active < self.most and not self.resting and not self.queued


class Turns(Generic[T]):
    """Gives out `items` until each is `done`; `per_host` of one host at a time, hosts taking turns.

    Whoever takes an item must end its turn by `done` or `again`. Needs a running event loop, and one thread.
    """

    def __init__(self, items: Iterable[T], host_of: Callable[[T], str], per_host: int) -> None:
        self._host_of = host_of
        self._hosts: dict[str, _Host[T]] = {}
        self._ready: deque[_Host[T]] = deque()
        self.left = 0  # items that are not done
        self._news = asyncio.Event()
        for item in items:
            host = self._hosts.setdefault(host_of(item), _Host(host_of(item), per_host))
            host.waiting.append(item)
            self.left += 1
        for host in self._hosts.values():
            self._offer(host)

    async def take(self) -> T | None:
        """The next item, as soon as its host may be asked; None when all are done."""
        while True:
            while self._ready:
                host = self._ready.popleft()
                host.queued = False
                if host.ready:  # it may rest since it was queued
                    host.active += 1
                    item = host.waiting.popleft()
                    self._offer(host)
                    return item
            if not self.left:
                return None
            self._news.clear()
            await self._news.wait()

    def done(self, item: T) -> None:
        """End the turn of `item` for good."""
        self.left -= 1
        self._end_turn(item)
        if not self.left:
            self._news.set()

    def again(self, item: T, seconds: float) -> None:
        """End the turn of `item`; it gets another one after `seconds`, before what waits already."""
        host = self._end_turn(item)

        def come_back() -> None:
            host.waiting.appendleft(item)
            self._offer(host)

        asyncio.get_running_loop().call_later(seconds, come_back)

    def rest(self, host_name: str, seconds: float) -> None:
        """Give out nothing of this host for `seconds`."""
        host = self._hosts.get(host_name)
        if host is None or seconds <= 0:
            return
        host.resting += 1

        def end() -> None:
            host.resting -= 1
            self._offer(host)

        asyncio.get_running_loop().call_later(seconds, end)

    def pace(self, host_name: str, seconds: float) -> None:
        """Give out one item of this host at a time from now on, and none for `seconds`. 0 changes nothing."""
        if seconds > 0 and host_name in self._hosts:
            self._hosts[host_name].most = 1
            self.rest(host_name, seconds)

    def slow_down(self, host_name: str) -> None:
        """Ask this host half as much at once from now on, at least one."""
        host = self._hosts.get(host_name)
        if host is not None:
            host.most = max(1, host.most // 2)

    def _end_turn(self, item: T) -> _Host[T]:
        host = self._hosts[self._host_of(item)]
        host.active -= 1
        self._offer(host)
        return host

    def _offer(self, host: _Host[T]) -> None:
        if host.ready:
            host.queued = True
            self._ready.append(host)
            self._news.set()

"""Open connections, kept for the next question to the same host, and pinned to the address that was checked."""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import Mapping

from finegraft.fetching.addresses import refusal
from finegraft.fetching.exchange import Answer, Connection, NoAnswer, Wanted
from finegraft.fetching.names import Lookup, Refusal, look_up, reachable
from finegraft.fetching.reasons import Trouble
from finegraft.fetching.settings import Settings
from finegraft.fetching.urls import Url


class Connections:
    """Asks hosts. Every connection goes to an address that was looked up once and checked: a name that leads
    elsewhere at the second look gains nothing. Certificates are checked against the name all the same.

    Proxies of the environment are not used: through one, nobody could tell which machines are reached. `lookup`,
    `refusal` and `tls` (the certificates trusted) are the system's unless given.
    """

    def __init__(
        self,
        settings: Settings,
        lookup: Lookup = look_up,
        refusal: Refusal | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._settings = settings
        self._lookup = lookup
        self._refusal = refusal or functools.partial(_refusal, settings.allow_private)
        self._tls = tls
        self._idle: dict[str, list[Connection]] = {}

    async def ask(self, url: Url, headers: Mapping[str, str], wanted: Wanted) -> Answer:
        """GET `url` over a kept connection or a new one. Raises `Trouble` as `Connection.ask` does, and "private" or
        "unreachable" where there is no connection.
        """
        kept = self._kept(url.origin)
        if kept is not None:
            try:
                return await self._asked(kept, url, headers, wanted)
            except NoAnswer:  # the host had closed it meanwhile, as it may
                pass
        return await self._asked(await self._opened(url), url, headers, wanted)

    def close(self) -> None:
        """Close all that is kept."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    async def _asked(self, connection: Connection, url: Url, headers: Mapping[str, str], wanted: Wanted) -> Answer:
        try:
            answer = await connection.ask(url, headers, wanted)
        except BaseException:
            connection.close()
            raise
        if connection.reusable:
            self._keep(url.origin, connection)
        else:
            connection.close()
        return answer

    def _kept(self, origin: str) -> Connection | None:
        waiting = self._idle.get(origin, [])
        while waiting:
            connection = waiting.pop()
            if connection.reusable:
                return connection
            connection.close()
        self._idle.pop(origin, None)
        return None

    def _keep(self, origin: str, connection: Connection) -> None:
        self._idle.setdefault(origin, []).append(connection)
        # Lists of many hosts must not keep a connection open to each: the host asked longest ago goes first.
        while sum(map(len, self._idle.values())) > self._settings.workers:
            oldest = next(iter(self._idle))
            self._idle[oldest].pop(0).close()
            if not self._idle[oldest]:
                del self._idle[oldest]

    async def _opened(self, url: Url) -> Connection:
        found = await reachable(url, self._refusal, self._lookup)
        last: Trouble | None = None
        for address in found:
            try:
                return await self._connected(url, address)
            except Trouble as trouble:
                last = trouble
        assert last is not None  # there is at least one address
        raise last

    async def _connected(self, url: Url, address: str) -> Connection:
        """A connection to `address` and no other; over TLS, to one that proves to be `url`'s host."""
        try:
            async with asyncio.timeout(self._settings.connect):
                reader, writer = await asyncio.open_connection(
                    address,
                    url.port,
                    ssl=self._trusted() if url.scheme == "https" else None,
                    server_hostname=url.name if url.scheme == "https" else None,
                )
        except TimeoutError as error:
            reason = f"{url.authority} gave no connection within {self._settings.connect:g} s."
            raise Trouble("timeout", reason, passing=True, dead=url.origin) from error
        except ssl.SSLCertVerificationError as error:
            reason = f"{url.authority} has no certificate that can be trusted ({error.verify_message})."
            raise Trouble("unreachable", reason, dead=url.origin) from error
        except OSError as error:  # ssl.SSLError too
            reason = f"{url.authority} gave no connection ({_words(error)})."
            raise Trouble("unreachable", reason, passing=True, dead=url.origin) from error
        return Connection(reader, writer, self._settings.silence)

    def _trusted(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()  # 20 ms, which a list of http addresses need not pay
        return self._tls


def _refusal(allow_private: bool, address: str) -> str | None:
    return refusal(address, allow_private)


def _words(error: OSError) -> str:
    """What went wrong; asyncio puts the address before the system's words."""
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return error.strerror or str(error) or type(error).__name__

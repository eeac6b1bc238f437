"""One request and its answer over one open connection: never more bytes than wanted, never silent for too long."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from finegraft.errors import MissingExtra
from finegraft.fetching.reasons import Trouble
from finegraft.fetching.urls import Url

try:
    import h11
except ImportError as _error:
    raise MissingExtra("train", "Fetching") from _error

_CHUNK = 64 * 1024
_LONGEST_HEAD = 64 * 1024  # bytes of status line and headers; servers themselves take 8 to 64 kB


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers of an answer; the names are lower-case, values of one name joined by ", "."""

    status: int
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """A head and the body as it was sent; `cut` where that goes on beyond the bytes wanted, which `body` holds.

    A body that ends before its announced length is no answer but a `Trouble`.
    """

    head: Head
    body: bytes
    cut: bool = False


# Says of a head how many bytes of the body are wanted.
Wanted = Callable[[Head], int]


class NoAnswer(Trouble):
    """The host closed the connection before the first byte of an answer: it may have been idle for too long."""


class Connection:
    """An open connection that can be asked, and asked again where `reusable`.

    `silence` is the longest time without a byte, in seconds.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, silence: float) -> None:
        self._reader = reader
        self._writer = writer
        self._silence = silence
        self._state = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)
        self._heard = False

    @property
    def reusable(self) -> bool:
        """Whether another question may follow: the last answer was read to its end, and nothing came after it."""
        ended = self._state.our_state is h11.DONE and self._state.their_state is h11.DONE
        return ended and not self._state.trailing_data[0] and not self._reader.at_eof()

    def close(self) -> None:
        """Break the connection off, whatever is under way."""
        self._writer.transport.abort()

    async def ask(self, url: Url, headers: Mapping[str, str], wanted: Wanted) -> Answer:
        """GET `url`; of the body, as many bytes as `wanted` says of the head.

        Raises `Trouble`: "broken" for what is no whole answer, "timeout" for a host that falls silent.
        """
        if self._state.our_state is h11.DONE:
            self._state.start_next_cycle()
        self._heard = False
        try:
            self._send(url, headers)
            await self._writer.drain()
            head = await self._head()
            return await self._body(head, wanted(head))
        except h11.RemoteProtocolError as error:
            raise Trouble("broken", f"{url.authority} gave no proper answer: {_words(error)}.", passing=True) from error
        except TimeoutError as error:
            raise Trouble("timeout", f"{url.authority} was silent for {self._silence:g} s.", passing=True) from error
        except OSError as error:
            if self._heard:
                reason = f"{url.authority} broke the answer off ({error.strerror or error})."
                raise Trouble("broken", reason, passing=True) from error
            raise _no_answer(url) from error
        except EOFError as error:
            raise _no_answer(url) from error

    def _send(self, url: Url, headers: Mapping[str, str]) -> None:
        request = h11.Request(method="GET", target=url.path, headers=[("Host", url.authority), *headers.items()])
        for event in (request, h11.EndOfMessage()):
            self._writer.write(self._state.send(event) or b"")

    async def _head(self) -> Head:
        event = await self._next()
        while isinstance(event, h11.InformationalResponse):
            event = await self._next()
        assert isinstance(event, h11.Response)  # h11 gives nothing else here, or raises
        headers: dict[str, str] = {}
        for name, value in event.headers:
            key, text = name.decode("ascii"), value.decode("utf-8", "replace")
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
        return Head(event.status_code, headers)

    async def _body(self, head: Head, most: int) -> Answer:
        body = bytearray()
        while isinstance(event := await self._next(), h11.Data):
            body += event.data
            if len(body) > most:
                return Answer(head, bytes(body[:most]), cut=True)
        return Answer(head, bytes(body))

    async def _next(self) -> object:
        """The next event. Raises `EOFError` where the host ends before it has said anything."""
        while (event := self._state.next_event()) is h11.NEED_DATA:
            async with asyncio.timeout(self._silence):
                data = await self._reader.read(_CHUNK)
            if not data and not self._heard:
                raise EOFError
            self._heard = True
            self._state.receive_data(data)
        return event


def _words(error: h11.RemoteProtocolError) -> str:
    """h11's words: they quote what was sent, at any length."""
    return re.sub(r"bytearray\(b(.*)\)", r"\1", str(error), flags=re.DOTALL)[:200]


def _no_answer(url: Url) -> NoAnswer:
    return NoAnswer("broken", f"{url.authority} closed the connection without an answer.", passing=True)

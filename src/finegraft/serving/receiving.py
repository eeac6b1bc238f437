"""The files of a request, read piece by piece under its limits: nothing is decoded, no more is kept than allowed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from finegraft.data.contents import digest_of
from finegraft.serving import problems
from finegraft.serving.limits import Limits
from finegraft.serving.problems import Problem


@dataclass(frozen=True)
class Sent:
    """One file of a request: its bytes, and its name where the client gave one."""

    name: str | None
    content: bytes

    @property
    def digest(self) -> str:
        """The digest by which records of a training are known."""
        return digest_of(self.content)


class _Parser(MultiPartParser):
    spool_max_size = 2**31  # a request is small, and stays in memory


class Room:
    """Bytes of all requests together that are held until they are answered, `most` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0

    @contextlib.contextmanager
    def guest(self) -> Iterator[Guest]:
        """One request; what it took is free again at its end."""
        guest = Guest(self)
        try:
            yield guest
        finally:
            self._held -= guest.held

    def take(self, count: int) -> None:
        """Hold `count` bytes more. Raises `Problem` where there is no room."""
        if self._held + count > self._most:
            raise problems.queue_full()
        self._held += count


class Guest:
    """What one request holds of a room."""

    def __init__(self, room: Room) -> None:
        self.held = 0
        self._room = room

    def take(self, count: int) -> None:
        """As the room's, counted for this request."""
        self._room.take(count)
        self.held += count


async def files_of(request: Request, limits: Limits, guest: Guest) -> list[Sent]:
    """The body of `request` as one file, or the parts called `file` of a multipart one.

    Whatever else a client says of a body's type is not believed: `curl --data-binary` calls photos a form.
    Raises `Problem` where it is too large, too slow, empty, or of another kind.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        _check_length(request, limits)
        with _whole_or_gone():
            return await _parts(Request(request.scope, _bounded(request.receive, limits, guest)), limits)
    if kind == "application/json":
        raise Problem(415, "unsupported", "This model answers for photos, not for rows: send a photo's bytes.")
    content = await body_of(request, limits, guest)
    if not content:
        raise problems.of_file("empty", "The body is empty: send the bytes of a photo.")
    return [Sent(None, content)]


async def body_of(request: Request, limits: Limits, guest: Guest) -> bytes:
    """All of the body of `request`. Raises `Problem` where it is too large or too slow."""
    _check_length(request, limits)
    with _whole_or_gone():
        return await Request(request.scope, _bounded(request.receive, limits, guest)).body()


@contextlib.contextmanager
def _whole_or_gone() -> Iterator[None]:
    try:
        yield
    except ClientDisconnect as error:
        raise Problem(400, "gone", "The client went away.") from error


def _check_length(request: Request, limits: Limits) -> None:
    """Refuse a body by what it announces, before any of it is read."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limits.body:
        raise problems.too_large(limits.body)


def _bounded(receive: Receive, limits: Limits, guest: Guest) -> Receive:
    """`receive` that counts bytes and looks at the clock."""
    started, seen = time.monotonic(), 0

    async def bounded() -> Message:
        nonlocal seen
        left = started + limits.receiving - time.monotonic()
        try:
            message = await asyncio.wait_for(receive(), max(0.0, min(limits.pause, left)))
        except TimeoutError as error:
            raise problems.too_slow() from error
        count = len(message.get("body", b""))
        guest.take(count)
        seen += count
        if seen > limits.body:
            raise problems.too_large(limits.body)
        return message

    return bounded


async def _parts(request: Request, limits: Limits) -> list[Sent]:
    parser = _Parser(
        request.headers, request.stream(), max_files=limits.files, max_fields=16, max_part_size=limits.body
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise Problem(400, "bad-multipart", f"The multipart body cannot be read: {error}.") from error
    async with contextlib.AsyncExitStack() as opened:
        opened.push_async_callback(form.close)
        parts = [part for name, part in form.multi_items() if name == "file" and isinstance(part, UploadFile)]
        if not parts:
            raise Problem(400, "no-file", "The multipart body has no part called 'file' with a file in it.")
        return [Sent(part.filename or None, await part.read()) for part in parts]

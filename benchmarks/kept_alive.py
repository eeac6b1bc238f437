"""A client that asks photo after photo on one connection, and as many of them at once as one likes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True)
class Heard:
    """An answer; `last` where the server said that it closes the connection."""

    status: int
    content: bytes
    last: bool


class Client:
    """One connection to a server, opened when it is needed."""

    def __init__(self, host: str, port: int, path: str = "/v1/predict", kind: str = "image/jpeg") -> None:
        self._place = host, port
        self._head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n".encode()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, content: bytes) -> Heard:
        """The answer to a photo. Raises `OSError` or `EOFError` where none comes; the next is a new connection then."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._place)
        reader, writer = self._streams
        writer.write(self._head + b"Content-Length: %d\r\n\r\n" % len(content) + content)
        try:
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
            headers = {name: value.strip() for name, _, value in (line.partition(b":") for line in lines)}
            told = await reader.readexactly(int(headers[b"content-length"]))
        except (OSError, EOFError):
            self.close()
            raise
        last = headers.get(b"connection") == b"close"
        if last:
            self.close()
        return Heard(int(first.split()[1]), told, last)

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

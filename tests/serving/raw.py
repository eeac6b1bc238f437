"""Requests as bytes over a socket, and the answers that come: what no library of HTTP would send."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from tests.making import photo

PHOTO = photo(1)
ASKED = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\n"
WHOLE = ASKED + b"Content-Length: %d\r\n\r\n" % len(PHOTO) + PHOTO
LARGE = 21 * 2**20
# Name -> headers and body of a request that is too large.
LARGE_BODIES = {
    "announced": (b"Content-Length: %d\r\n" % LARGE, bytes(LARGE)),
    "in chunks": (b"Transfer-Encoding: chunked\r\n", (b"100000\r\n" + bytes(2**20) + b"\r\n") * 21 + b"0\r\n\r\n"),
    "the last request": (b"Connection: close\r\nContent-Length: %d\r\n" % LARGE, bytes(LARGE)),
}
EXPECTED = b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n"
_LONG = b"Content-Length: 1000000\r\n"
_PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
# Name -> how a request begins, and the piece that then comes again and again.
DRIBBLES = {
    "body": (ASKED + _LONG + b"\r\n", b"x"),
    "chunks": (ASKED + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "parts": (ASKED + b"Content-Type: multipart/form-data; boundary=b\r\n" + _LONG + b"\r\n" + _PART, b"x"),
    "head": (ASKED, b"X-A: b\r\n"),
}
# Name -> a request whose client then closes its side.
BROKEN_OFF = {"body": WHOLE[:-1], "head": ASKED, "first line": b"POST"}


@contextlib.contextmanager
def dribbling(connection: socket.socket, piece: bytes, every: float = 0.05) -> Iterator[None]:
    """Say `piece` every so many seconds, until the other side hangs up or this is left."""
    ended = threading.Event()

    def say() -> None:
        with contextlib.suppress(OSError):
            while not ended.wait(every):
                connection.sendall(piece)

    thread = threading.Thread(target=say)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@dataclass(frozen=True)
class Told:
    """An answer as it came over a socket: all of it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """Of the envelope of errors."""
        return str(json.loads(self.body)["error"]["code"])


def told(connection: socket.socket) -> Told | None:
    """The next answer on a connection; None where the server hangs up instead."""
    file = connection.makefile("rb", buffering=0)  # nothing of the answer after this one is taken
    first = file.readline()
    if not first:
        return None
    lines = iter(lambda: file.readline().decode().strip(), "")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    left, pieces = int(headers.get("content-length", "0")), []
    while left and (piece := file.read(left)):
        pieces.append(piece)
        left -= len(piece)
    return Told(int(first.split()[1]), headers, b"".join(pieces))

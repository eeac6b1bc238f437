"""A host that misbehaves on request: what the address says decides how. It counts who asked for what."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote

# Closing with these options sends a reset instead of an end (socket(7), SO_LINGER).
_RESET = struct.pack("ii", 1, 0)
_PAUSE = 0.05  # seconds between two pieces of an answer that drips


@dataclass
class Visit:
    """One request: its path, how often this path was asked for, this time included, and the way back."""

    socket: socket.socket
    origin: str
    path: str
    number: int
    ended: threading.Event

    @property
    def words(self) -> list[str]:
        """The parts of the path: ["photo", "17"]."""
        return unquote(self.path).strip("/").split("/")

    def send(self, content: bytes) -> None:
        """Send these bytes as they are."""
        self.socket.sendall(content)

    def answer(self, body: bytes = b"", status: str = "200 OK", **headers: object) -> bool:
        """Send a whole answer; a header given as None is left out. The connection stays open."""
        fields: dict[str, object] = {"content_type": "image/jpeg", "content_length": len(body), **headers}
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items() if value is not None]
        self.send(f"HTTP/1.1 {status}\r\n{''.join(line + chr(13) + chr(10) for line in lines)}\r\n".encode() + body)
        return True

    def drip(self, piece: bytes) -> None:
        """Send `piece` again and again, slowly, until the other side or the host has enough of it."""
        while not self.ended.wait(_PAUSE):
            self.send(piece)

    def pour(self, piece: bytes) -> None:
        """Send `piece` again and again, without a pause."""
        while not self.ended.is_set():
            self.send(piece)

    def reset(self) -> None:
        """Break the connection off."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


# Answers one request; True where the connection may be asked again.
Answer = Callable[[Visit], bool | None]


class BadHost:
    """A server at `address` that gives `answer` to every request, each connection on a thread of its own.

    `asked` counts the requests by path, `connections` the connections. With `answer` None, every connection is broken
    off at once; with `tls`, it speaks https.
    """

    def __init__(self, answer: Answer | None, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self._answer = answer
        self._tls = tls
        self.connections = 0
        self._server = socket.create_server((address, 0), backlog=256)
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self.asked: Counter[str] = Counter()
        self.address = address
        self.port: int = self._server.getsockname()[1]
        self.origin = f"{'https' if tls else 'http'}://{address}:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        self._server.close()
        with self._lock:
            left = list(self._open)
        for connection in left:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def counted(self) -> Counter[str]:
        """A copy of `asked` of this moment."""
        with self._lock:
            return Counter(self.asked)

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)
            self.connections += 1
        try:
            if self._answer is None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            elif self._tls is None:
                self._converse(connection, self._answer)
            else:
                with self._tls.wrap_socket(connection, server_side=True) as secret:
                    self._converse(secret, self._answer)
        except OSError:  # the other side has enough
            pass
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _converse(self, connection: socket.socket, answer: Answer) -> None:
        while (path := _requested(connection)) is not None:
            with self._lock:
                self.asked[path] += 1
                number = self.asked[path]
            if not answer(Visit(connection, self.origin, path, number, self._ended)):
                return


def _requested(connection: socket.socket) -> str | None:
    """The path of the next request; None where there is none."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        chunk = connection.recv(65_536)
        if not chunk:
            return None
        head += chunk
    return head.split(b" ", 2)[1].decode("ascii")

"""All the ways in which a host can answer a request for a photo, and what must become of the row each time."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

from benchmarks.bad_host import Visit

ROBOTS = b"User-agent: *\nDisallow: /forbidden\n"
ELSEWHERE = "http://169.254.169.254/latest/meta-data/"  # where clouds keep what nobody else may see


@dataclass(frozen=True)
class Case:
    """One way to answer, and how its row must end: `kind` is None for a saved one, `says` is part of the reason.

    `slow` cases cost a time limit each, `shared` ones show the same photo in every row.
    """

    answer: Callable[[Visit], bool | None]
    kind: str | None = None
    says: str = ""
    slow: bool = False
    shared: bool = False


@cache
def photo(number: int) -> bytes:
    """A small JPEG that no other number has."""
    pixels = np.random.default_rng(number).integers(0, 256, (24, 32, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


def answer(visit: Visit) -> bool | None:
    """What the host says to any request: /NAME/NUMBER is answered as the case NAME does."""
    if visit.path == "/robots.txt":
        return visit.answer(ROBOTS, content_type="text/plain")
    case = CASES.get(visit.words[0])
    return visit.answer(b"", "404 Not Found") if case is None else case.answer(visit)


def _own(visit: Visit) -> bytes:
    """The photo of this row: one of its own for every case and number."""
    return photo(zlib.crc32(visit.path.encode()))


def _good(visit: Visit) -> bool:
    return visit.answer(_own(visit), etag='"1"', last_modified="Mon, 06 Jan 2025 10:00:00 GMT")


def _chunked(visit: Visit) -> bool:
    body = _own(visit)
    half = len(body) // 2
    visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for part in (body[:half], body[half:], b""):
        visit.send(b"%x\r\n%s\r\n" % (len(part), part))
    return True


def _old(visit: Visit) -> None:
    visit.send(b"HTTP/1.0 200 OK\r\n\r\n" + _own(visit))


def _closing(visit: Visit) -> None:
    """Says the connection may be used again, and closes it."""
    visit.answer(_own(visit), connection="keep-alive")


def _hops(count: int) -> Callable[[Visit], bool]:
    """So many redirects, each to a relative address, then a photo: /hops/3/NUMBER, /hops/2/NUMBER …"""

    def hop(visit: Visit) -> bool:
        left, number = (int(visit.words[1]), visit.words[2]) if len(visit.words) > 2 else (count, visit.words[1])
        place = f"/{visit.words[0]}/{left - 1}/{number}" if left > 1 else f"/photo/{visit.words[0]}-{number}"
        return visit.answer(status="302 Found", location=place)

    return hop


def _to(place: str, status: str = "301 Moved Permanently") -> Callable[[Visit], bool]:
    return lambda visit: visit.answer(status=status, location=place)


def _loop(visit: Visit) -> bool:
    return visit.answer(status="307 Temporary Redirect", location=f"{visit.origin}{visit.path}")


def _first(status: str, **headers: object) -> Callable[[Visit], bool]:
    return lambda visit: _good(visit) if visit.number > 1 else visit.answer(b"later", status, **headers)


def _status(status: str) -> Callable[[Visit], bool]:
    return lambda visit: visit.answer(b"<html>no</html>", status, content_type="text/html")


def _body(content: bytes, **headers: object) -> Callable[[Visit], bool]:
    return lambda visit: visit.answer(content, **headers)


def _half(visit: Visit) -> bool:
    body = _own(visit)
    return visit.answer(body[: len(body) // 2])


def _length(difference: int) -> Callable[[Visit], None]:
    def lie(visit: Visit) -> None:
        body = _own(visit)
        visit.answer(body, content_length=len(body) + difference)

    return lie


def _tail(visit: Visit) -> None:
    body = _own(visit)
    visit.answer(body + b"HTTP/1.1 200 OK\r\n\r\nmore", content_length=len(body))


def _reset(visit: Visit) -> None:
    visit.answer(_own(visit)[:400], content_length=100_000)
    visit.reset()


def _reset_once(visit: Visit) -> bool | None:
    return _good(visit) if visit.number > 1 else _reset(visit)


def _drips(start: bytes, piece: bytes) -> Callable[[Visit], None]:
    def drip(visit: Visit) -> None:
        visit.send(start)
        visit.drip(piece)

    return drip


def _silent(visit: Visit) -> None:
    visit.ended.wait()


def _endless(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n")
    visit.pour(b"\xff\xd8\xff" * 4096)


def _raw(content: bytes) -> Callable[[Visit], None]:
    return lambda visit: visit.send(content)


def _gzip(content: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=31)
    return compressor.compress(content) + compressor.flush()


def _zipped(visit: Visit) -> bool:
    return visit.answer(_gzip(_own(visit)), content_encoding="gzip")


@cache
def _bomb() -> bytes:
    return _gzip(bytes(64 * 2**20))  # 64 MB of zeros in 64 kB


CASES: dict[str, Case] = {
    "photo": Case(_good),
    "chunked": Case(_chunked),
    "old": Case(_old),
    "closing": Case(_closing),
    "as-text": Case(lambda visit: visit.answer(_own(visit), content_type="text/html")),
    "zipped": Case(_zipped),
    "tail": Case(_tail),
    "redirect": Case(lambda visit: visit.answer(status="303 See Other", location=f"/photo/r-{visit.words[1]}")),
    "five-redirects": Case(_hops(5)),
    "first-500": Case(_first("500 Internal Server Error")),
    "first-429": Case(_first("429 Too Many Requests", retry_after=0)),
    "first-503": Case(_first("503 Service Unavailable", retry_after=1)),
    "first-reset": Case(_reset_once),
    "same": Case(_body(photo(0)), "same-bytes", "The same bytes as ", shared=True),
    "forbidden": Case(_good, "robots", "forbids it"),
    "noai": Case(lambda visit: visit.answer(_own(visit), x_robots_tag="noai"), "robots", "asks not to train"),
    "six-redirects": Case(_hops(6), "redirects", "Redirected more than 5 times"),
    "loop": Case(_loop, "redirects", "Redirected more than 5 times"),
    "to-file": Case(_to("file:///etc/passwd"), "redirects", "begin with file:// are not fetched"),
    "to-nowhere": Case(_to("http://[x"), "redirects", "redirects to"),
    "to-user": Case(_to("http://me:secret@127.0.0.1/"), "redirects", "a user name or a password"),
    "to-private": Case(_to(ELSEWHERE), "private", "link-local"),
    "300": Case(_status("300 Multiple Choices"), "status", "300"),
    "204": Case(lambda visit: visit.answer(status="204 No Content", content_length=None), "status", "204"),
    "206": Case(_status("206 Partial Content"), "status", "206"),
    "401": Case(_status("401 Unauthorized"), "status", "401"),
    "404": Case(_status("404 Not Found"), "status", "404 (Not Found)"),
    "410": Case(_status("410 Gone"), "status", "410 (Gone)"),
    "500": Case(_status("500 Internal Server Error"), "status", "500"),
    "999": Case(_status("999 Denied"), "status", "999"),
    "page": Case(_body(b"<html><body>Gone</body></html>"), "not-a-photo", "a web page"),
    "pdf": Case(_body(b"%PDF-1.7 "), "not-a-photo", "a PDF"),
    "empty": Case(_body(b""), "empty", "holds no bytes"),
    "half": Case(_half, "unreadable"),
    "length-too-small": Case(_length(-200), "unreadable"),
    "length-too-large": Case(_length(+200), "broken", "no proper answer"),
    "length-is-a-word": Case(_body(b"x", content_length="many"), "broken", "no proper answer"),
    "two-lengths": Case(_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"), "broken"),
    "announced": Case(_body(b"x", content_length=10**13), "too-large", "at most"),
    "endless": Case(_endless, "too-large", "at most"),
    "bomb": Case(lambda visit: visit.answer(_bomb(), content_encoding="gzip"), "too-large", "at most"),
    "no-gzip": Case(_body(photo(1), content_encoding="gzip"), "broken", "was said to be sent"),
    "half-gzip": Case(_body(_gzip(photo(1))[:500], content_encoding="gzip"), "broken", "broke off"),
    "brotli": Case(_body(photo(1), content_encoding="br"), "broken", "which was not asked for"),
    "reset": Case(_reset, "broken", "broke the answer off"),
    "no-http": Case(_raw(b"220 mail.example.org ESMTP\r\n\r\n"), "broken", "no proper answer"),
    "bad-chunks": Case(_raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "broken"),
    "switching": Case(_raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), "broken"),
    "huge-head": Case(lambda visit: visit.answer(b"", x="y" * 2**20), "broken", "no proper answer"),
    "closed": Case(lambda _: None, "broken", "closed the connection without an answer"),
    "slow-head": Case(_drips(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"), "timeout", slow=True),
    "slow-body": Case(_drips(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b"x"), "timeout", slow=True),
    "continue": Case(_drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "timeout", slow=True),
    "silent": Case(_silent, "timeout", slow=True),
}

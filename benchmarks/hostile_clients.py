"""Each kind of bad client, and what it is promised: `python -m benchmarks.hostile_clients MODEL.fg`.

Bombs and broken files alone and among good ones, bodies of 21 MB, requests that dribble until the server's patience of
half a minute ends, wrong types, connections closed on one side, five hundred that say nothing, and a flood of them.
While they go on, but for the flood, a good client asks. Prints one JSON object: how many `cases` there were, and those
`not_as_promised`, with what came instead.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.served import PATIENCE, Answer, Server, serving
from tests.hostile import KINDS
from tests.hostile.kind import Kind
from tests.making import photo
from tests.serving.raw import (
    ASKED,
    BROKEN_OFF,
    DRIBBLES,
    EXPECTED,
    LARGE,
    LARGE_BODIES,
    PHOTO,
    WHOLE,
    Told,
    dribbling,
    told,
)

# A case says what came that was not promised, or nothing.
Case = Callable[[Server], str | None]
IDLE, FLOOD, PARTS, BAD = 500, 1400, 32, 11
STATUS = {None: 200, "unreadable": 400, "empty": 400, "not-a-photo": 415, "too-large": 413}
MB = 2**20


@contextlib.contextmanager
def _connected(server: Server, said: bytes = b"") -> Iterator[socket.socket]:
    with socket.create_connection((server.host, server.port), timeout=PATIENCE) as connection:
        connection.sendall(said)
        yield connection


def _other_than(wanted: int, answer: Answer | Told | None) -> str | None:
    """None where the status is `wanted` and an error has its envelope."""
    if answer is None:
        return "no answer"
    if answer.status != wanted:
        return f"{answer.status} in place of {wanted}"
    return None if wanted == 200 or answer.code else "not the envelope of errors"


def one_bad_of_many(server: Server) -> str | None:
    """31 answers and one error."""
    contents = [b"no photo" if n == BAD else photo(n) for n in range(PARTS)]
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="%d.jpg"\r\n\r\n'
    body = b"".join(head % n + content + b"\r\n" for n, content in enumerate(contents)) + b"--b--\r\n"
    answer = server.ask("POST", "/v1/predict", body, {"Content-Type": "multipart/form-data; boundary=b"})
    if answer.status != 200:
        return _other_than(200, answer)
    rows = answer.told["predictions"]
    right = [("label" in row) == (n != BAD) and ("error" in row) == (n == BAD) for n, row in enumerate(rows)]
    return None if len(rows) == PARTS and all(right) else f"{sum('label' in row for row in rows)} answers"


def hostile_file(kind: Kind) -> Case:
    """The status that its finding has."""
    content = kind.content()
    wanted = 413 if len(content) > 20 * MB else STATUS[kind.code]
    return lambda server: _other_than(wanted, server.predict(content))


def wrong_type(kind: str, content: bytes, wanted: int) -> Case:
    """By a body's type and what it holds."""
    return lambda server: _other_than(wanted, server.ask("POST", "/v1/predict", content, {"Content-Type": kind}))


def large(head: bytes, body: bytes) -> Case:
    """413, which reaches the client though it still sends."""

    def case(server: Server) -> str | None:
        with _connected(server, ASKED + head + b"\r\n" + body) as connection:
            return _other_than(413, told(connection))

    return case


def large_asked_first(server: Server) -> str | None:
    """413, and no word to go on."""
    with _connected(server, ASKED + EXPECTED % LARGE) as connection:
        return _other_than(413, told(connection))


def dribble(begun: bytes, piece: bytes) -> Case:
    """408 when the server's patience ends."""

    def case(server: Server) -> str | None:
        with _connected(server, begun) as connection, dribbling(connection, piece, 1.0):
            return _other_than(408, told(connection))

    return case


def silent(server: Server) -> str | None:
    """Hung up on."""
    with _connected(server) as connection:
        return None if told(connection) is None else "an answer to nothing"


def half_closed(said: bytes, wanted: int) -> Case:
    """Whoever has said all is answered; whoever has not is told so."""

    def case(server: Server) -> str | None:
        with _connected(server, said) as connection:
            connection.shutdown(socket.SHUT_WR)
            return _other_than(wanted, told(connection))

    return case


def idle(server: Server) -> str | None:
    """A photo is answered beside them."""
    with contextlib.ExitStack() as opened:
        for _ in range(IDLE):
            opened.enter_context(_connected(server))
        return _other_than(200, server.predict(PHOTO))


def flood(server: Server) -> str | None:
    """Told that too many are connected, or answered; and answered soon after they are gone."""
    with contextlib.ExitStack() as opened:
        for _ in range(FLOOD):
            opened.enter_context(_connected(server))
        answer = server.predict(PHOTO)
        if answer.status != 200 and (wrong := _other_than(503, answer)):
            return wrong
    end = time.monotonic() + PATIENCE
    while server.predict(PHOTO).status != 200:
        if time.monotonic() > end:
            return "no answers any more"
        time.sleep(0.1)
    return None


def cases() -> dict[str, Case]:
    """All of them by name."""
    files = {f"file {kind.name!a}": hostile_file(kind) for kind in KINDS if kind.make is not None}
    return {
        "one bad of 32": one_bad_of_many,
        **files,
        "rows for photos": wrong_type("application/json", b'{"rows": [[1, 2]]}', 415),
        "text for a photo": wrong_type("image/jpeg", b"a text", 415),
        "a form without a boundary": wrong_type("multipart/form-data", b"--b\r\n", 400),
        "a form without a file": wrong_type("multipart/form-data; boundary=b", b"--b--\r\n", 400),
        "a photo called text": wrong_type("text/plain", PHOTO, 200),
        **{f"21 MB {name}": large(*said) for name, said in LARGE_BODIES.items()},
        "21 MB asked first": large_asked_first,
        **{f"dribbling {name}": dribble(*said) for name, said in DRIBBLES.items()},
        "silent": silent,
        "closed on one side": half_closed(WHOLE, 200),
        **{f"broken off in its {name}": half_closed(said, 400) for name, said in BROKEN_OFF.items()},
        f"{IDLE} that say nothing": idle,
    }


def measure(model: Path) -> dict[str, object]:
    """All of it: those that wait go on beside the others."""
    every = cases()
    waiting = [name for name in every if name.startswith(("dribbling", "silent"))]
    with serving(model) as server, ThreadPoolExecutor(len(waiting)) as pool:
        first, ended, missed = server.predict(PHOTO).content, threading.Event(), list[str]()

        def good_client() -> None:
            while not ended.wait(0.2):
                missed.extend(filter(None, [_tried(lambda s: _other_than(200, s.predict(PHOTO)), server)]))

        good = threading.Thread(target=good_client)
        good.start()
        beside = {name: pool.submit(_tried, every[name], server) for name in waiting}
        found = {name: _tried(case, server) for name, case in every.items() if name not in waiting}
        found |= {name: future.result() for name, future in beside.items()}
        ended.set()
        good.join()
        found["a good client beside them"] = f"{len(missed)} times {missed[0]}" if missed else None
        found[f"{FLOOD:,} at once"] = _tried(flood, server)
        found["the same answer after it all"] = None if server.predict(PHOTO).content == first else "another"
        found["the same server"] = None if server.process.poll() is None else "it ended"
        found["a log without errors"] = "; ".join(server.complaints)[:300] or None
    return {"cases": len(found), "not_as_promised": {name: words for name, words in found.items() if words}}


def _tried(case: Case, server: Server) -> str | None:
    try:
        return case(server)
    except (OSError, http.client.HTTPException, ValueError, LookupError) as error:
        return repr(error)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    print(json.dumps(measure(parser.parse_args().model)))


if __name__ == "__main__":
    main()

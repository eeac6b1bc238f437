"""What comes over a socket and is no good request: told what is wrong where that can be, and no harm to others."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from finegraft.serving.limits import Limits
from tests.serving.making import Listening, bundle_at, listening
from tests.serving.raw import ASKED, BROKEN_OFF, DRIBBLES, EXPECTED, LARGE, LARGE_BODIES, PHOTO, WHOLE, dribbling, told

pytestmark = pytest.mark.xdist_group("serving")
QUICK = Limits(receiving=1.0, pause=0.5, head=0.5)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle_at(tmp_path_factory.mktemp("bundle") / "pets.fg")


@pytest.fixture(scope="module")
def server(bundle: Path) -> Iterator[Listening]:
    with listening(bundle) as started:
        yield started


@pytest.fixture(scope="module")
def quick(bundle: Path) -> Iterator[Listening]:
    with listening(bundle, limits=QUICK) as started:
        yield started


@pytest.mark.parametrize("name", DRIBBLES)
def test_a_request_that_dribbles_without_end_is_told_so_and_others_are_answered(quick: Listening, name: str) -> None:
    begun, piece = DRIBBLES[name]
    with quick.connected(begun) as connection, dribbling(connection, piece):
        assert quick.post(PHOTO).status_code == 200
        answer = told(connection)
        assert answer is not None
        assert (answer.status, answer.code) == (408, "too-slow")
        assert answer.headers["connection"] == "close"
    quick.until(lambda: not quick.server.server_state.connections)
    assert quick.api._room._held == 0


@pytest.mark.parametrize("kind", LARGE_BODIES)
def test_who_sends_too_much_is_still_told_so(server: Listening, kind: str) -> None:
    """The answer comes while the body does: hanging up then would lose it."""
    head, body = LARGE_BODIES[kind]
    with server.connected(ASKED + head + b"\r\n" + body) as connection:
        answer = told(connection)
    assert answer is not None
    assert (answer.status, answer.code) == (413, "too-large")


def test_who_asks_before_sending_too_much_is_told_at_once(server: Listening) -> None:
    with server.connected(ASKED + EXPECTED % LARGE) as connection:
        answer = told(connection)
        assert answer is not None
        assert (answer.status, answer.code) == (413, "too-large")
    with server.connected(ASKED + EXPECTED % len(PHOTO)) as connection:
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(PHOTO)
        answer = told(connection)
        assert answer is not None
        assert answer.status == 200


def test_who_has_said_all_and_closed_that_side_is_answered(server: Listening) -> None:
    with server.connected(WHOLE + WHOLE) as connection:
        connection.shutdown(socket.SHUT_WR)
        answers = [told(connection), told(connection)]
        assert [answer and answer.status for answer in answers] == [200, 200]
        assert told(connection) is None


@pytest.mark.parametrize("name", BROKEN_OFF)
def test_who_closes_in_the_middle_of_a_request_is_told_so(server: Listening, name: str) -> None:
    with server.connected(BROKEN_OFF[name]) as connection:
        connection.shutdown(socket.SHUT_WR)
        answer = told(connection)
        assert answer is not None
        assert (answer.status, answer.code) == (400, "gone")
        assert told(connection) is None
    assert server.post(PHOTO).status_code == 200


@pytest.mark.parametrize("said", [b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01" + bytes(200_000)])
def test_what_is_no_http_is_told_so_in_the_one_envelope(server: Listening, said: bytes) -> None:
    with server.connected(said) as connection:
        answer = told(connection)
    assert answer is not None
    assert (answer.status, answer.code) == (400, "bad-request")
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("method", [b"POST", b"HEAD"])
def test_a_broken_chunk_is_told_while_its_request_is_read(server: Listening, method: bytes) -> None:
    head = method + b" /v1/predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with server.connected(head + b"zz\r\nabc\r\n") as connection:
        answer = told(connection)
        assert answer is not None
        assert answer.status == 400
        assert told(connection) is None
    assert (answer.body == b"") == (method == b"HEAD")
    assert server.post(PHOTO).status_code == 200


def test_hundreds_who_say_nothing_keep_nobody_out(server: Listening) -> None:
    with contextlib.ExitStack() as opened:
        for _ in range(300):
            opened.enter_context(server.connected())
        server.until(lambda: len(server.server.server_state.connections) >= 300)
        assert server.post(PHOTO).status_code == 200


def test_more_connections_than_there_may_be_are_refused_at_once(bundle: Path) -> None:
    with listening(bundle, limits=Limits(connections=3)) as server, contextlib.ExitStack() as opened:
        for _ in range(3):
            opened.enter_context(server.connected())
        server.until(lambda: len(server.server.server_state.connections) == 3)
        with server.connected() as fourth:
            answer = told(fourth)
        assert answer is not None
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "busy", "1")
        opened.close()
        server.until(lambda: not server.server.server_state.connections)
        assert server.post(PHOTO).status_code == 200


def test_who_never_reads_its_answers_is_dropped(quick: Listening) -> None:
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", quick.port))
        deaf.settimeout(0.2)
        with contextlib.suppress(OSError):  # until nothing fits any more, in either direction
            while True:
                deaf.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        quick.until(lambda: not quick.server.server_state.connections)
    assert quick.post(PHOTO).status_code == 200


def test_what_is_asked_on_an_open_connection_while_the_server_ends_is_answered(bundle: Path) -> None:
    with listening(bundle) as server, server.connected(WHOLE) as open_one:
        answer = told(open_one)
        assert answer is not None
        assert answer.status == 200
        server.server.handle_exit(15, None)
        server.until(lambda: not server.server.servers[0].is_serving())
        open_one.sendall(WHOLE)
        answer = told(open_one)
        assert answer is not None
        assert (answer.status, answer.code) == (503, "shutting-down")
        assert answer.headers["connection"] == "close"
        assert told(open_one) is None


def test_the_last_answer_says_that_it_is_the_last(bundle: Path) -> None:
    with listening(bundle) as server, server.connected(WHOLE[:-10]) as connection:
        server.until(lambda: server.api._room._held > 0)
        server.server.handle_exit(15, None)
        connection.sendall(WHOLE[-10:])
        answer = told(connection)
    assert answer is not None
    assert answer.status == 200
    assert json.loads(answer.body)["predictions"][0]["label"]
    assert answer.headers["connection"] == "close"

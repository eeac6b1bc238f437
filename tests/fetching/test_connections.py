from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.bad_host import BadHost, Visit
from finegraft.fetching.connections import Connections
from finegraft.fetching.exchange import Answer, Head
from finegraft.fetching.reasons import Trouble
from finegraft.fetching.settings import Settings
from finegraft.fetching.urls import parse

CERTIFICATE = Path(__file__).with_name("certificate.pem")


def everything(head: Head) -> int:
    return 10**6


def hello(visit: Visit) -> bool:
    return visit.answer(b"hello")


def ask(connections: Connections, *addresses: str, wanted: Callable[[Head], int] = everything) -> list[Answer]:
    async def all_of_them() -> list[Answer]:
        try:
            return [await connections.ask(parse(text), {"User-Agent": "test"}, wanted) for text in addresses]
        finally:
            connections.close()

    return asyncio.run(all_of_them())


def trouble(connections: Connections, address: str) -> Trouble:
    with pytest.raises(Trouble) as raised:
        ask(connections, address)
    return raised.value


class Lookup:
    """Gives one answer after the other."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, name: str) -> list[str]:
        self.asked.append(name)
        return self._answers.pop(0)


class RawHost(BadHost):
    """Keeps the first bytes of each connection in `heads` and answers `said`, whatever they are."""

    def __init__(self, said: bytes, heads: list[bytes]) -> None:
        super().__init__(hello)
        self._said = said
        self._heads = heads

    def _converse(self, connection: socket.socket, answer: object) -> None:  # noqa: ARG002
        self._heads.append(connection.recv(65_536))
        connection.sendall(self._said)


@pytest.fixture
def secret() -> Iterator[BadHost]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with BadHost(hello, tls=context) as running:
        yield running


def test_a_connection_is_used_again(quick: Settings) -> None:
    with BadHost(hello) as host:
        answers = ask(Connections(quick), *[f"{host.origin}/{number}" for number in range(5)])
        assert [answer.body for answer in answers] == [b"hello"] * 5
        assert host.connections == 1


def test_a_connection_that_was_closed_meanwhile_is_replaced(quick: Settings) -> None:
    with BadHost(lambda visit: hello(visit) and None) as host:  # says it stays open, and closes
        assert len(ask(Connections(quick), *[f"{host.origin}/{number}" for number in range(5)])) == 5
        assert host.connections == 5


def test_what_was_not_read_to_its_end_is_not_used_again(quick: Settings) -> None:
    with BadHost(lambda visit: visit.answer(b"x" * 1000)) as host:
        answers = ask(Connections(quick), *[f"{host.origin}/{n}" for n in range(3)], wanted=lambda _: 10)
        assert [(answer.body, answer.cut) for answer in answers] == [(b"x" * 10, True)] * 3
        assert host.connections == 3


def test_only_so_many_connections_are_kept(quick: Settings) -> None:
    with BadHost(hello, "127.0.0.1") as one, BadHost(hello, "127.0.0.2") as two, BadHost(hello, "127.0.0.3") as three:
        connections = Connections(replace(quick, workers=2))
        ask(connections, *[host.origin for host in (one, two, three, two, three, one)])
        assert [host.connections for host in (one, two, three)] == [2, 1, 1]


def test_a_name_is_looked_up_once_and_that_address_is_reached(quick: Settings) -> None:
    """The answer to a second look-up would be another machine: nobody asks for it."""
    lookup = Lookup(["127.0.0.1"], ["169.254.169.254"])
    with BadHost(hello) as host:
        ask(Connections(quick, lookup=lookup), f"http://photos.test:{host.port}/a")
        assert (host.counted(), lookup.asked) == ({"/a": 1}, ["photos.test"])


def test_a_new_connection_is_checked_anew(quick: Settings) -> None:
    lookup = Lookup(["127.0.0.1"], ["169.254.169.254"])
    with BadHost(lambda visit: hello(visit) and None) as host:
        connections = Connections(quick, lookup=lookup)
        address = f"http://photos.test:{host.port}/a"
        with pytest.raises(Trouble, match=r"photos\.test \(169\.254\.169\.254\) is not reached: it is link-local"):
            ask(connections, address, address)


def test_of_several_addresses_the_next_one_is_tried(quick: Settings) -> None:
    with BadHost(hello, "127.0.0.2") as host:
        lookup = Lookup(["127.0.0.1", "127.0.0.2"])
        assert ask(Connections(quick, lookup=lookup), f"http://photos.test:{host.port}/")[0].body == b"hello"


def test_the_host_header_names_the_host_and_not_the_address(quick: Settings) -> None:
    """And the request is for the path as it is spelled."""
    heads: list[bytes] = []
    with RawHost(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", heads) as host:
        ask(Connections(quick, lookup=Lookup(["127.0.0.1"])), f"http://Photos.test:{host.port}/größe.jpg?a=b c#d")
    lines = heads[0].decode().split("\r\n")
    assert lines[0] == "GET /gr%C3%B6%C3%9Fe.jpg?a=b%20c HTTP/1.1"
    assert set(lines[1:3]) == {f"Host: photos.test:{host.port}", "User-Agent: test"}


def test_a_certificate_is_checked_against_the_name(quick: Settings, secret: BadHost) -> None:
    trusting = ssl.create_default_context(cafile=CERTIFICATE)
    here = Lookup(*[["127.0.0.1"]] * 3)
    good = Connections(quick, lookup=here, tls=trusting)
    assert ask(good, f"https://photos.test:{secret.port}/")[0].body == b"hello"
    other = trouble(Connections(quick, lookup=here, tls=trusting), f"https://other.test:{secret.port}/")
    assert (other.kind, other.passing) == ("unreachable", False)
    assert other.reason.startswith(
        f"other.test:{secret.port} has no certificate that can be trusted (Hostname mismatch"
    )
    number = trouble(Connections(quick, tls=trusting), f"https://127.0.0.1:{secret.port}/")
    assert "has no certificate that can be trusted (IP address mismatch" in number.reason


def test_a_certificate_of_nobody_known(quick: Settings, secret: BadHost) -> None:
    found = trouble(Connections(quick, lookup=Lookup(["127.0.0.1"])), f"https://photos.test:{secret.port}/")
    assert "has no certificate that can be trusted (self-signed certificate)" in found.reason


def test_tls_where_there_is_none(quick: Settings) -> None:
    with RawHost(b"HTTP/1.1 400 Bad Request\r\n\r\n", []) as host:
        found = trouble(Connections(quick), f"https://127.0.0.1:{host.port}/")
    assert found.kind == "unreachable"
    assert found.reason.startswith(f"127.0.0.1:{host.port} gave no connection (TLS: ")


def test_nobody_listens(quick: Settings) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # taken, so that no other program gets it
        origin = f"http://127.0.0.1:{bound.getsockname()[1]}"
        found = trouble(Connections(quick), origin)
    assert (found.kind, found.passing, found.dead) == ("unreachable", True, origin)
    assert found.reason.endswith(" gave no connection (connection refused).")


def test_a_connection_that_is_never_taken(quick: Settings) -> None:
    """A full backlog: the system takes no more connections and refuses none."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = []
        for _ in range(8):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
            waiting.append(client)
        found = trouble(Connections(replace(quick, connect=0.3)), f"http://127.0.0.1:{port}/")
        for client in waiting:
            client.close()
    assert (found.kind, found.passing) == ("timeout", True)
    assert found.reason == f"127.0.0.1:{port} gave no connection within 0.3 s."


def test_connections_that_are_broken_off_at_once(quick: Settings) -> None:
    with BadHost(None) as host:
        found = trouble(Connections(quick), host.origin)
    assert found.passing
    # The reset may come before the connection is ours.
    closed = f"127.0.0.1:{host.port} closed the connection without an answer."
    assert found.reason == closed or found.reason.startswith(f"127.0.0.1:{host.port} gave no connection (")


def test_the_environments_proxy_is_not_used(quick: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with BadHost(hello, "127.0.0.1") as proxy, BadHost(hello, "127.0.0.2") as host:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxy.origin)
        ask(Connections(quick), host.origin)
        assert (proxy.connections, host.connections) == (0, 1)

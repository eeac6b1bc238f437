from __future__ import annotations

import asyncio
import socket
import threading

import pytest

from finegraft.fetching.addresses import refusal
from finegraft.fetching.names import look_up, reachable
from finegraft.fetching.reasons import Trouble
from finegraft.fetching.urls import parse


def found(text: str, *addresses: str) -> list[str]:
    return asyncio.run(reachable(parse(text), refusal, lambda _: list(addresses)))


def failing(error: Exception) -> Trouble:
    def look(name: str) -> list[str]:
        raise error

    with pytest.raises(Trouble) as raised:
        asyncio.run(reachable(parse("http://example.org:81/"), refusal, look))
    return raised.value


def test_of_several_addresses_those_that_may_be_reached() -> None:
    assert found("http://example.org/", "10.0.0.1", "8.8.8.8", "::1", "1.1.1.1") == ["8.8.8.8", "1.1.1.1"]


def test_an_address_is_not_looked_up() -> None:
    assert found("http://8.8.8.8/", "10.0.0.1") == ["8.8.8.8"]
    assert found("http://[2606:4700::1111]/") == ["2606:4700::1111"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("http://127.0.0.1/", "127.0.0.1 is not reached: it is this machine itself. Give --allow-private if"),
        ("http://2130706433/", "2130706433 (127.0.0.1) is not reached: it is this machine itself."),
        ("http://[::ffff:a00:1]/", "::ffff:a00:1 is not reached: it is in a private network."),
        ("http://example.org/", "example.org (10.0.0.1) is not reached: it is in a private network."),
    ],
)
def test_what_may_not_be_reached(text: str, says: str) -> None:
    with pytest.raises(Trouble) as raised:
        found(text, "10.0.0.1")
    assert (raised.value.kind, raised.value.dead) == ("private", None)
    assert raised.value.reason.startswith(says)


def test_leave_is_not_offered_where_it_would_not_help() -> None:
    with pytest.raises(Trouble) as raised:
        found("http://169.254.169.254/")
    assert raised.value.reason.endswith("where clouds keep their metadata.")


def test_names_that_lead_nowhere() -> None:
    unknown = failing(socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    assert unknown.reason == "No host example.org: there is no such name."
    assert (unknown.kind, unknown.passing, unknown.dead) == ("unreachable", False, "http://example.org:81")
    later = failing(socket.gaierror(socket.EAI_AGAIN, "Temporary failure"))
    assert later.reason == "No host example.org: the name cannot be looked up at the moment."
    assert later.passing
    assert failing(OSError("no descriptors")).reason == "example.org cannot be looked up (no descriptors)."
    with pytest.raises(Trouble, match=r"example\.org has no address\."):
        found("http://example.org/")


def test_the_systems_look_up() -> None:
    assert "127.0.0.1" in look_up("localhost")


def test_a_look_up_that_hangs_does_not_hold_up_the_end() -> None:
    """Ctrl-C must not wait for a name server: neither the loop nor the interpreter waits for the thread."""
    hanging = threading.Event()

    async def impatient() -> None:
        async with asyncio.timeout(0.05):
            await reachable(parse("http://example.org/"), refusal, lambda _: [str(hanging.wait())])

    with pytest.raises(TimeoutError):
        asyncio.run(impatient())
    threads = [thread for thread in threading.enumerate() if thread.name == "finegraft-lookup"]
    assert all(thread.daemon for thread in threads)
    hanging.set()
    for thread in threads:
        thread.join()

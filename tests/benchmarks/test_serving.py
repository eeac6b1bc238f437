"""The measurements of the server, on a small model: what they count, not how long it takes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from benchmarks import draining, hostile_clients, load, restarting
from benchmarks.kept_alive import Client, Heard
from benchmarks.served import Answer
from benchmarks.serving_rivals.running import RIVALS
from tests.making import folder_of_photos
from tests.serving.making import bundle_at

pytestmark = pytest.mark.xdist_group("serving-benchmarks")
Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle_at(tmp_path_factory.mktemp("bundle") / "pets.fg")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of_photos(tmp_path_factory.mktemp("photos") / "all", {"rose": 4, "tulip": 4})


def heard(answering: Answering, times: int = 1) -> list[Heard | str]:
    """What a client hears of a server that answers so; the name of the error where it hears nothing."""

    async def run() -> list[Heard | str]:
        found: list[Heard | str] = []
        async with await asyncio.start_server(answering, "127.0.0.1", 0) as server:
            client = Client(*server.sockets[0].getsockname())
            for _ in range(times):
                try:
                    found.append(await client.ask(b"photo"))
                except (OSError, EOFError) as error:
                    found.append(type(error).__name__)
            client.close()
        return found

    return asyncio.run(run())


def test_a_client_hears_what_is_said_and_whether_it_is_the_last() -> None:
    connections = []

    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        for close in (b"", b"Connection: close\r\n"):
            assert (await reader.readuntil(b"\r\n\r\n")).endswith(b"Content-Length: 5\r\n\r\n")
            assert await reader.readexactly(5) == b"photo"
            writer.write(b"HTTP/1.1 200 OK\r\n%bContent-Length: 2\r\n\r\n{}" % close)
        writer.close()

    assert heard(answering, times=4) == [Heard(200, b"{}", False), Heard(200, b"{}", True)] * 2
    assert len(connections) == 2


def test_a_client_that_is_hung_up_on_hears_nothing() -> None:
    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(10)
        writer.transport.abort()

    (found,) = heard(answering)
    assert found in ("ConnectionResetError", "IncompleteReadError")


def test_nothing_is_lost_when_a_server_ends_under_load(bundle: Path, photos: Path) -> None:
    found = draining.measure(bundle, photos, times=2, clients=8)
    assert (found["lost"], found["odd"], found["unclean"]) == (0, 0, 0)
    assert found["answered"] >= 16
    assert found["under_way"] > 0


def test_a_server_that_was_killed_starts_again_on_its_port(bundle: Path) -> None:
    found = restarting.measure(bundle, times=1)
    assert found["silent"] == 0
    assert len(found["seconds"]) == 1


def test_load_is_compared_with_what_the_model_says_in_this_process(bundle: Path, photos: Path) -> None:
    found = load.measure(bundle, photos, clients=4, seconds=1, rounds=1, soak=0)
    assert found["asked"] > 0
    assert (found["wrong"], found["lost"], found["rivals"]) == (0, 0, None)


def test_photos_come_to_rivals_as_they_take_them() -> None:
    kinds = {rival.name: (rival.kind.partition(";")[0], rival.body(b"photo")) for rival in RIVALS}
    assert kinds["FastAPI"] == ("application/octet-stream", b"photo")
    kind, body = kinds["LitServe"]
    assert kind == "multipart/form-data"
    assert b'name="content"' in body
    assert b"\r\n\r\nphoto\r\n--" in body


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "no answer"),
        (Answer(200, "application/json", b"{}"), "200 in place of 413"),
        (Answer(413, "text/plain", b"too large"), "not the envelope of errors"),
        (Answer(413, "application/json", json.dumps({"error": {"code": "a", "message": "b"}}).encode()), None),
    ],
)
def test_a_hostile_client_says_what_was_not_promised(answer: Answer | None, words: str | None) -> None:
    assert hostile_clients._other_than(413, answer) == words

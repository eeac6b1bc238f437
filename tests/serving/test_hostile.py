"""Hostile files and requests: a status from 200 to 499 for each, its envelope, and a server that goes on."""

from __future__ import annotations

import random
import socket
import string
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.hostile import KINDS
from tests.hostile.accidents import damaged
from tests.hostile.kind import Kind
from tests.hostile.test_fuzz import SMALL
from tests.making import photo
from tests.serving.making import Process, api, bundle_at, process

pytestmark = [
    pytest.mark.xdist_group("serving-hostile"),
    pytest.mark.filterwarnings("ignore::UserWarning:PIL"),
    pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning"),
]
BYTES = [kind for kind in KINDS if kind.make is not None]
ROUNDS = 3
# Code of a finding -> the status of a request with this file alone.
STATUS = {None: 200, "unreadable": 400, "empty": 400, "not-a-photo": 415, "too-large": 413}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with api(bundle_at(tmp_path_factory.mktemp("bundle") / "pets.fg")) as (made, _):
        yield made


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.name) for kind in BYTES])
def test_every_hostile_file_gets_its_status(client: TestClient, kind: Kind) -> None:
    content = kind.content()
    answer = client.post("/v1/predict", content=content)
    if len(content) > 20 * 2**20:
        assert answer.status_code == 413
        return
    assert answer.status_code == STATUS[kind.code], answer.text
    if kind.code is not None:
        assert answer.json()["error"]["code"] == kind.code
        assert kind.code == "empty" or kind.words in answer.json()["error"]["message"]  # no body, then, is no file


def test_damaged_photos_are_answered_or_refused(client: TestClient) -> None:
    dice = random.Random(0)
    contents = [damaged(kind.content(), dice) for kind in SMALL for _ in range(ROUNDS)]
    for start in range(0, len(contents), 20):
        files = [("file", (f"{n}", content)) for n, content in enumerate(contents[start : start + 20])]
        answer = client.post("/v1/predict", files=files)
        assert answer.status_code == 200
        assert all(("error" in row) != ("label" in row) for row in answer.json()["predictions"])


def test_random_requests_never_make_it_fail(client: TestClient) -> None:
    dice = random.Random(1)
    letters = string.printable[:95]

    def text(most: int) -> str:
        return "".join(dice.choices(letters, k=dice.randrange(most)))

    paths = ["/", "/v1/predict", "/v1/models", "/v1/models/pets/predict", "/v1/model", "/page/", "/metrics", "/readyz"]
    seen = set()
    for _ in range(400):
        path = dice.choice(paths) + (text(12).replace("#", "") if dice.random() < 0.3 else "")
        kinds = ["multipart/form-data", "multipart/form-data; boundary=" + text(5), "application/json", text(20)]
        answer = client.request(
            dice.choice(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]),
            "http://testserver" + path,
            params={"top": text(6)} if dice.random() < 0.3 else {},
            content=dice.choice([b"", photo(1), text(200).encode(), dice.randbytes(300)]),
            headers={"content-type": dice.choice(kinds).strip() or "x"},
        )
        seen.add(answer.status_code)
        assert answer.status_code < 500, (path, answer.text)
    assert {200, 404, 405, 415, 422} <= seen


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with process(bundle_at(tmp_path_factory.mktemp("bundle") / "pets.fg")) as started:
        yield started


RAW = {
    "nothing": b"",
    "no http": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(60),
    "a null": b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "a long line": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 20_000 + b"\r\n",
    "two lengths": b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    "a negative length": b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "length and chunks": (
        b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "a broken chunk": b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
    "an upgrade": b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "a huge announcement": b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999\r\n\r\n",
}


@pytest.mark.parametrize("name", RAW)
def test_broken_requests_end_without_harm(server: Process, name: str) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    said = b""
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        try:
            connection.sendall(RAW[name])
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                said += piece
        except TimeoutError:
            raise
        except OSError:  # it may hang up before all was said
            pass
    assert b" 500 " not in said.split(b"\r\n")[0]
    assert server.post(photo(1)).status_code == 200
    assert server.popen.poll() is None
    assert not server.events("request failed")

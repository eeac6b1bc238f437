"""`finegraft serve` as a process: signals, clients that dawdle, and what it says when it cannot start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.cli.running import finegraft
from tests.making import photo
from tests.serving.making import bundle_at, process

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix"),
    pytest.mark.xdist_group("serving"),
]
PHOTO = photo(1)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle_at(tmp_path_factory.mktemp("bundle") / "pets.fg")


def test_it_answers_and_ends_quietly_when_told_to(bundle: Path) -> None:
    with process(bundle) as server:
        assert server.get("/readyz").status_code == 200
        assert server.post(PHOTO).json()["model"]["name"] == "pets"
        server.popen.send_signal(signal.SIGTERM)
        assert server.popen.wait(30) == 0
    told = server.events("answered")
    assert {row["route"] for row in told} == {"/readyz", "/v1/predict"}
    assert all(set(row) == {"time", "level", "event", "request", "route", "status", "ms"} for row in told)


def test_what_clients_send_writes_no_lines_of_its_own_into_the_log(bundle: Path) -> None:
    part = b'--b\r\nContent-Disposition: form-data; na\rme="file"\r\n\r\nx\r\n--b--\r\n'
    with process(bundle) as server:
        headers = {"content-type": "multipart/form-data; boundary=b"}
        answer = httpx.post(f"{server.url}/v1/predict", content=part, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad-multipart")
        server.until("answered")  # the reader of the log would end at a line that is no JSON
    assert {line["event"] for line in server.lines} == {"listening", "ready", "answered"}


def test_what_was_accepted_is_answered_after_the_signal(bundle: Path) -> None:
    answers: list[int] = []

    def ask() -> None:
        for _ in range(10):
            try:
                answers.append(server.post(PHOTO).status_code)
            except OSError:  # pragma: no cover - refused: it was not accepted
                answers.append(0)
            except Exception as error:  # noqa: BLE001
                answers.append(-1 if "Remote" in type(error).__name__ else 0)

    with process(bundle) as server:
        asking = [threading.Thread(target=ask) for _ in range(6)]
        for thread in asking:
            thread.start()
        while not answers:
            time.sleep(0.005)
        server.popen.send_signal(signal.SIGTERM)
        for thread in asking:
            thread.join(60)
        assert server.popen.wait(30) == 0
    assert 200 in answers
    assert set(answers) <= {200, 503, 0}  # never cut off in the middle, never a 500


def test_a_new_file_is_swapped_in_without_a_lost_request(bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "pets.fg"
    path.write_bytes(bundle.read_bytes())
    seen: list[tuple[int, str]] = []
    going = threading.Event()

    def ask() -> None:
        while not going.is_set():
            answer = server.post(PHOTO)
            seen.append((answer.status_code, answer.json()["model"]["digest"]))

    with process(path) as server:
        asking = threading.Thread(target=ask)
        asking.start()
        bundle_at(tmp_path / "new.fg", seed=5).replace(path)
        server.popen.send_signal(signal.SIGHUP)
        server.until("swapped")
        time.sleep(0.2)
        path.write_bytes(b"no bundle")
        server.popen.send_signal(signal.SIGHUP)
        server.until("not swapped")
        time.sleep(0.2)
        going.set()
        asking.join(30)
    assert {status for status, _ in seen} == {200}
    digests = [digest for _, digest in seen]
    assert len(set(digests)) == 2
    assert digests == sorted(digests, key=[digests[0], digests[-1]].index)  # first the old one, then the new one


def test_clients_that_dawdle_are_dropped_and_others_answered(bundle: Path) -> None:
    with process(bundle) as server:
        host, port = server.url.removeprefix("http://").split(":")
        address = host, int(port)
        with socket.create_connection(address) as silent, socket.create_connection(address) as dripping:
            dripping.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: x\r\n")
            started = time.monotonic()
            assert server.post(PHOTO).status_code == 200
            for connection in (silent, dripping):
                connection.settimeout(30)
                while connection.recv(1000):
                    pass
        assert 5 < time.monotonic() - started < 25
        assert server.get("/readyz").status_code == 200


def test_a_connection_that_is_half_closed_harms_nothing(bundle: Path) -> None:
    with process(bundle) as server:
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as half:
            half.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
            half.shutdown(socket.SHUT_WR)
            half.settimeout(30)
            while half.recv(1000):
                pass
        assert server.post(PHOTO).status_code == 200
        assert not server.events("request failed")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a disk that is full for one process alone")
def test_a_verdict_for_which_the_disk_has_no_room_is_refused_and_spoils_none(bundle: Path, tmp_path: Path) -> None:
    import resource

    path = tmp_path / "feedback.jsonl"
    with process(bundle, "--feedback", path) as server:
        label = server.post(PHOTO).json()["predictions"][0]["label"]
        verdict = json.dumps({"digest": "abc123", "label": label, "right": True}).encode()
        assert server.post(verdict, "/v1/feedback").status_code == 200
        before = path.read_bytes()
        soft, hard = resource.prlimit(server.popen.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.popen.pid, resource.RLIMIT_FSIZE, (len(before) + 10, hard))
        answer = server.post(verdict, "/v1/feedback")
        assert (answer.status_code, answer.json()["error"]["code"]) == (507, "not-kept")
        assert str(path) not in answer.text
        assert path.read_bytes() == before
        assert server.post(PHOTO).status_code == 200
        resource.prlimit(server.popen.pid, resource.RLIMIT_FSIZE, (soft, hard))
        assert server.post(verdict, "/v1/feedback").status_code == 200
    assert len([json.loads(line) for line in path.read_bytes().splitlines()]) == 2
    (logged,) = server.events("not kept")
    assert logged["level"] == "error"
    assert str(path) in logged["reason"]


@pytest.mark.parametrize(("most", "connections"), [(700, 44), (10_000, 1000)])
def test_it_takes_no_more_connections_than_it_may_have_files(most: int, connections: int) -> None:
    """Each that cannot be accepted would be a page in the log."""
    script = (
        "import resource\n"
        "from finegraft.serving.limits import Limits\n"
        "from finegraft.serving.running import _fitting\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, (256, {most}))\n"
        "print(_fitting(Limits()).connections, resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(connections), str(min(most, 2612))]


def test_a_token_comes_from_the_environment_or_a_file(bundle: Path, tmp_path: Path) -> None:
    with process(bundle, env={"FINEGRAFT_TOKEN": "a secret"}) as server:
        assert server.post(PHOTO).status_code == 401
    (tmp_path / "token").write_text("another\n")
    with process(bundle, "--token-file", tmp_path / "token") as server:
        assert server.post(PHOTO).status_code == 401


def test_a_server_open_to_all_without_a_token_says_so(bundle: Path) -> None:
    with process(bundle, "--host", "0.0.0.0") as server:
        assert server.lines[0]["level"] == "warning"
        assert server.lines[0]["event"].startswith("open to everyone")


def test_an_unsound_model_is_told_and_ends_the_server(tmp_path: Path) -> None:
    (tmp_path / "bad.fg").write_bytes(b"no bundle")
    done = finegraft("serve", tmp_path / "bad.fg", "--port", "0")
    assert done.code == 1
    assert "is not a bundle" in done.error


def test_what_cannot_be_served_is_said(bundle: Path, tmp_path: Path) -> None:
    assert "There is no model" in finegraft("serve", tmp_path / "nothing.fg").error
    (tmp_path / "other").mkdir()
    twin = tmp_path / "other" / "pets.fg"
    twin.write_bytes(bundle.read_bytes())
    assert "Two models are called 'pets'" in finegraft("serve", bundle, twin).error
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = finegraft("serve", bundle, "--port", str(taken.getsockname()[1]))
    assert done.code == 2
    assert "Cannot listen on 127.0.0.1:" in done.error
    (tmp_path / "empty").write_text("\n")
    assert "holds no token" in finegraft("serve", bundle, "--token-file", tmp_path / "empty").error


def test_after_a_kill_it_is_ready_again_at_once(bundle: Path) -> None:
    with process(bundle) as server:
        os.kill(server.popen.pid, signal.SIGKILL)
        server.popen.wait(10)
    with process(bundle) as server:
        assert server.post(PHOTO).status_code == 200

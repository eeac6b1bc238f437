from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.no_network.sitecustomize import is_local

CONNECT = "import socket; socket.create_connection(('192.0.2.1', 9), timeout=1)"


def forget(log: Path) -> None:
    """These attempts are wanted: without them in the log, the guard does not fail this test."""
    log.write_text("")


@pytest.mark.parametrize("family", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_connection_out_of_this_machine_is_refused_and_written_down(
    surroundings: Path, family: socket.SocketKind
) -> None:
    with socket.socket(socket.AF_INET, family) as outgoing, pytest.raises(ConnectionRefusedError, match="forbid"):
        outgoing.connect(("192.0.2.1", 9))
    assert "192.0.2.1" in surroundings.read_text()
    forget(surroundings)


def test_looking_up_a_name_is_refused(surroundings: Path) -> None:
    with pytest.raises(ConnectionRefusedError, match=r"example\.org"):
        socket.getaddrinfo("example.org", 443)
    forget(surroundings)


def test_a_child_process_is_guarded_even_where_it_swallows_the_error(surroundings: Path) -> None:
    code = f"try:\n    exec({CONNECT!r})\nexcept OSError:\n    print('swallowed')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "swallowed"
    assert "192.0.2.1" in surroundings.read_text()
    forget(surroundings)


def test_an_attempt_fails_the_test_that_made_it(tmp_path: Path) -> None:
    test = f"import contextlib\ndef test_it():\n    with contextlib.suppress(OSError):\n        exec({CONNECT!r})\n"
    root = Path(__file__).resolve().parents[1]
    (tmp_path / "conftest.py").write_text("from tests.conftest import surroundings, no_outgoing_socket\n")
    (tmp_path / "test_it.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "This test tried to open outgoing connections" in done.stdout


def test_loopback_stays_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


@pytest.mark.parametrize("address", [("127.0.0.1", 80), ("::1", 80, 0, 0), "/run/socket", ("localhost", 1), "", None])
def test_what_is_local(address: object) -> None:
    assert is_local(address)


@pytest.mark.parametrize("address", [("10.0.0.1", 80), ("2001:db8::1", 80, 0, 0), "example.org", b"example.org"])
def test_what_is_not_local(address: object) -> None:
    assert not is_local(address)

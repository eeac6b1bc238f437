"""Forbids every outgoing connection of this Python process; loopback and Unix sockets stay open.

`conftest.py` installs it in the test process. Child processes get it too: Python imports a module of this
name by itself when its folder is on PYTHONPATH. Each attempt fails as if the network were down, and is
written to the file $FINEGRAFT_TEST_SOCKET_LOG, so that a test fails even where the code swallowed the error.
An audit hook sees every socket Python opens, also those that a library opens in a thread of its own.
"""

from __future__ import annotations

import ipaddress
import os
import sys

WATCHED = {  # audit event -> the place of the address among its arguments
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
}


def is_local(address: object) -> bool:
    """True for loopback, "any address of this machine", Unix sockets and kernel sockets."""
    host = address[0] if isinstance(address, tuple) and address else address
    if isinstance(host, bytes):
        host = host.decode(errors="replace")
    if not isinstance(host, str) or host in ("", "localhost") or host.startswith(("/", "\0")):
        return True
    try:
        number = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False  # a name: looking it up would already ask the network
    return number.is_loopback or number.is_unspecified


def refuse_outgoing(event: str, arguments: tuple[object, ...]) -> None:
    """The audit hook: raises `ConnectionRefusedError` for an address outside this machine."""
    place = WATCHED.get(event)
    if place is None or len(arguments) <= place or is_local(arguments[place]):
        return
    attempt = f"{event} {arguments[place]!r} by {' '.join(sys.argv) or sys.executable}"
    log = os.environ.get("FINEGRAFT_TEST_SOCKET_LOG")
    if log:
        with open(log, "a", encoding="utf-8") as file:  # noqa: PTH123 - pathlib would slow every child's start
            file.write(attempt + "\n")
    raise ConnectionRefusedError(f"The tests forbid the network: {attempt}")


sys.addaudithook(refuse_outgoing)

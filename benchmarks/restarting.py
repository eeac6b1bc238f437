"""kill -9, and the same server again on the same port: `python -m benchmarks.restarting MODEL.fg [--times 10]`.

A client is connected each time when the server dies, as one would be. Prints one JSON object: `seconds` from the start
of each new process until /readyz says 200, and how many of them then did not answer a photo (`silent`).
"""

from __future__ import annotations

import argparse
import json
import signal
import socket
import time
from pathlib import Path

from benchmarks.served import started, wait_until_ready
from tests.making import photo


def measure(model: Path, times: int) -> dict[str, object]:
    """All of it."""
    seconds: list[float] = []
    silent = 0
    server = started(model)
    try:
        wait_until_ready(server)
        for _ in range(times):
            with socket.create_connection((server.host, server.port)) as connected:
                connected.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
                server.end(signal.SIGKILL)
                begun = time.perf_counter()
                server = started(model, port=server.port)
                wait_until_ready(server)
                seconds.append(time.perf_counter() - begun)
            silent += server.predict(photo(1)).status != 200
    finally:
        server.end()
    return {"seconds": seconds, "silent": silent}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--times", type=int, default=10)
    asked = parser.parse_args()
    print(json.dumps(measure(asked.model, asked.times)))


if __name__ == "__main__":
    main()

"""A web export asked in a real Chromium about photos, beside Python: `python -m benchmarks.web FOLDER MODEL PHOTOS`.

FOLDER is what `finegraft export RUN -o FOLDER --to web` wrote, MODEL the run's bundle, PHOTOS a folder of them at any
depth. Prints a JSON object: how many photos were asked about, the share with the same first answer and with the same
doubt, the largest difference of a probability, the seconds until the page answers and those of each photo (decoded,
scaled and answered on one processor), and the bytes of the folder.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import http.server
import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.chromium import browser

AT_ONCE = 20
PATIENCE = 300  # seconds
# Keeps what the page's worker says, to all digits.
LISTENING = """
window.said = [];
window.Worker = class extends Worker {
    constructor(...given) {
        super(...given);
        this.addEventListener("message", ({ data }) => ("told" in data || "wrong" in data) && window.said.push(data));
    }
};
"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *told: object) -> None:
        """Nothing."""


@contextlib.contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The address of `folder`, which lies in a folder of a server of files."""
    handler = functools.partial(_Quiet, directory=str(folder.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{folder.name}/"
        server.shutdown()


def _until(page: Any, wanted: str) -> None:
    end = time.monotonic() + PATIENCE
    while not page.evaluate(wanted):
        if time.monotonic() > end:
            raise TimeoutError(f"the page says: {page.inner_text('#note')}")
        time.sleep(0.02)


def answers(folder: Path, photos: list[Path]) -> tuple[list[dict[str, Any]], float, float]:
    """What the page says of `photos`, {"told": an answer} or {"wrong": words}; seconds to start, and for each photo."""
    with _served(folder) as address, browser() as chromium:
        page = chromium.new_page()
        page.add_init_script(LISTENING)
        start = time.monotonic()
        page.goto(address)
        _until(page, "document.getElementById('loading').hidden")
        ready = time.monotonic()
        said: list[dict[str, Any]] = []
        for first in range(0, len(photos), AT_ONCE):
            part = photos[first : first + AT_ONCE]
            page.set_input_files("#files", [str(photo) for photo in part])
            _until(page, f"said.length == {len(part)}")
            said += page.evaluate("said.splice(0)")
            page.click("#clear")
        return said, ready - start, (time.monotonic() - ready) / max(len(photos), 1)


def compared(folder: Path, model: Path, photos: list[Path]) -> dict[str, Any]:
    """The figures; see the module."""
    import finegraft as fg

    predictor = fg.load(model)
    said, started, each = answers(folder, photos)
    same = doubts = 0
    largest = 0.0
    for photo, row in zip(photos, said, strict=True):
        wanted, told = predictor.predict(photo).to_json(), row["told"]
        found = {one["label"]: one["probability"] for one in told["ranking"]}
        largest = max(largest, *(abs(found[one["label"]] - one["probability"]) for one in wanted["ranking"]))
        same += told["label"] == wanted["label"]
        doubts += told["unsure"] == wanted["unsure"]
    return {
        "photos": len(photos),
        "agreement": same / len(photos),
        "same_doubt": doubts / len(photos),
        "max_difference": largest,
        "started": started,
        "seconds": each,
        "bytes": sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
    }


def main() -> int:
    """The command. Returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name in ("folder", "model", "photos"):
        parser.add_argument(name, type=Path)
    asked = parser.parse_args()
    photos = sorted(file for file in asked.photos.rglob("*") if file.is_file() and not file.name.startswith("."))
    print(json.dumps(compared(asked.folder.resolve(), asked.model, photos)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

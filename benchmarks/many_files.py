"""`python -m benchmarks.many_files FOLDER`: read and split a folder, and print how long each took, as JSON.

Memory is measured from outside; what it costs to start is that of an empty call, `--start`.
"""

from __future__ import annotations

import json
import sys
import time

from finegraft.features.memory import CheckMemory
from finegraft.features.store import Store
from finegraft.vision.sources import read


def main(words: list[str]) -> None:
    """Print the seconds."""
    begun = time.perf_counter()
    with Store.open() as store:
        data = read(words[0], memory=CheckMemory(store))
        checked = time.perf_counter()
        data.split(0.2, 0)
        split = time.perf_counter()
    found = {"records": len(data), "findings": len(data.findings)}
    print(json.dumps({**found, "check": checked - begun, "split": split - checked}))


if __name__ == "__main__":
    main(sys.argv[1:])

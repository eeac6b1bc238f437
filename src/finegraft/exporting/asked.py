"""The process an export is asked in, with nothing of the one that wrote it: `python -m finegraft.exporting.asked PATH`.

Reads a JSON list of file paths on stdin; prints a JSON object for each, {"values": [numbers]} or {"error": code}.
`--engine NAME` says what runs a bundle.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from finegraft.errors import FinegraftError, UnreadableFile
from finegraft.exporting.opened import Ask, open_export


def answered(ask: Ask, file: Path) -> dict[str, Any]:
    """One answer."""
    try:
        return {"values": ask(file).tolist()}
    except UnreadableFile as error:
        return {"error": error.code}


def main() -> int:
    """The command. Returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--engine", default="onnxruntime")
    asked = parser.parse_args()
    try:
        ask = open_export(asked.path, asked.engine)
        for file in json.load(sys.stdin):
            sys.stdout.write(json.dumps(answered(ask, Path(file))) + "\n")
    except FinegraftError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

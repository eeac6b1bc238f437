"""python -m tests.hostile FOLDER: writes a file of every kind, and says of each what must be found."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.hostile import KINDS


def main(folder: Path) -> None:
    """Lay all kinds in `folder`, which is made; one line on stdout for each."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        laid = kind.put(folder)
        print(f"{kind.code or 'good':12} {kind.name!a}{'' if laid else ' (cannot be had here)'}")  # noqa: T201


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Type: python -m tests.hostile FOLDER")
    main(Path(sys.argv[1]))

"""Cells of a table that name files: as keys, relative to the folder that the table lies in."""

from __future__ import annotations

import os
from pathlib import Path


class CellPaths:
    """Turns cells into keys.

    A table may name any file of its user's: its paths may be absolute or lead out of its folder. One that came out of
    an archive may not (`jailed`): nobody has looked at what a stranger wrote there.
    """

    def __init__(self, folder: Path, jailed: bool = False) -> None:
        self.folder = folder
        self._jailed = jailed
        self._above = os.path.abspath(folder).replace(os.sep, "/").rstrip("/") + "/"  # noqa: PTH100 - links stay

    def key(self, cell: str) -> str:
        """The cell as a key: "/" between its parts, relative where it lies below the folder.

        >>> CellPaths(Path("/photos")).key(".\\\\rose\\\\1.jpg")
        'rose/1.jpg'
        """
        path = cell.replace("\\", "/")
        path = path.removeprefix(self._above)
        if "//" in path or "./" in path:
            start = "/" if path.startswith("/") else ""
            path = start + "/".join(part for part in path.split("/") if part not in ("", "."))
        return path

    def leads_out(self, key: str) -> bool:
        """Whether the file of this key must not be opened."""
        absolute = os.path.isabs(key) or ":" in key[:2]  # noqa: PTH117 - it is asked of every row
        return self._jailed and (absolute or ".." in key.split("/"))

    def is_file(self, cell: str) -> bool:
        """Whether the cell names a file that is there and may be opened."""
        key = self.key(cell)
        return bool(key) and not self.leads_out(key) and os.path.isfile(self.folder / key)  # noqa: PTH113 - any text

"""Copies of photos, sorted into folders by their answer."""

from __future__ import annotations

import re
from pathlib import Path

from finegraft.data.atomic import write_atomically
from finegraft.inference.prediction import Prediction

# A bundle may come from a stranger: its class names must not lead out of the folder, on any system.
_UNSAFE = re.compile(r'[\x00-\x1f<>:"/\\|?*]')


class Sorter:
    """Copies each photo to DIR/answer/name; a name taken by another photo gets a number."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def copy(self, answer: Prediction) -> Path:
        """Copy the photo, whole or not at all, and return where to. A copy that is there already is left as it is."""
        source = Path(answer.path or "")
        content = source.read_bytes()
        place = self._folder / folder_name(answer.label)
        for number in range(1, 1_000_000):
            name = source.name if number == 1 else f"{source.stem} ({number}){source.suffix}"
            target = place / name
            if not target.exists():
                write_atomically(target, content)
                return target
            if target.read_bytes() == content:
                return target
        raise OSError(f"{place} holds a million files called {source.name}.")


def folder_name(label: str) -> str:
    """`label` as the name of one folder: never empty, never a path, never hidden."""
    name = _UNSAFE.sub("_", label).strip(" .")
    return name or "_"

"""Copies of photos, sorted into folders by their answer."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from pathlib import Path

from finegraft.data.atomic import write_atomically
from finegraft.data.naming import folder_name
from finegraft.errors import StorageError, UsageError
from finegraft.inference.prediction import Prediction


def must_lie_outside(folder: Path, paths: Iterable[str]) -> None:
    """Raise `UsageError` where `folder` lies in one that `paths` name or match: its copies would be input next time."""
    target = folder.resolve()
    for path in paths:
        matches = glob.glob(path, recursive=True) if glob.has_magic(path) else []  # noqa: PTH207 - may be absolute
        for place in (path, *matches):
            if os.path.isdir(place) and target.is_relative_to(Path(place).resolve()):  # noqa: PTH112 - any name will do
                raise UsageError(
                    f"{folder} lies in {place}, whose photos are to be sorted: the copies would be taken for more.",
                    "Give --sort-into a folder beside it.",
                )


class Sorter:
    """Copies each photo to DIR/answer/name; a name taken by another photo gets a number.

    Raises `StorageError` where `folder` is a file.
    """

    def __init__(self, folder: Path) -> None:
        if folder.exists() and not folder.is_dir():
            raise StorageError(f"Cannot sort photos into {folder}: it is a file.", "Give a folder, or a new name.")
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

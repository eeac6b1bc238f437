"""Every file below a folder, and the files that paths on a command line mean."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from finegraft.errors import DataError
from finegraft.evaluation.files import is_run


def walk(root: str | Path) -> Iterator[str]:
    """The path inside `root`, with "/", of every file below it that is not hidden; in each folder sorted by name.

    Links are followed, but not round in circles. RUN folders below `root` are passed over; `root` itself was asked
    for, whatever it is. A folder that cannot be listed is given itself ("" for `root`): whoever opens it learns why.
    A hundred thousand files take a tenth of a second: no file is asked for more than its folder says of it.
    """
    root = Path(root)
    above: frozenset[tuple[int, int]] = frozenset()
    waiting = [("", True, above)]  # the next one last
    while waiting:
        inside, is_folder, above = waiting.pop()
        if not is_folder:
            yield inside
            continue
        folder = root / inside
        try:
            status = folder.stat()
            here = (status.st_dev, status.st_ino)
            entries = [] if here in above else _listed(folder)
        except OSError:
            yield inside
            continue
        if inside and is_run(folder, {name for name, _ in entries}):
            continue
        below, before = above | {here}, f"{inside}/" if inside else ""
        waiting += [(before + name, is_a_folder, below) for name, is_a_folder in reversed(entries)]


def photos(paths: Iterable[str | Path]) -> Iterator[Path]:
    """The files that `paths` name, in their order: files, everything not hidden in folders, and what globs match.

    A RUN folder below a named one is passed over. A path that does not exist is passed on, so that it gets its own
    error. Raises `DataError` for a glob or a folder without any file. Nothing is read ahead: `paths` may be
    endless.
    """
    for path in map(Path, paths):
        if os.path.isdir(path):  # noqa: PTH112 - False for a name the system refuses, where Path raises
            yield from _not_none(_below(path), f"The folder {path} holds no files.", "Name a folder with photos in it.")
        elif glob.has_magic(str(path)) and not os.path.lexists(path):
            named = map(Path, sorted(glob.glob(str(path), recursive=True)))  # noqa: PTH207 - skips hidden files
            files = (f for match in named for f in (_below(match) if match.is_dir() else [match]))
            yield from _not_none(files, f"No file matches {path}.", "Check the pattern, or put it in quotes.")
        else:
            yield path


def _below(folder: Path) -> Iterator[Path]:
    return (folder / inside for inside in walk(folder))


def _listed(folder: Path) -> list[tuple[str, bool]]:
    """The names in `folder` that are not hidden, sorted, and whether each is a folder."""
    with os.scandir(folder) as entries:
        return sorted((entry.name, _is_folder(entry)) for entry in entries if not entry.name.startswith("."))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _not_none(files: Iterable[Path], what: str, mend: str) -> Iterator[Path]:
    empty = True
    for file in files:
        empty = False
        yield file
    if empty:
        raise DataError(what, mend)

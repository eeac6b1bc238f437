"""Where photos come from: a folder of class folders to learn from, and any paths to predict."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from finegraft.data.balance import balance
from finegraft.data.contents import read_content
from finegraft.data.copies import copies
from finegraft.data.dataset import Dataset
from finegraft.data.findings import Finding
from finegraft.data.record import Record
from finegraft.errors import DataError, UnreadableFile
from finegraft.vision.checks import Checked, Memory, Progress, check_files
from finegraft.vision.layout import Layout, Place

_LAY_OUT = "Put each class in a folder of its own: {0}/rose/1.jpg, {0}/tulip/2.jpg."


def read(source: str | Path, memory: Memory | None = None, progress: Progress | None = None) -> Dataset:
    """Every photo below the folder `source`, opened once and checked; the innermost folder names its class.

    Folders named train, training, valid, validation, val, test or testing above the class folders are given splits.
    Every file that is not hidden becomes a record, whatever its name; one that cannot be used is left out, with a
    finding that says why. A RUN folder below `source` is no data: it is passed over without a finding, as hidden
    files are. `memory` keeps results between calls, `progress(done, total)` is told of every file.

    Raises `DataError` where there is no folder, no file in it, or photos but no class folders.
    """
    root = Path(source)
    found = _files_of(root)
    paths = [path for _, path in found if path is not None]
    checks = iter(check_files(paths, memory, progress))
    checked = [(key, _UNNAMEABLE if path is None else next(checks)) for key, path in found]
    layout = Layout.of(key for key, check in checked if check.code is None)
    records, findings = [], []
    for key, check in checked:
        record, finding = _judged(key, check, layout.place(key))
        records.append(record)
        findings += [finding] if finding else []
    dataset = Dataset(tuple(records), root, "vision")
    good = sum(check.code is None for _, check in checked)
    if good and not dataset.usable:
        raise DataError(f"{root} holds {good} photos but no class folders.", _LAY_OUT.format(root))
    findings += copies(dataset.usable) + balance(dataset.usable)
    return Dataset(dataset.records, root, "vision", tuple(findings))


def photos(paths: Iterable[str | Path]) -> Iterator[Path]:
    """The files that `paths` name, in their order: files, everything not hidden in folders, and what globs match.

    A RUN folder below a named one is passed over. A path that does not exist is passed on, so that it gets its own
    error. Raises `DataError` for a glob or a folder without any file. Nothing is read ahead: `paths` may be
    endless.
    """
    for path in map(Path, paths):
        if os.path.isdir(path):  # noqa: PTH112 - False for a name the system refuses, where Path raises
            yield from _not_none(_walk(path), f"The folder {path} holds no files.", "Name a folder with photos in it.")
        elif glob.has_magic(str(path)) and not os.path.lexists(path):
            named = map(Path, sorted(glob.glob(str(path), recursive=True)))  # noqa: PTH207 - skips hidden files
            files = (f for match in named for f in (_walk(match) if match.is_dir() else [match]))
            yield from _not_none(files, f"No file matches {path}.", "Check the pattern, or put it in quotes.")
        else:
            yield path


# A name that is no UTF-8 could not be written to any report, nor found again by it.
_UNNAMEABLE = Checked("", "unreadable", "The name of this file is not valid UTF-8. Rename it.")
_NO_CLASS = "This photo lies in no class folder. Move it into the folder of its class."
_NO_SPLIT = "This photo lies outside the given splits. Move it below the train folder, or take those splits away."


def _files_of(root: Path) -> list[tuple[str, Path | None]]:
    """Key and path of every file below `root`, sorted by key; no path where the name cannot be written."""
    if not root.exists():
        raise DataError(f"There is no folder {root}.", "Check the path.")
    if not root.is_dir():
        raise DataError(f"{root} is a file, not a folder.", "Give the folder that holds the class folders.")
    if not os.access(root, os.R_OK | os.X_OK):
        raise DataError(f"You may not list the folder {root}.", "Change its permissions (chmod u+rx).")
    found = sorted((_key(path, root), path) for path in _walk(root))
    if not found:
        raise DataError(f"The folder {root} holds no files.", _LAY_OUT.format(root))
    return [(key, path if key == path.relative_to(root).as_posix() else None) for key, path in found]


def _key(path: Path, root: Path) -> str:
    return os.fsencode(path.relative_to(root).as_posix()).decode("utf-8", errors="backslashreplace")


def _judged(key: str, check: Checked, place: Place) -> tuple[Record, Finding | None]:
    code, reason = check.code, check.reason
    if code is None and (place.label is None or place.outside):
        code, reason = "misplaced", _NO_CLASS if place.label is None else _NO_SPLIT
    record = Record(key, check.digest, place.label, place.split, reason)
    return record, Finding(key, code, 1.0, reason or "") if code else None


def _walk(root: Path) -> Iterator[Path]:
    """Every file below `root` that is not hidden, sorted by name; links are followed, but not round in circles.

    RUN folders below `root` are passed over; `root` itself was asked for, whatever it is. A folder that cannot be
    listed is given itself: whoever opens it learns why.
    """
    above: frozenset[tuple[int, int]] = frozenset()
    waiting = [(root, True, above)]  # the next one last
    while waiting:
        path, is_folder, above = waiting.pop()
        if not is_folder:
            yield path
            continue
        try:
            status = path.stat()
            here = (status.st_dev, status.st_ino)
            entries = [] if here in above else _listed(path)
        except OSError:
            yield path
            continue
        if path != root and _is_run(path, {name for name, _ in entries}):
            continue
        waiting += [(path / name, folder, above | {here}) for name, folder in reversed(entries)]


def _listed(folder: Path) -> list[tuple[str, bool]]:
    """The names in `folder` that are not hidden, sorted, and whether each is a folder."""
    with os.scandir(folder) as entries:
        return sorted((entry.name, _is_folder(entry)) for entry in entries if not entry.name.startswith("."))


# What finegraft.evaluation.run puts there; here only to tell such a folder from data.
_OF_A_RUN = {"run.json", "unfinished.txt", "manifest.jsonl", "log.jsonl", "lr.json", "evaluation.jsonl"}
_OF_A_RUN |= {"decisions.jsonl", "model.fg", "report.html", "checkpoints"}


def _is_run(folder: Path, names: set[str]) -> bool:
    """Whether `folder`, which holds `names`, is a finished run, or an unfinished one and nothing besides."""
    if "run.json" in names and _has_run_format(folder / "run.json"):
        return True
    return "unfinished.txt" in names and names <= _OF_A_RUN


def _has_run_format(settings: Path) -> bool:
    try:
        stored = json.loads(read_content(settings))
    except (UnreadableFile, ValueError, RecursionError):  # someone's own run.json may hold anything
        return False
    return isinstance(stored, dict) and isinstance(stored.get("run_format"), int)


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

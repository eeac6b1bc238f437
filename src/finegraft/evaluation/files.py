"""The files of a RUN folder: their names, and how such a folder is told from others."""

from __future__ import annotations

import json
import shutil
from collections.abc import Set
from pathlib import Path
from typing import Any

from finegraft.data.contents import read_content
from finegraft.errors import RunError, StorageError, UnreadableFile

RUN_FORMAT = 1

SETTINGS = "run.json"
MANIFEST = "manifest.jsonl"
LOG = "log.jsonl"
LR_CURVE = "lr.json"
EVALUATION = "evaluation.jsonl"
MODEL = "model.fg"
REPORT = "report.html"
CHECKPOINTS = "checkpoints"
DECISIONS = "decisions.jsonl"
UNFINISHED = "unfinished.txt"
NEW = ".new"  # a whole run more, while it is being made to replace the one around it
MOVING = ".moving"  # the same, complete, while its files move to their place

# What --force may remove, besides `run.json`. What a person decided (decisions.jsonl) and files of other names stay.
OURS = (MANIFEST, LOG, LR_CURVE, EVALUATION, MODEL, REPORT, CHECKPOINTS)
_ALL = frozenset({SETTINGS, UNFINISHED, DECISIONS, *OURS})


def is_run(folder: Path, names: Set[str]) -> bool:
    """Whether `folder`, which holds `names`, is a run of any version, so that its photos and pages are no data.

    That is a finished run, or an unfinished one and nothing besides. `names` need not hold the hidden ones. Opens
    nothing but a `run.json`, and that only where it is an ordinary file of bearable size: `folder` may be a stranger's.
    """
    if SETTINGS in names and _has_run_format(folder / SETTINGS):
        return True
    if UNFINISHED not in names:
        return False
    return names <= _ALL or any(_has_run_format(folder / inner / SETTINGS) for inner in (NEW, MOVING))


def is_finished(folder: Path) -> bool:
    """Whether `folder` holds a complete run that this version can open."""
    try:
        settings_of(folder)
    except (RunError, StorageError):
        return False
    return True


def settings_of(folder: Path) -> dict[str, Any]:
    """What `run.json` holds. Raises `RunError` when the run is unfinished, too new, damaged, or none."""
    path = folder / SETTINGS
    if not path.is_file():
        if (folder / UNFINISHED).is_file():
            raise RunError(f"The run {folder} was not finished.", "Train again.")
        raise RunError(f"{folder} is not a run: it has no {SETTINGS}.", "Give the folder that `train -o` made.")
    try:
        settings = json.loads(text_of(path))
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is damaged ({error}).", "Mend it, or train again into another folder.") from error
    if not isinstance(settings, dict) or not isinstance(settings.get("run_format"), int):
        raise RunError(f"{path} was not written by finegraft.", "Give the folder that `train -o` made.")
    if settings["run_format"] > RUN_FORMAT:
        raise RunError(f"The run {folder} was made by a newer finegraft.", "Upgrade: pip install -U finegraft")
    return settings


def text_of(path: Path) -> str:
    """The text of the file at `path`. Raises `StorageError`."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise StorageError(f"Cannot read {path}: {error.strerror or error}.") from error


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it; nothing where there is none. Raises `OSError`."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _has_run_format(settings: Path) -> bool:
    try:
        stored = json.loads(read_content(settings))
    except (UnreadableFile, ValueError, RecursionError):  # someone's own run.json may hold anything
        return False
    return isinstance(stored, dict) and isinstance(stored.get("run_format"), int)

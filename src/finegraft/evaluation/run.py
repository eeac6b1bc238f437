"""A RUN folder: everything one training leaves behind, and the only thing a report is made from.

    run.json            settings, environment, metrics; written last, so that its presence means "complete"
    manifest.jsonl      every record with its split, or the reason why it was left out
    log.jsonl           a row per epoch
    lr.json             the curve of the learning-rate finder, where it ran
    evaluation.jsonl    a row per judged record
    model.fg            the bundle
    report.html
    checkpoints/
    unfinished.txt      there from the start until run.json is written

`run.json` holds what the program gives, with at least `data` (the data's root), `modality` and `target`
(`Category.to_json`), from which `dataset` and `evaluation` come back to life.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from finegraft.data.atomic import write_atomically
from finegraft.data.dataset import Dataset
from finegraft.errors import RunError, StorageError
from finegraft.evaluation.result import Evaluation
from finegraft.targets import Category

RUN_FORMAT = 1
_SETTINGS = "run.json"
_UNFINISHED = "unfinished.txt"
# What --force may remove. What a person decided (decisions.jsonl) and files of other names stay.
_OURS = ("manifest.jsonl", "log.jsonl", "lr.json", "evaluation.jsonl", "model.fg", "report.html", "checkpoints")


@dataclass(frozen=True)
class Run:
    """One RUN folder. Make it with `Run.create`, read it with `Run.open`.

    Writing methods raise `StorageError` where the disk is full or read-only.
    """

    path: Path

    @classmethod
    def create(cls, path: str | Path, force: bool = False) -> Run:
        """Start a run in a new or empty folder; with `force`, also in place of an earlier run.

        An unfinished run, as a killed process leaves it, holds nothing of worth and is started again. Only files that
        belong to a run are ever removed. Raises `RunError` when `path` holds a finished run and `force` is not given,
        and in any case when it is a file or holds something else.
        """
        run = cls(Path(path))
        if run.path.exists() or run.path.is_symlink():
            run._check_may_start(force)
        try:
            run.path.mkdir(parents=True, exist_ok=True)
            # The mark comes first: were the clearing stopped half-way, the folder would still be known as a run.
            (run.path / _UNFINISHED).write_text("finegraft works here, or was stopped before the end.\n", "utf-8")
            for name in (_SETTINGS, *_OURS):
                _remove(run.path / name)
        except OSError as error:
            raise StorageError(
                f"Cannot start a run in {path}: {error.strerror or error}.",
                "Free some space or choose a folder you can write to with -o.",
            ) from error
        return run

    def discard(self) -> None:
        """Take back what was written, and the folder too where nothing else is in it."""
        for name in (_SETTINGS, *_OURS, _UNFINISHED):
            _remove(self.path / name)
        with contextlib.suppress(OSError):  # a person's files are in it: it stays
            self.path.rmdir()

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """A complete run. Raises `RunError` when `path` is missing, unfinished, or no run."""
        run = cls(Path(path))
        run.settings  # noqa: B018 - reading it is the check
        return run

    def _check_may_start(self, force: bool) -> None:
        if not self.path.is_dir():
            raise RunError(f"{self.path} is a file, not a folder.", "Choose another folder with -o.")
        if not any(self.path.iterdir()):
            return
        finished = _is_run(self.path)
        if not finished and not (self.path / _UNFINISHED).is_file():
            raise RunError(f"{self.path} holds files that are not a run's.", "Choose another folder with -o.")
        if finished and not force:
            raise RunError(
                f"{self.path} already holds a finished run.",
                "Give --force to replace it, or choose another folder with -o.",
            )

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.resolve().name

    @property
    def model(self) -> Path:
        """Where the bundle is or belongs."""
        return self.path / "model.fg"

    @property
    def report(self) -> Path:
        """Where the report is or belongs."""
        return self.path / "report.html"

    @property
    def settings(self) -> dict[str, Any]:
        """What `run.json` holds. Raises `RunError` when the run is unfinished, or is none."""
        return _read_settings(self.path)

    def write_settings(self, settings: dict[str, Any]) -> None:
        """Write `run.json` and with it complete the run: call it last."""
        _write_json(self.path / _SETTINGS, {"run_format": RUN_FORMAT, **settings})
        (self.path / _UNFINISHED).unlink(missing_ok=True)

    def dataset(self) -> Dataset:
        """The records as they were when the run was made; findings are not kept."""
        return Dataset.load(self.path / "manifest.jsonl", Path(self._setting("data")), self._setting("modality"))

    def write_dataset(self, dataset: Dataset) -> None:
        """Write `manifest.jsonl`."""
        dataset.save(self.path / "manifest.jsonl")

    def evaluation(self) -> Evaluation:
        """The judged records."""
        return Evaluation.load(self.path / "evaluation.jsonl", Category.from_json(self._setting("target")))

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Write `evaluation.jsonl`."""
        evaluation.save(self.path / "evaluation.jsonl")

    def history(self) -> list[dict[str, Any]]:
        """The rows of `log.jsonl`, in order; none where nothing was logged."""
        path = self.path / "log.jsonl"
        # A killed process can leave half a line at the end: what follows the last line feed is no row.
        lines = _read_text(path).split("\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines]

    def log(self, row: dict[str, Any]) -> None:
        """Append `row` to `log.jsonl`; it is in the file when this returns."""
        path = self.path / "log.jsonl"
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(_plain(row), allow_nan=False) + "\n")
        except OSError as error:
            raise StorageError(f"Cannot write {path}: {error.strerror or error}.", "Free some space.") from error

    @property
    def lr_curve(self) -> dict[str, Any] | None:
        """The learning-rate finder's `lrs`, `losses`, `suggestion` and `rule`; None where it did not run."""
        path = self.path / "lr.json"
        return json.loads(_read_text(path)) if path.exists() else None

    def write_lr_curve(self, curve: dict[str, Any]) -> None:
        """Write `lr.json`."""
        _write_json(self.path / "lr.json", curve)

    def _setting(self, name: str) -> Any:
        settings = self.settings
        if name not in settings:
            raise RunError(f"{self.path / _SETTINGS} lacks the entry {name!r}.", "It was edited: train again.")
        return settings[name]


def runs(folder: str | Path) -> list[Run]:
    """The complete runs in `folder` and below, sorted by path; links to folders are not followed.

    Raises `RunError` when there is no such folder.
    """
    root = Path(folder)
    if not root.is_dir():
        raise RunError(f"There is no folder {root}.", "Give the folder that holds your runs.")
    found = []
    for place, folders, files in os.walk(root):
        if _SETTINGS in files and _is_run(Path(place)):
            found.append(Run(Path(place)))
            folders.clear()  # a run holds no runs
        folders[:] = [name for name in folders if not name.startswith(".")]
    return sorted(found, key=lambda run: run.path.parts)


def _is_run(path: Path) -> bool:
    try:
        _read_settings(path)
    except (RunError, StorageError):
        return False
    return True


def _read_settings(folder: Path) -> dict[str, Any]:
    path = folder / _SETTINGS
    if not path.is_file():
        if (folder / _UNFINISHED).is_file():
            raise RunError(f"The run {folder} was not finished.", "Train again.")
        raise RunError(f"{folder} is not a run: it has no {_SETTINGS}.", "Give the folder that `train -o` made.")
    try:
        settings = json.loads(_read_text(path))
    except ValueError as error:
        raise RunError(f"{path} is damaged ({error}).", "Mend it, or train again into another folder.") from error
    if not isinstance(settings, dict) or not isinstance(settings.get("run_format"), int):
        raise RunError(f"{path} was not written by finegraft.", "Give the folder that `train -o` made.")
    if settings["run_format"] > RUN_FORMAT:
        raise RunError(f"The run {folder} was made by a newer finegraft.", "Upgrade: pip install -U finegraft")
    return settings


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise StorageError(f"Cannot read {path}: {error.strerror or error}.") from error


def _write_json(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(_plain(content), allow_nan=False, indent=2)
    write_atomically(path, (text + "\n").encode())


def _plain(value: Any) -> Any:
    """`value` without NumPy scalars, and null where JSON has no number: a loss that diverged is logged, not fatal."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

"""A RUN folder: everything one training leaves behind, and the only thing a report is made from.

    run.json            settings, environment, metrics; written last, so that its presence means "complete"
    manifest.jsonl      every record with its split, or the reason why it was left out
    log.jsonl           a row per epoch
    lr.json             the curve of the learning-rate finder, where it ran
    evaluation.jsonl    a row per judged record
    model.fg            the bundle
    report.html
    checkpoints/
    unfinished.txt      there, and locked, while a run is being made; a killed process leaves it, without the lock
    .new/               the same once more, while a finished run is being replaced: it stays whole until then

`run.json` holds what the program gives, with at least `data` (the data's root), `modality` and `target`
(`Category.to_json`), from which `dataset` and `evaluation` come back to life.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from finegraft.data.atomic import write_atomically
from finegraft.data.dataset import Dataset
from finegraft.errors import RunError, StorageError
from finegraft.evaluation.mark import UNFINISHED, Mark
from finegraft.evaluation.result import Evaluation
from finegraft.targets import Category

RUN_FORMAT = 1
_SETTINGS = "run.json"
_NEW = ".new"
# What --force may remove. What a person decided (decisions.jsonl) and files of other names stay.
_OURS = ("manifest.jsonl", "log.jsonl", "lr.json", "evaluation.jsonl", "model.fg", "report.html", "checkpoints")


@dataclass(frozen=True)
class Run:
    """One RUN folder. Make it with `Run.create`, read it with `Run.open`.

    `path` is where it is or belongs. While it replaces an earlier run its files are gathered in `place`, a hidden
    folder inside `path`, until `publish`. Writing methods raise `StorageError` where the disk is full or read-only.
    """

    path: Path
    _aside: Path | None = None
    _made_folder: bool = field(default=False, compare=False)
    _mark: Mark | None = field(default=None, compare=False, repr=False)
    _pending: dict[str, Any] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def create(cls, path: str | Path, force: bool = False) -> Run:
        """Start a run in a new or empty folder; with `force`, also in place of an earlier run.

        An earlier finished run stays as it is until `publish`. An unfinished one, as a killed process leaves it,
        holds nothing of worth and is started again. Only files that belong to a run are ever removed. Raises
        `RunError` when `path` holds a finished run and `force` is not given, and in any case when it is a file,
        holds something else, or another process is making a run there.
        """
        path = Path(path)
        new = not (path.exists() or path.is_symlink())
        run = cls(path, None, new)
        try:
            mark, replaces = _claimed(path, force)
            run = cls(path, path / _NEW if replaces else None, new, mark)
            run.place.mkdir(exist_ok=True)
            for name in (_SETTINGS, *_OURS):
                _remove(run.place / name)
        except OSError as error:
            run.discard()
            raise StorageError(
                f"Cannot start a run in {path}: {error.strerror or error}.",
                "Free some space or choose a folder you can write to with -o.",
            ) from error
        return run

    def discard(self) -> None:
        """Take back what was written, and the folder too where it was made for this run. An earlier run stays."""
        with contextlib.suppress(OSError):  # what cannot be removed is marked as unfinished
            if self._mark is not None:
                for name in (_SETTINGS, *_OURS):
                    _remove(self.place / name)
                if self._aside is not None:
                    self._aside.rmdir()
                self._mark.remove()
            if self._made_folder:
                self.path.rmdir()
        if self._mark is not None:
            self._mark.release()

    def publish(self) -> Run:
        """Put the complete run where it belongs, in place of the earlier one; a new run is there already.

        Whatever stops this half-way, the next `Run.open` or `Run.create` brings it to its end.
        """
        if self._mark is not None:
            try:
                if self._aside is not None:
                    _take_over(self.path)
                self._mark.remove()
            finally:
                self._mark.release()
        return Run(self.path)

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """A complete run. Raises `RunError` when `path` is missing, unfinished, or no run."""
        run = cls(Path(path))
        _mend(run.path)
        run.settings  # noqa: B018 - reading it is the check
        return run

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.resolve().name

    @property
    def place(self) -> Path:
        """Where its files are at the moment: `path`, but for a run that is to replace another."""
        return self._aside or self.path

    @property
    def model(self) -> Path:
        """Where the bundle is or belongs."""
        return self.place / "model.fg"

    @property
    def report(self) -> Path:
        """Where the report is or belongs."""
        return self.place / "report.html"

    @property
    def settings(self) -> dict[str, Any]:
        """What `run.json` holds. Raises `RunError` when the run is unfinished, or is none."""
        return _read_settings(self.place) if self._pending is None else self._pending

    def with_settings(self, settings: dict[str, Any]) -> Run:
        """The run as it will be once `settings` are written: what is made from a run, as its report, comes before."""
        return replace(self, _pending=_plain({"run_format": RUN_FORMAT, **settings}))

    def write_settings(self, settings: dict[str, Any]) -> None:
        """Write `run.json` and with it complete the run: call it last. One that replaces another needs `publish`."""
        _write_json(self.place / _SETTINGS, {"run_format": RUN_FORMAT, **settings})
        if self._mark is not None and self._aside is None:
            self._mark.remove()

    def dataset(self) -> Dataset:
        """The records as they were when the run was made; findings are not kept."""
        return Dataset.load(self.place / "manifest.jsonl", Path(self._setting("data")), self._setting("modality"))

    def write_dataset(self, dataset: Dataset) -> None:
        """Write `manifest.jsonl`."""
        dataset.save(self.place / "manifest.jsonl")

    def evaluation(self) -> Evaluation:
        """The judged records."""
        return Evaluation.load(self.place / "evaluation.jsonl", Category.from_json(self._setting("target")))

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Write `evaluation.jsonl`."""
        evaluation.save(self.place / "evaluation.jsonl")

    def history(self) -> list[dict[str, Any]]:
        """The rows of `log.jsonl`, in order; none where nothing was logged."""
        path = self.place / "log.jsonl"
        # A killed process can leave half a line at the end: what follows the last line feed is no row.
        lines = _read_text(path).split("\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines]

    def log(self, row: dict[str, Any]) -> None:
        """Append `row` to `log.jsonl`; it is in the file when this returns."""
        path = self.place / "log.jsonl"
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(_plain(row), allow_nan=False) + "\n")
        except OSError as error:
            raise StorageError(f"Cannot write {path}: {error.strerror or error}.", "Free some space.") from error

    @property
    def lr_curve(self) -> dict[str, Any] | None:
        """The learning-rate finder's `lrs`, `losses`, `suggestion` and `rule`; None where it did not run."""
        path = self.place / "lr.json"
        return json.loads(_read_text(path)) if path.exists() else None

    def write_lr_curve(self, curve: dict[str, Any]) -> None:
        """Write `lr.json`."""
        _write_json(self.place / "lr.json", curve)

    def _setting(self, name: str) -> Any:
        settings = self.settings
        if name not in settings:
            raise RunError(f"{self.place / _SETTINGS} lacks the entry {name!r}.", "It was edited: train again.")
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


def _claimed(path: Path, force: bool) -> tuple[Mark, bool]:
    """The mark of the folder `path`, made where it is missing, and whether a new run would replace a finished one.

    Judged twice: what holds no run is not touched at all, and before the lock another process may have ended its run.
    """
    if path.exists() or path.is_symlink():
        _may_replace(path, force)
    path.mkdir(parents=True, exist_ok=True)
    mark = Mark(path)
    try:
        _settle(path)
        return mark, _may_replace(path, force)
    except RunError:
        mark.remove()
        raise


def _may_replace(path: Path, force: bool) -> bool:
    """True where a new run in the folder `path` would replace a finished one. Raises `RunError` where it may not."""
    if not path.is_dir():
        raise RunError(f"{path} is a file, not a folder.", "Choose another folder with -o.")
    if not any(path.iterdir()):
        return False
    finished = _is_run(path)
    if not finished and not (path / UNFINISHED).is_file():
        raise RunError(f"{path} holds files that are not a run's.", "Choose another folder with -o.")
    if finished and not force:
        raise RunError(
            f"{path} already holds a finished run.",
            "Give --force to replace it, or choose another folder with -o.",
        )
    return finished


def _take_over(path: Path) -> None:
    """Take the finished run in `path` out of use, and move the one in `path`/.new into its place."""
    try:
        _remove(path / _SETTINGS)  # from here on `path` holds no run until the new run.json is there, which comes last
        for name in _OURS:
            if not (path / _NEW / name).exists():
                _remove(path / name)
    except OSError as error:
        raise _cannot_replace(path, error) from error
    _settle(path)


def _mend(path: Path) -> None:
    """End a `_take_over` that was stopped; wait for one that goes on, which takes a moment."""
    if (path / _SETTINGS).exists() or not _is_run(path / _NEW):
        return
    try:
        mark = Mark(path, wait=True)
        _settle(path)
        mark.remove()
    except OSError as error:
        raise _cannot_replace(path, error) from error


def _settle(path: Path) -> None:
    """End a `_take_over` that was stopped, and do nothing where there is none. Only for who holds the mark."""
    new = path / _NEW
    if (path / _SETTINGS).exists() or not _is_run(new):
        return
    try:
        for name in (*_OURS, _SETTINGS):
            if (new / name).is_dir():
                _remove(path / name)
            with contextlib.suppress(FileNotFoundError):  # it has no such file, or it was moved already
                (new / name).replace(path / name)
        _remove(new)
    except OSError as error:
        raise _cannot_replace(path, error) from error


def _cannot_replace(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"Cannot replace the run in {path}: {error.strerror or error}.",
        f"The new one is complete in {path / _NEW}: mend the cause and open {path} again.",
    )


def _is_run(path: Path) -> bool:
    try:
        _read_settings(path)
    except (RunError, StorageError):
        return False
    return True


def _read_settings(folder: Path) -> dict[str, Any]:
    path = folder / _SETTINGS
    if not path.is_file():
        if (folder / UNFINISHED).is_file():
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

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
    .new/, .moving/     the same once more, while a finished run is being replaced: it stays whole until then

`run.json` holds what the program gives, with at least `data` (the data's root), `modality` and `target`
(its `to_json`), from which `dataset` and `evaluation` come back to life.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from finegraft import targets
from finegraft.data.atomic import write_atomically
from finegraft.data.dataset import Dataset
from finegraft.errors import RunError, StorageError
from finegraft.evaluation import files, kinds, takeover
from finegraft.evaluation.kinds import AnyEvaluation
from finegraft.evaluation.mark import Mark
from finegraft.targets import Tags


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
            mark, replaces = takeover.claimed(path, force)
            run = cls(path, path / files.NEW if replaces else None, new, mark)
            run.place.mkdir(exist_ok=True)
            takeover.clear(run.place)
        except OSError as error:
            run.discard()
            raise StorageError(
                f"Cannot start a run in {path}: {error.strerror or error}.",
                "Free some space or choose a folder you can write to with -o.",
            ) from error
        except KeyboardInterrupt:
            run.discard()
            raise
        return run

    def discard(self) -> None:
        """Take back what was written, and the folder too where it was made for this run. An earlier run stays."""
        with contextlib.suppress(OSError):  # what cannot be removed is marked as unfinished
            if self._mark is not None:
                takeover.clear(self.place)
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
                    takeover.take_over(self.path)
                self._mark.remove()
            finally:
                self._mark.release()
        return Run(self.path)

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """A complete run. Raises `RunError` when `path` is missing, unfinished, or no run."""
        run = cls(Path(path))
        takeover.mend(run.path)
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
        return self.place / files.MODEL

    @property
    def checkpoints(self) -> Path:
        """The folder of training weights; there only where a network has learned."""
        return self.place / files.CHECKPOINTS

    @property
    def report(self) -> Path:
        """Where the report is or belongs."""
        return self.place / files.REPORT

    @property
    def settings(self) -> dict[str, Any]:
        """What `run.json` holds. Raises `RunError` when the run is unfinished, or is none."""
        return files.settings_of(self.place) if self._pending is None else self._pending

    def with_settings(self, settings: dict[str, Any]) -> Run:
        """The run as it will be once `settings` are written: what is made from a run, as its report, comes before."""
        return replace(self, _pending=_plain({"run_format": files.RUN_FORMAT, **settings}))

    def write_settings(self, settings: dict[str, Any]) -> None:
        """Write `run.json` and with it complete the run: call it last. One that replaces another needs `publish`."""
        _write_json(self.place / files.SETTINGS, {"run_format": files.RUN_FORMAT, **settings})
        if self._mark is not None and self._aside is None:
            self._mark.remove()

    def dataset(self) -> Dataset:
        """The records as they were when the run was made; findings are not kept."""
        root = Path(self.settings.get("root") or self._setting("data"))  # the first runs have no root of their own
        return Dataset.load(self.place / files.MANIFEST, root, self._setting("modality"))

    def write_dataset(self, dataset: Dataset) -> None:
        """Write `manifest.jsonl`."""
        dataset.save(self.place / files.MANIFEST)

    def evaluation(self) -> AnyEvaluation:
        """The judged records."""
        target = targets.from_json(self._setting("target"))
        thresholds = self._setting("thresholds") if isinstance(target, Tags) else None
        return kinds.load(self.place / files.EVALUATION, target, thresholds)

    def write_evaluation(self, evaluation: AnyEvaluation) -> None:
        """Write `evaluation.jsonl`."""
        evaluation.save(self.place / files.EVALUATION)

    def history(self) -> list[dict[str, Any]]:
        """The rows of `log.jsonl`, in order; none where nothing was logged."""
        path = self.place / files.LOG
        # A killed process can leave half a line at the end: what follows the last line feed is no row.
        lines = files.text_of(path).split("\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines]

    def log(self, row: dict[str, Any]) -> None:
        """Append `row` to `log.jsonl`; it is in the file when this returns."""
        path = self.place / files.LOG
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(_plain(row), allow_nan=False) + "\n")
        except OSError as error:
            raise StorageError(f"Cannot write {path}: {error.strerror or error}.", "Free some space.") from error

    @property
    def lr_curve(self) -> dict[str, Any] | None:
        """The learning-rate finder's `lrs`, `losses`, `suggestion` and `rule`; None where it did not run."""
        path = self.place / files.LR_CURVE
        return json.loads(files.text_of(path)) if path.exists() else None

    def write_lr_curve(self, curve: dict[str, Any]) -> None:
        """Write `lr.json`."""
        _write_json(self.place / files.LR_CURVE, curve)

    def _setting(self, name: str) -> Any:
        settings = self.settings
        if name not in settings:
            raise RunError(f"{self.place / files.SETTINGS} lacks the entry {name!r}.", "It was edited: train again.")
        return settings[name]


def runs(folder: str | Path) -> list[Run]:
    """The complete runs in `folder` and below, sorted by path; links to folders are not followed.

    Raises `RunError` when there is no such folder.
    """
    root = Path(folder)
    if not root.is_dir():
        raise RunError(f"There is no folder {root}.", "Give the folder that holds your runs.")
    found = []
    for place, folders, names in os.walk(root):
        if _holds_run(Path(place), {*folders, *names}):
            found.append(Run(Path(place)))
            folders.clear()  # a run holds no runs
        folders[:] = [name for name in folders if not name.startswith(".")]
    return sorted(found, key=lambda run: run.path.parts)


def _holds_run(folder: Path, names: set[str]) -> bool:
    """Whether `folder`, which holds `names`, is a complete run, once a replacement that was stopped is ended."""
    if files.UNFINISHED in names and names & {files.NEW, files.MOVING}:
        with contextlib.suppress(StorageError):  # it stays unfinished; whoever opens it learns why
            takeover.mend(folder)
        return files.is_finished(folder)
    return files.SETTINGS in names and files.is_finished(folder)


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

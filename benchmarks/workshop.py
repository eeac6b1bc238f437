"""Where promises are measured: a temporary folder, an empty cache, the real command, the developers' data.

Measurements that several rows need (one training run gives accuracy, seconds and memory) are taken once and remembered.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from benchmarks import watch
from benchmarks.promise import CannotMeasureError

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("FINEGRAFT_SHARED_DATA", ROOT.parent / "shared" / "data"))  # as in tests/conftest.py
CORES = 2  # the promises are about two processors
# What would change a measurement without being seen in its command.
FOREIGN = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PYTHONPATH", "PYTHONSTARTUP")

T = TypeVar("T")


class Workshop:
    """One sitting of measurements in the folder `scratch`, which the caller removes."""

    def __init__(self, scratch: Path, data: Path = DATA, executable: Path | None = None) -> None:
        self.scratch = scratch
        self._data = data
        self._executable = executable or Path(sys.executable).with_name("finegraft")
        self._remembered: dict[str, Any] = {}

    def data(self, name: str) -> Path:
        """A folder of the developers' data. Raises `CannotMeasureError` where it is absent."""
        folder = self._data / name
        if not folder.exists():
            raise CannotMeasureError(f"{folder} is not here")
        return folder

    def environment(self, cache: str = "cache") -> dict[str, str]:
        """This process's environment with a cache of its own and nothing that tunes threads."""
        kept = {k: v for k, v in os.environ.items() if k not in FOREIGN and not k.startswith("FINEGRAFT_")}
        return kept | {"FINEGRAFT_CACHE": str(self.scratch / cache)}

    def cli(self, *words: str | Path, cache: str = "cache", memory: bool = True, stdin: str = "") -> watch.Watched:
        """`finegraft WORDS…` in a process of its own on two processors. Raises `CommandFailedError`."""
        if not self._executable.exists():
            raise CannotMeasureError(f"{self._executable} is not installed")
        command = [self._executable, *words]
        env = self.environment(cache)
        return watch.checked(watch.run(command, env=env, cores=CORES, memory=memory, stdin=stdin, cwd=self.scratch))

    def python(self, module: str, *words: str | Path, cache: str = "cache", memory: bool = True) -> watch.Watched:
        """`python -m MODULE WORDS…` with this interpreter, in a process of its own. Raises `CommandFailedError`."""
        command = [sys.executable, "-m", module, *words]
        env = self.environment(cache) | {"OMP_WAIT_POLICY": "PASSIVE"}  # as the command line sets it
        return watch.checked(watch.run(command, env=env, cores=CORES, memory=memory, cwd=ROOT))

    def once(self, name: str, measure: Callable[[], T]) -> T:
        """What `measure` returned the first time it was asked for under `name`, or raised then."""
        if name not in self._remembered:
            try:
                self._remembered[name] = measure()
            except Exception as error:  # noqa: BLE001  (raised again for every row that needs it)
                self._remembered[name] = error
        found = self._remembered[name]
        if isinstance(found, Exception):
            raise found
        return found  # type: ignore[no-any-return]

    def empty(self, name: str) -> Path:
        """A path in the scratch folder at which nothing lies."""
        path = self.scratch / name
        shutil.rmtree(path, ignore_errors=True)
        return path


def json_of(watched: watch.Watched) -> dict[str, Any]:
    """The one JSON object a command printed with `--json`. Raises `CommandFailedError` when stdout is anything else."""
    try:
        found = json.loads(watched.stdout)
    except ValueError as error:
        raise watch.CommandFailedError(f"stdout is not one JSON object: {watched.stdout[:80]!r}") from error
    if not isinstance(found, dict):
        raise watch.CommandFailedError(f"stdout holds a JSON {type(found).__name__}, not an object")
    return found


def rows_of(watched: watch.Watched) -> list[dict[str, Any]]:
    """The JSON Lines a command printed."""
    return [json.loads(line) for line in watched.stdout.splitlines()]


def beside(watched: watch.Watched) -> str:
    """A remark for the table when other programs were busy during a timed command, else nothing."""
    return f" (other programs took {watched.others:.0%} of the processors meanwhile)" if watched.others > 0.1 else ""

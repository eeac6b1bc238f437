"""Where commands are stopped: photos, a place made anew for every blow, and what an undisturbed command left."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.faults.blows import Blow
from tests.faults.launching import Command
from tests.faults.preloaded import Preloaded
from tests.faults.process import Ended, Watched, run, started
from tests.faults.wholeness import Entries, entries

# What a check says of a file is remembered only once the file is older than this (`vision/checks.py`).
_SETTLED = 2.1


@dataclass(frozen=True)
class Ground:
    """Everything lies in the folder `root`; `photos` is never changed.

    `options` are those of every training, `surroundings` the environment of every command (default: this process's).
    Commands are forked off `server` where there is one, else executed; `executed`, those that are stopped are in any
    case.
    """

    root: Path
    photos: Path
    options: tuple[str, ...] = ()
    server: Preloaded | None = None
    executed: bool = False
    surroundings: Mapping[str, str] | None = None

    @property
    def place(self) -> Path:
        """What the stopped command may change: it lies below here, and nothing else does."""
        return self.root / "place"

    @property
    def reference(self) -> Path:
        """`place` as the undisturbed command left it."""
        return self.root / "reference"

    @property
    def said(self) -> str:
        """What the undisturbed command printed."""
        return (self.root / "said").read_text(encoding="utf-8")

    @property
    def whole(self) -> Path:
        """The RUN folder that the undisturbed command left."""
        return self.reference / "runs" / "run"

    @property
    def old(self) -> Path:
        """The run that was there before, where one is to be replaced."""
        return self.root / "kept" / "old run" / "runs" / "run"

    @property
    def full_cache(self) -> Path:
        """The cache of a whole training, where one was prepared."""
        return self.root / "kept" / "full cache" / "cache"

    @functools.cached_property
    def entries(self) -> Entries:
        """What the undisturbed command left in the cache."""
        return entries(self.reference / "cache")

    @property
    def cache(self) -> Path:
        """The cache folder, in `place`."""
        return self.place / "cache"

    @property
    def run(self) -> Path:
        """The RUN folder, in a folder of `place` that holds nothing else."""
        return self.place / "runs" / "run"

    @property
    def journal(self) -> Path:
        """The changes to the disk that an armed command made."""
        return self.root / "journal"

    @property
    def one_photo(self) -> Path:
        """The first photo."""
        return min(path for path in self.photos.rglob("*") if path.is_file())

    def train(self, run: Path, *more: str) -> tuple[str, ...]:
        """The words that train on the photos into `run`."""
        return ("train", str(self.photos), "-o", str(run), *self.options, *more)

    def check(self) -> tuple[str, ...]:
        """The words that check the photos."""
        return ("check", str(self.photos), "--json")

    def sort(self) -> tuple[str, ...]:
        """The words that predict all photos, make a page of them and sort copies of them into folders."""
        places = ("--html", str(self.place / "page.html"), "--sort-into", str(self.place / "sorted"))
        return ("predict", str(self.run), str(self.photos), "--json", *places)

    def environment(self) -> dict[str, str]:
        """That of every command: the cache in `place`."""
        return {**(os.environ if self.surroundings is None else self.surroundings), "FINEGRAFT_CACHE": str(self.cache)}

    def command(self, *words: str | Path, armed: bool = False) -> Command:
        """`finegraft WORDS…`; `armed`, it lists its changes in `journal`."""
        journal = self.journal if armed else None
        return Command(tuple(map(str, words)), self.environment(), self.place, journal)

    def finegraft(self, *words: str | Path) -> Ended:
        """Run a command to its end."""
        return run(self.command(*words), None, self.server)

    def stop(self, *words: str | Path, blow: Blow | None, armed: bool = False) -> Ended:
        """Run a command to the blow, or as one is run that gets it."""
        return run(self.command(*words, armed=armed), blow, None if self.executed else self.server)

    def must(self, *words: str | Path) -> None:
        """Run a command that prepares something. Raises `RuntimeError` where it fails."""
        ended = self.finegraft(*words)
        if ended.code != 0:
            raise RuntimeError(f"`finegraft {words[0]}` ended with {ended.code}: {ended.err[-2000:]}")

    @contextlib.contextmanager
    def started(self, *words: str | Path) -> Iterator[Watched]:
        """A command under way."""
        with started(self.command(*words), None, self.server) as watched:
            yield watched

    def clear(self) -> None:
        """An empty place."""
        shutil.rmtree(self.place, ignore_errors=True)
        self.run.parent.mkdir(parents=True)

    def kept(self, name: str, make: Callable[[], object]) -> None:
        """An empty place, then as `make` leaves it; made once and copied from then on."""
        store = self.root / "kept" / name
        self.clear()
        if not store.exists():
            make()
            shutil.copytree(self.place, store)
            return
        shutil.copytree(store, self.place, dirs_exist_ok=True)

    def keep(self, ended: Ended) -> None:
        """Keep what the undisturbed command left, and what it said, as the reference."""
        shutil.rmtree(self.reference, ignore_errors=True)
        self.__dict__.pop("entries", None)  # of an earlier reference
        self.place.rename(self.reference)
        (self.root / "said").write_text(ended.out, encoding="utf-8")

    def settle(self) -> None:
        """Wait until the newest photo is old enough for its check to be remembered."""
        newest = max(path.stat().st_ctime for path in self.photos.rglob("*"))
        time.sleep(max(0.0, newest + _SETTLED - time.time()))

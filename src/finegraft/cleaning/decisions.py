"""What a person decided about records, as a journal: every decision a line, none ever changed or removed.

    keep     the label is right, whatever it looks like
    good     the record itself is fine: a finding about its file is no fault
    relabel  it is another class
    drop     it is not to be used
    rename   a class has another name from now on
    merge    a class is part of another from now on
    undo     an earlier decision does not hold

A line is on disk before it is acknowledged. Several processes and threads may decide at once: each append happens under
a lock and after a look at what others have appended, so numbers have no gaps and nobody writes over anybody.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from finegraft.data.atomic import flush_folder
from finegraft.data.record import Record
from finegraft.errors import DataError, StorageError, UsageError

if sys.platform != "win32":
    import fcntl

Kind = Literal["keep", "good", "relabel", "drop", "rename", "merge", "undo"]
_OF_CLASSES = ("rename", "merge")


@dataclass(frozen=True)
class Decision:
    """One line. `keys` are the records it is about; of "rename" and "merge" none, but the class `label` that becomes
    `to`. `to` is also the class of "relabel". `undoes` is the number of the decision that "undo" takes back. `number`
    counts from 1.
    """

    kind: Kind
    keys: tuple[str, ...] = ()
    label: str | None = None
    to: str | None = None
    undoes: int | None = None
    who: str = ""
    time: str = ""
    number: int = 0

    def to_json(self) -> dict[str, Any]:
        """The line, without what does not belong to its kind."""
        told = {"number": self.number, "kind": self.kind, "keys": list(self.keys), "label": self.label, "to": self.to}
        told |= {"undoes": self.undoes, "who": self.who, "time": self.time}
        return {name: value for name, value in told.items() if value not in (None, [], "")}

    @classmethod
    def from_json(cls, line: Any) -> Decision:
        """The inverse. Raises `ValueError` and `TypeError` for what is no decision."""
        if not isinstance(line, dict):
            raise ValueError("it is no object")
        keys = line.get("keys", [])
        made = cls(**{**line, "keys": tuple(keys)})
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise ValueError("keys are texts")
        texts = (made.label, made.to, made.who, made.time)
        if not all(text is None or isinstance(text, str) for text in texts) or not isinstance(made.number, int):
            raise ValueError("a field is of another kind")
        if problem := made.problem:
            raise ValueError(problem)
        return made

    @property
    def problem(self) -> str | None:
        """What is wrong with it, in a sentence; None where it can be kept."""
        if self.kind not in get_args(Kind):
            return f"There is no decision called {self.kind!r}."
        if self.kind == "undo":
            return None if isinstance(self.undoes, int) and self.undoes > 0 else "Say which decision is undone."
        if self.kind in _OF_CLASSES:
            good = bool(self.label) and bool(self.to) and self.label != self.to and not self.keys
            return None if good else f"To {self.kind} takes a class and another name."
        if not self.keys:
            return f"To {self.kind} takes records."
        if (self.kind == "relabel") != bool(self.to):
            return "The class belongs to a relabelling, and to nothing else."
        return None


class Journal:
    """The decisions in the file at `path`, made with the first one; safe to use from many threads and processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._rows: list[Decision] = []  # what was read, and where it ends: whole lines never change
        self._end = 0

    def add(self, decision: Decision, who: str = "") -> Decision:
        """Keep `decision`; it is on disk when this returns, with its number and time.

        Raises `UsageError` for one that says nothing or undoes what is not there, `DataError` for a file that is no
        journal, and `StorageError` where it cannot be written: nothing of it is kept then.
        """
        if problem := decision.problem:
            raise UsageError(problem)
        with self._lock, self._opened() as handle:
            self._take(_from(handle, self._end))
            if decision.undoes is not None and decision.undoes > len(self._rows):
                raise UsageError(f"There is no decision {decision.undoes} to undo.")
            made = replace(
                decision,
                number=len(self._rows) + 1,
                who=who or decision.who,
                time=datetime.now(UTC).isoformat(timespec="seconds"),
            )
            # Where whole lines end: what a killed process left of a line is no decision.
            self._append(handle, self._end, json.dumps(made.to_json(), ensure_ascii=False).encode() + b"\n")
        return made

    def read(self) -> list[Decision]:
        """All of them, in their order; none where there is no file. Raises `DataError` where it is no journal."""
        try:
            with self._lock, self.path.open("rb") as file:
                file.seek(self._end)
                self._take(file.read())
                return list(self._rows)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StorageError(
                f"Cannot read {self.path}: {error.strerror or error}.", "Check its permissions."
            ) from error

    def _take(self, content: bytes) -> None:
        """Note the whole lines of `content`, which follows what was read."""
        *lines, rest = content.split(b"\n")
        rows = list(self._rows)
        for line in lines:
            number = len(rows) + 1
            try:
                rows.append(Decision.from_json(json.loads(line)))
                if rows[-1].number != number:
                    raise ValueError(f"its number is {rows[-1].number}")
            except (ValueError, TypeError, RecursionError) as error:
                raise DataError(
                    f"{self.path}, line {number} is no decision: {error}.",
                    "Bring back a copy of the file, or remove the line and all after it.",
                ) from error
        self._rows, self._end = rows, self._end + len(content) - len(rest)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        """The file, locked against others. Raises `StorageError`."""
        new = not self.path.exists()
        try:
            handle = os.open(self.path, os.O_CREAT | os.O_RDWR, 0o666)
        except OSError as error:
            raise self._cannot(error) from error
        try:
            if sys.platform != "win32":
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
            if new:
                flush_folder(self.path.parent)
        finally:
            os.close(handle)

    def _append(self, handle: int, at: int, line: bytes) -> None:
        """Write `line` at `at`, where the whole lines end, or nothing of it."""
        try:
            os.ftruncate(handle, at)
            os.lseek(handle, at, os.SEEK_SET)
            rest = line
            while rest:
                rest = rest[os.write(handle, rest) :]
            os.fsync(handle)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(handle, at)
            raise self._cannot(error) from error

    def _cannot(self, error: OSError) -> StorageError:
        return StorageError(f"Cannot write {self.path}: {error.strerror or error}.", "Free some space.")


def _from(handle: int, at: int) -> bytes:
    """The file's bytes from `at` on."""
    os.lseek(handle, at, os.SEEK_SET)
    pieces = []
    while piece := os.read(handle, 2**20):
        pieces.append(piece)
    return b"".join(pieces)


def holding(decisions: Sequence[Decision]) -> list[Decision]:
    """Those that hold, in their order: not undone, and no "undo" themselves. An "undo" can be undone too."""
    undone: set[int] = set()
    for row in reversed(decisions):
        if row.kind == "undo" and row.number not in undone:
            assert row.undoes is not None
            undone.add(row.undoes)
    return [row for row in decisions if row.kind != "undo" and row.number not in undone]


def applied(records: Sequence[Record], decisions: Sequence[Decision]) -> list[Record]:
    """`records` as the decisions that hold leave them, in the same order: new labels, and what is dropped left out.

    A later decision about a record takes the place of an earlier one; names of classes change from there on.
    """
    fate: dict[str, Decision] = {}
    names: list[tuple[str, str]] = []
    for row in holding(decisions):
        if row.kind in _OF_CLASSES:
            assert row.label is not None
            assert row.to is not None
            names.append((row.label, row.to))
            fate = {key: _renamed(own, row.label, row.to) for key, own in fate.items()}
        else:
            fate.update(dict.fromkeys(row.keys, row))
    return [_decided(record, fate.get(record.key), names) for record in records]


def _renamed(decision: Decision, label: str, to: str) -> Decision:
    return replace(decision, to=to) if decision.to == label else decision


def _decided(record: Record, decision: Decision | None, names: Sequence[tuple[str, str]]) -> Record:
    label = record.label
    for before, after in names:
        if isinstance(label, tuple):
            label = tuple(sorted({after if tag == before else tag for tag in label}))
        elif label == before:
            label = after
    if decision is not None and decision.kind == "relabel":
        label = decision.to
    left_out = record.left_out
    if decision is not None and decision.kind == "drop":
        left_out = "dropped by a person"
    return replace(record, label=label, left_out=left_out)

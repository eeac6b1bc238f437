"""The manifest of a fetched folder: `.fetched.jsonl`, a line for every row of the list, with where its photo came from.

The line of a saved photo is written before its file. So the file is the proof: where it is missing, the row was never
saved, and a process killed at any moment neither loses a photo it has saved nor fetches it again.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from finegraft.data.atomic import write_atomically
from finegraft.errors import StorageError
from finegraft.fetching.reasons import KINDS, Outcome, outcome_of

NAME = ".fetched.jsonl"  # hidden: every other file of the folder is a photo
_APPENDING = os.O_CREAT | os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one row. `row` is its line number in the file `list`.

    A saved row has `path` (inside the folder, with "/"), and what the host said of the photo; any other one `kind`
    (of `reasons.KINDS`) and `reason`, and where it is a copy, `same_as`. `retry` says that another run tries it again.
    """

    row: int
    list: str
    label: str | None
    url: str
    outcome: Outcome
    kind: str | None = None
    reason: str | None = None
    retry: bool = False
    path: str | None = None
    same_as: str | None = None
    final_url: str | None = None
    status: int | None = None
    content_type: str | None = None
    bytes: int | None = None
    digest: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    fetched_at: str | None = None
    tries: int = 0

    @property
    def key(self) -> tuple[str | None, str, int | None]:
        """What a later line of the same row has in common with it; rows that were never asked for go by number."""
        return (self.label, self.url, self.row if self.kind in ("same-url", "bad-row", "bad-url") else None)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Line:
        """The inverse of `dataclasses.asdict`. Raises `ValueError` or `TypeError` for anything else."""
        line = cls(**stored)
        texts = (line.list, line.url)
        if not all(isinstance(text, str) for text in texts) or not isinstance(line.row, int):
            raise ValueError("a row has a list and an address")
        if line.outcome != ("saved" if line.kind is None else outcome_of(line.kind)):
            raise ValueError(f"no row ends as {line.outcome!r} with the kind {line.kind!r}")
        if line.kind is not None and line.kind not in KINDS:
            raise ValueError(f"there is no kind {line.kind!r}")
        return line


class Manifest:
    """The lines of the folder `folder`: `before` as they were found, the last one of each row; and a place for more.

    A line that a killed process left half-written is passed over and cut off.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.before = {line.key: line for line in _read(self.path)}
        try:
            if self.path.exists():
                _write(self.path, self.before.values())
            self._file: int | None = os.open(self.path, _APPENDING, 0o666)
        except OSError as error:
            raise _cannot("write", self.path, error) from error

    def append(self, line: Line) -> None:
        """Add one line; it is in the file when this returns, whatever happens to this process."""
        text = _text(line)
        assert self._file is not None  # nothing is appended after the end
        try:
            if os.write(self._file, text) < len(text):  # what stands there now is cut off by the next reader
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise _cannot("write", self.path, error) from error

    def finish(self, lines: Iterable[Line]) -> None:
        """Leave one line for each row of the list, in its order, and the lines of other lists behind them; then close.

        Earlier lines of this list whose row is gone stay where a photo was saved: its origin must not be lost.
        """
        self.close()  # Windows replaces no open file
        now = {line.key: line for line in lines}
        lists = {line.list for line in now.values()}
        kept = [
            line
            for key, line in self.before.items()
            if key not in now and (line.list not in lists or line.outcome == "saved")
        ]
        _write(self.path, [*now.values(), *kept])

    def close(self) -> None:
        """Close the file. Nothing the second time."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _read(path: Path) -> list[Line]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _cannot("read", path, error) from error
    lines = []
    for text in content.split(b"\n"):
        try:
            lines.append(Line.from_json(json.loads(text)))
        except (ValueError, TypeError, RecursionError):  # half a line, or not one of ours
            continue
    return lines


def _write(path: Path, lines: Iterable[Line]) -> None:
    write_atomically(path, b"".join(map(_text, lines)))


def _text(line: Line) -> bytes:
    return (json.dumps(asdict(line), ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _cannot(what: str, path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"Cannot {what} the manifest {path}: {error.strerror or error}.", "Free some space, or choose another folder."
    )

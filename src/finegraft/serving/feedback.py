"""What people say of answers, a line of JSON each, for `finegraft clean`: no photo, no address, no name of a person."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from io import RawIOBase
from pathlib import Path
from typing import Any

from finegraft.errors import StorageError
from finegraft.serving.models import Loaded
from finegraft.serving.problems import Problem

_MOST = 64 * 2**10  # bytes of a request


class Feedback:
    """Appends to the file at `path`. Raises `StorageError` where it cannot be written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._append(b"")

    def keep(self, model: Loaded, content: bytes) -> None:
        """One verdict: {"digest", "label", "right"} and, of a wrong one, "wanted", a label or null for none of them.

        It is on disk when this returns. Raises `Problem` for anything else, and `StorageError` where the disk is full.
        """
        told = _read(content)
        labels = set(model.predictor.labels)
        digest, label, right, wanted = (told.get(key) for key in ("digest", "label", "right", "wanted"))
        if not isinstance(digest, str) or not 0 < len(digest) <= 64 or not digest.isalnum():
            raise _wrong("'digest' must be that of the answer")
        if not isinstance(label, str) or label not in labels:
            raise _wrong("'label' must be one of the model's")
        if not isinstance(right, bool):
            raise _wrong("'right' must be true or false")
        if wanted is not None and (right or not isinstance(wanted, str) or wanted not in labels):
            raise _wrong("'wanted' must be one of the model's labels, and of a wrong answer only")
        row = {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "model": model.to_json(),
            "digest": digest,
            "label": label,
            "right": right,
            "wanted": wanted,
        }
        self._append(json.dumps(row, ensure_ascii=False).encode() + b"\n")

    def _append(self, line: bytes) -> None:
        """All of `line`, or nothing of it: half a line would spoil the one after."""
        try:
            with self._lock, self._path.open("ab", buffering=0) as file:
                before = file.tell()
                try:
                    _write(file, line)
                except OSError:
                    file.truncate(before)
                    raise
        except OSError as error:
            raise StorageError(
                f"Cannot write {self._path}: {error.strerror or error}.", "Choose another file for --feedback."
            ) from error


def _write(file: RawIOBase, line: bytes) -> None:
    while line:
        line = line[file.write(line) :]
    os.fsync(file.fileno())


def _read(content: bytes) -> Mapping[str, Any]:
    if len(content) > _MOST:
        raise Problem(413, "too-large", f"A verdict may have {_MOST // 1024} KB at most.", {"Connection": "close"})
    try:
        told = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _wrong("it is no JSON") from error
    if not isinstance(told, dict):
        raise _wrong("it is no object")
    return told


def _wrong(why: str) -> Problem:
    return Problem(422, "bad-feedback", f"This verdict cannot be kept: {why}.")

"""Whether what lies there is whole: a cache, a RUN folder, a place without litter. Each answer is a list of faults."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

Entries = dict[tuple[str, bytes], bytes]
_DIFFERS = ("created", "command", "seconds")  # in run.json, from run to run


def entries(cache: Path) -> Entries:
    """(kind, key) -> value of the store in `cache`; nothing where there is none. Raises `sqlite3.Error`.

    A copy is opened: opening the store itself would bring its log to an end, which the next command is to do.
    """
    with tempfile.TemporaryDirectory() as aside:
        for name in ("store.sqlite", "store.sqlite-wal"):
            if (cache / name).exists():
                shutil.copy(cache / name, aside)
        connection = sqlite3.connect(Path(aside) / "store.sqlite")
        try:
            (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict)
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'entries'").fetchall():
                return {}
            rows = connection.execute("SELECT kind, key, value FROM entries")
            return {(kind, key): value for kind, key, value in rows}
        finally:
            connection.close()


def cache_faults(cache: Path, reference: Entries, complete: bool = False) -> Iterator[str]:
    """What is wrong with the store in `cache`: every value in it must be, bit for bit, the one in `reference`.

    `complete`: and every value of `reference` must be in it.
    """
    try:
        found = entries(cache)
    except sqlite3.Error as error:
        yield f"the cache is damaged: {error}"
        return
    for kind in sorted({kind for kind, _ in found.keys() - reference.keys()}):
        yield f"the cache holds {kind} that an undisturbed command does not make"
    for kind, key in sorted(found.keys() & reference.keys()):
        if found[kind, key] != reference[kind, key]:
            yield f"the cache holds {kind} of another value for {key.hex()}"
    for kind in sorted({kind for kind, _ in reference.keys() - found.keys()} if complete else ()):
        yield f"the cache lacks {kind}"


def run_faults(run: Path, reference: Path, may_be_left: Set[str] = frozenset()) -> Iterator[str]:
    """In what the RUN folder `run` differs from `reference`, times apart. Other files than `may_be_left` are faults."""
    if not run.is_dir():
        yield f"there is no folder {run.name}"
        return
    names, wanted = ({path.name for path in folder.iterdir()} for folder in (run, reference))
    for name in sorted(wanted - names):
        yield f"{run.name} lacks {name}"
    for name in sorted(names - wanted - may_be_left):
        yield f"{run.name} holds {name}"
    for name in sorted(wanted & names):
        one, other = (_comparable(folder / name) for folder in (run, reference))
        if one != other:
            yield f"{name} in {run.name} differs from that of an undisturbed command"


def litter(place: Path) -> Iterator[str]:
    """Files below `place` that only a process at work may have."""
    for path in sorted(place.rglob("*")):
        if path.name.endswith((".part", "-wal", "-shm", "-journal")) or path.name in (".new", ".moving"):
            yield f"{path.relative_to(place)} is left"


def _comparable(path: Path) -> Any:
    """What must be equal in two runs of one command."""
    content = path.read_bytes()
    try:
        if path.name == "run.json":
            return {key: value for key, value in json.loads(content).items() if key not in _DIFFERS}
        if path.name == "log.jsonl":
            rows = [json.loads(line) for line in content.splitlines()]
            return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]
    except ValueError as error:
        return f"not JSON: {error}"
    if path.name == "report.html":  # it shows times; what it shows else is in the other files
        return content.rstrip().endswith(b"</html>")
    return content

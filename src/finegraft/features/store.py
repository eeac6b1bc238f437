"""What was computed once and need not be computed again: features, checks and graphs, on disk.

One SQLite file in write-ahead mode: it needs no preset size, shrinks when told to, serves several processes, and a
process killed at any moment loses at most the transaction it was in, never the file. Deleting it costs time only.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from finegraft.errors import StorageError

_log = logging.getLogger("finegraft")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    kind TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, used INTEGER NOT NULL, PRIMARY KEY (kind, key)
);
CREATE INDEX IF NOT EXISTS by_use ON entries (used);
"""
# 4 GiB holds the features of 330,000 photos of lite0.
DEFAULT_LIMIT = 4 * 2**30
# Rows fetched by one statement; SQLite's oldest limit on variables is 999.
_CHUNK = 500
_DAY = 86_400
# Seconds that one process waits for another one's transaction.
_PATIENCE = 60
# Shrinking rewrites the whole file, so a trim makes room for some time to come.
_ROOM = 0.9


def cache_folder() -> Path:
    """`$FINEGRAFT_CACHE`, else `$XDG_CACHE_HOME/finegraft`, else `~/.cache/finegraft`."""
    if chosen := os.environ.get("FINEGRAFT_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "finegraft"


class Store:
    """Byte strings by (kind, key), least recently used out first once `limit` bytes are exceeded.

    Where the folder cannot be written, `Store.open` logs a warning and remembers within the process only.
    One Store may be used from several threads, and one file from several processes. Every method raises
    `StorageError` where the file is damaged.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.Lock()

    @classmethod
    def open(cls, folder: Path | None = None) -> Store:
        """The store in `folder` (default: `cache_folder()`), made if need be."""
        folder = folder or cache_folder()
        path = folder / "store.sqlite"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with _damage_told(path):
                return cls(_connect(path), path)
        except (OSError, sqlite3.OperationalError) as error:
            _log.warning("The cache %s cannot be used (%s); nothing will be remembered.", path, error)
            return cls.in_memory()

    @classmethod
    def in_memory(cls) -> Store:
        """A store that is forgotten when it is closed."""
        return cls(_connect(":memory:"), None)

    def get_many(self, kind: str, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """The values there are, by key."""
        found: dict[bytes, bytes] = {}
        stale: list[bytes] = []
        yesterday = int(time.time()) - _DAY
        with self._alone():
            for start in range(0, len(keys), _CHUNK):
                chunk = keys[start : start + _CHUNK]
                marks = ",".join("?" * len(chunk))
                query = f"SELECT key, value, used FROM entries WHERE kind = ? AND key IN ({marks})"
                for key, value, used in self._connection.execute(query, (kind, *chunk)):
                    found[key] = value
                    if used < yesterday:
                        stale.append(key)
        self._touch(kind, stale)
        return found

    def get(self, kind: str, key: bytes) -> bytes | None:
        """One value, or None."""
        return self.get_many(kind, [key]).get(key)

    def put_many(self, kind: str, values: Mapping[bytes, bytes]) -> None:
        """Keep `values` in one transaction: after a crash all of them are there, or none.

        A full disk loses what would have been remembered, never the work: it is logged.
        """
        now = int(time.time())
        rows = ((kind, key, value, now) for key, value in values.items())
        try:
            with self._alone(), self._connection:
                self._connection.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", rows)
        except sqlite3.OperationalError as error:
            _log.warning("The cache %s cannot be written (%s); this will be computed again.", self.path, error)

    def put(self, kind: str, key: bytes, value: bytes) -> None:
        """Keep one value."""
        self.put_many(kind, {key: value})

    def sizes(self) -> dict[str, tuple[int, int]]:
        """(entries, bytes) of each kind."""
        query = "SELECT kind, COUNT(*), SUM(LENGTH(value)) FROM entries GROUP BY kind ORDER BY kind"
        with self._alone():
            return {kind: (count, size) for kind, count, size in self._connection.execute(query)}

    @property
    def limit(self) -> int:
        """Bytes of values kept at the most: 4 GiB, or what `set_limit` was told."""
        with self._alone():
            (megabytes,) = self._connection.execute("PRAGMA user_version").fetchone()
        return megabytes * 10**6 if megabytes else DEFAULT_LIMIT

    def set_limit(self, limit: int) -> None:
        """Keep at most `limit` bytes from now on, rounded up to a megabyte; remembered in the file."""
        # SQLite leaves this number of its header to us; it outlives `clear`, as a setting should.
        megabytes = min(max(1, -(-limit // 10**6)), 2**31 - 1)
        with self._alone():
            self._connection.execute(f"PRAGMA user_version = {megabytes:d}")

    def clear(self) -> None:
        """Forget everything and give the disk space back."""
        with self._alone():
            with self._connection:
                self._connection.execute("DELETE FROM entries")
            self._compact()

    def trim(self) -> int:
        """Above the limit, drop the least recently used entries down to 0.9 of it; returns the bytes given back."""
        total, limit, dropped = sum(size for _, size in self.sizes().values()), self.limit, 0
        if total <= limit:
            return 0
        with self._alone():
            doomed = []
            for kind, key, size in self._connection.execute(
                "SELECT kind, key, LENGTH(value) FROM entries ORDER BY used, kind, key"
            ):
                if total - dropped <= _ROOM * limit:
                    break
                doomed.append((kind, key))
                dropped += size
            with self._connection:
                self._connection.executemany("DELETE FROM entries WHERE kind = ? AND key = ?", doomed)
            self._compact()
        return dropped

    def close(self) -> None:
        """Trim to the limit and let go of the file."""
        with contextlib.suppress(sqlite3.OperationalError):  # another process writes: it will trim
            self.trim()
        self._connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        with self._lock, _damage_told(self.path):
            yield

    def _touch(self, kind: str, keys: Iterable[bytes]) -> None:
        """Note the use. Only of keys not used since yesterday: reading should hardly ever write."""
        now = int(time.time())
        rows = [(now, kind, key) for key in keys]
        if rows:
            with contextlib.suppress(sqlite3.OperationalError), self._alone(), self._connection:
                self._connection.executemany("UPDATE entries SET used = ? WHERE kind = ? AND key = ?", rows)

    def _compact(self) -> None:
        with contextlib.suppress(sqlite3.OperationalError):  # another process reads: the space is reused instead
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextlib.contextmanager
def _damage_told(path: Path | None) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:  # its children tell of other things
            raise
        raise StorageError(f"The cache {path} is damaged ({error}).", "Delete it: that costs time only.") from error


def _connect(path: Path | str) -> sqlite3.Connection:
    # A second process waits for the first one's transactions; they take milliseconds, on a busy disk seconds.
    connection = sqlite3.connect(path, timeout=_PATIENCE, check_same_thread=False)
    try:
        _set_write_ahead(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(_SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _set_write_ahead(connection: sqlite3.Connection) -> None:
    """Set the mode of a new file; SQLite does not wait here for another process that is doing the same."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        time.sleep(0.01)


@contextlib.contextmanager
def opened(store: Store | None) -> Iterator[Store]:
    """`store` itself, left open, or the default one, closed at the end."""
    if store is not None:
        yield store
        return
    with Store.open() as default:
        yield default

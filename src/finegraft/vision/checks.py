"""Opens every file once and says which can be used, and why the others cannot."""

from __future__ import annotations

import functools
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from finegraft.data.contents import digest_of, read_content
from finegraft.errors import UnreadableFile
from finegraft.runtimes.cpus import usable_cpus
from finegraft.vision import decoding

Progress = Callable[[int, int], None]

# A file may change within one tick of its file system's clock and keep its times: what changed less than this
# before the check is not remembered. The coarsest clock in use is FAT's, two seconds.
_SETTLED_NS = 2_000_000_000
_BLOCK = 512  # files between two writes to the memory: what a kill may cost


@dataclass(frozen=True, slots=True)
class Checked:
    """What opening a file once has shown.

    `digest` is that of its content, "" where it could not be had; `code` a kind of finding and `reason` its
    sentence, both None for a good photo.
    """

    digest: str
    code: str | None = None
    reason: str | None = None


class Memory(Protocol):
    """What keeps the results of earlier checks, by opaque keys. Called from the caller's thread only."""

    def get(self, keys: Sequence[str]) -> Mapping[str, dict[str, Any]]:
        """The values there are for `keys`."""
        ...

    def put(self, values: Mapping[str, dict[str, Any]]) -> None:
        """Keeps all `values`; what may be lost is a matter of time only."""
        ...


def verify(content: bytes, limits: decoding.Limits = decoding.LIMITS) -> UnreadableFile | None:
    """Decode a photo to its end: None when it can be used, else the error with code and reason.

    A JPEG is decoded at an eighth of its size: all its bytes are still read, at two thirds of the cost.
    """
    try:
        decoding.decode(decoding.open_photo(content, limits), shrink=8)
    except UnreadableFile as error:
        return error
    return None


def check_files(paths: Sequence[Path], memory: Memory | None = None, progress: Progress | None = None) -> list[Checked]:
    """Check every file, on all usable cores, in the order of `paths`.

    A file that `memory` knows by its path is not opened while size, inode and both times of change are the same.
    `progress(done, total)` is called after every file.
    """
    checked: list[Checked] = []
    pool = ThreadPoolExecutor(usable_cpus())
    try:
        for start in range(0, len(paths), _BLOCK):
            block = paths[start : start + _BLOCK]
            for result in _checked_block(block, pool, memory):
                checked.append(result)
                if progress is not None:
                    progress(len(checked), len(paths))
    finally:
        pool.shutdown(cancel_futures=True)  # on Ctrl-C, what has not begun does not begin
    return checked


def _checked_block(block: Sequence[Path], pool: ThreadPoolExecutor, memory: Memory | None) -> Iterator[Checked]:
    """The results for `block` in order: from `memory` where it knows the file, else by opening it."""
    keys = [None if memory is None else _memory_key(path) for path in block]
    known = {} if memory is None else _recalled(memory, [key for key in keys if key])
    opened = pool.map(_check_path, [path for path, key in zip(block, keys, strict=True) if key not in known])
    fresh: dict[str, dict[str, Any]] = {}
    for key in keys:
        if key in known:
            yield known[key]
            continue
        result = next(opened)
        if key and result.digest:
            fresh[key] = asdict(result)
        yield result
    if memory is not None and fresh:
        memory.put(fresh)


def _check_path(path: Path) -> Checked:
    try:
        content = read_content(path, decoding.LIMITS.bytes)
    except UnreadableFile as error:
        return Checked("", error.code, error.reason)
    problem = verify(content)
    if problem is None:
        return Checked(digest_of(content))
    # Want of memory is of this moment, not of this file: without a digest it is not remembered.
    digest = "" if isinstance(problem.__cause__, MemoryError) else digest_of(content)
    return Checked(digest, problem.code, problem.reason)


def _memory_key(path: Path) -> str | None:
    """What a result is remembered by, or None where it must not be: the decoder has a say in it too."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) < _SETTLED_NS:
        return None
    place = os.path.abspath(path)  # noqa: PTH100 - a link's own place, not where it leads
    # Of two files of one size and mtime, moved onto each other's names, only the inode and the ctime tell.
    times = (status.st_mtime_ns, status.st_ctime_ns)
    file = [_judge(), place, status.st_size, *times, status.st_ino, status.st_dev]
    return digest_of(json.dumps(file).encode())


@functools.cache
def _judge() -> str:
    return json.dumps(["check 1", decoding.describe(), asdict(decoding.LIMITS)])


def _recalled(memory: Memory, keys: Sequence[str]) -> dict[str | None, Checked]:
    # What does not look like ours was written by another version: it is checked again.
    return {
        key: Checked(**value) for key, value in memory.get(keys).items() if set(value) == {"digest", "code", "reason"}
    }

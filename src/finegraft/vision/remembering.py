"""What earlier checks have shown, kept by blocks of files: a second check of an unchanged folder opens nothing.

A block is a run of files in a row. Its key holds the path, size, inode and both times of change of each of them, and
the decoder and its limits; so a block is either known as a whole or opened again. Where one ends depends on the path
of its last file alone: a file that comes or goes changes its own block and no other.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import struct
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from finegraft.vision import decoding
from finegraft.vision.checked import DIGEST_BYTES, Checks
from finegraft.vision.looks import LOOK

# A file may change within one tick of its file system's clock and keep its times: one read less than this after its
# last change is not remembered at once. The coarsest clock in use is FAT's, two seconds.
_SETTLED_NS = 2_000_000_000
_FILES = 64  # of a block on average: what is opened again when one of them changes
_MOST = 4 * _FILES
_VERSION = "check 2"


class Memory(Protocol):
    """What keeps the results of earlier checks, by opaque keys. Called from the caller's thread only."""

    def get(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """The values there are for `keys`."""
        ...

    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Keeps all `values`; what may be lost is a matter of time only."""
        ...


@dataclass(frozen=True)
class Block:
    """The files `paths`, at the places `start` to `stop`, as they are now.

    `absent` counts from `start` those that cannot be looked at. `settled` says that none changed a moment ago.
    """

    start: int
    paths: Sequence[str | Path]
    key: bytes
    settled: bool
    absent: tuple[int, ...] = ()

    @property
    def stop(self) -> int:
        """The place after the last one."""
        return self.start + len(self.paths)

    @classmethod
    def now(cls, start: int, paths: Sequence[str | Path]) -> Block:
        """The block of these files as the file system describes them at this moment."""
        digest = hashlib.blake2b(_judge(), digest_size=20)
        youngest, absent = 0, []
        for at, path in enumerate(paths):
            digest.update(os.fsencode(os.path.abspath(path)))  # noqa: PTH100 - a link's own place, not where it leads
            try:
                status = os.stat(path)  # noqa: PTH116 - Path.stat costs twice as much, for every file of the set
            except (OSError, ValueError):
                absent.append(at)
                continue
            # Of two files of one size and mtime, moved onto each other's names, only the inode and the ctime tell.
            times = (status.st_mtime_ns, status.st_ctime_ns)
            digest.update(struct.pack("<xQqqQQ", status.st_size, *times, status.st_ino, status.st_dev))
            youngest = max(youngest, *times)
        return cls(start, paths, digest.digest(), time.time_ns() - youngest >= _SETTLED_NS, tuple(absent))


def blocks(paths: Sequence[str | Path]) -> Iterator[Block]:
    """`paths` cut into blocks, in order, each looked at when its turn comes."""
    start = 0
    for at, path in enumerate(paths):
        if zlib.crc32(os.fsencode(path)) % _FILES == 0 or at + 1 - start >= _MOST or at + 1 == len(paths):
            yield Block.now(start, paths[start : at + 1])
            start = at + 1


def unpack(block: Block, stored: bytes | None, checks: Checks) -> Sequence[int]:
    """Put what was `stored` of the block (None: nothing) into `checks`; the places that are still to be opened."""
    n = len(block.paths)
    header, _, arrays = (stored or b"").partition(b"\n")
    if len(arrays) != n * (DIGEST_BYTES + LOOK.itemsize):  # nothing, or written by another version
        return range(block.start, block.stop)
    digests = np.frombuffer(arrays, np.uint8, n * DIGEST_BYTES).reshape(n, DIGEST_BYTES)
    checks.digests[block.start : block.stop] = digests
    checks.looks[block.start : block.stop] = np.frombuffer(arrays, LOOK, n, n * DIGEST_BYTES)
    for at, (code, reason) in json.loads(header).items():
        checks.problems[block.start + int(at)] = (code, reason)
    return [block.start + int(at) for at in np.flatnonzero(~digests.any(axis=1))]


def packed(block: Block, checks: Checks) -> bytes:
    """The results of the block, for `unpack`. What could not be read has no digest and will be opened again."""
    part = slice(block.start, block.stop)
    digests, looks = checks.digests[part].copy(), checks.looks[part].copy()
    digests[list(block.absent)], looks[list(block.absent)] = 0, np.zeros((), LOOK)
    known = np.flatnonzero(digests.any(axis=1)).tolist()
    problems = {at: checks.problems[block.start + at] for at in known if block.start + at in checks.problems}
    return json.dumps(problems).encode() + b"\n" + digests.tobytes() + looks.tobytes()


@functools.cache
def _judge() -> bytes:
    return json.dumps([_VERSION, decoding.describe(), asdict(decoding.LIMITS), LOOK.descr]).encode()

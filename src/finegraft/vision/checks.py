"""Opens every file once and says which can be used, why the others cannot, and what each looks like."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from finegraft.data.contents import digest_of, read_content
from finegraft.errors import UnreadableFile
from finegraft.runtimes.cpus import usable_cpus
from finegraft.vision import decoding
from finegraft.vision.checked import Checked, Checks
from finegraft.vision.looks import decoded_for_a_look, look_of
from finegraft.vision.remembering import Block, Memory, blocks, packed, unpack

Progress = Callable[[int, int], None]

_AT_ONCE = 512  # files between two writes to the memory: what a kill may cost


def verify(content: bytes, limits: decoding.Limits = decoding.LIMITS) -> UnreadableFile | None:
    """Decode a photo to its end: None when it can be used, else the error with code and reason."""
    try:
        decoding.decode(decoding.open_photo(content, limits), shrink=8)
    except UnreadableFile as error:
        return error
    return None


def check_files(paths: Sequence[str | Path], memory: Memory | None = None, progress: Progress | None = None) -> Checks:
    """Check every file, on all usable cores, in the order of `paths`.

    A file that `memory` knows by its path is not opened while size, inode and both times of change are the same, for
    it and the others of its block. `progress(done, total)` is called after every few hundred files.
    """
    checks = Checks.nothing(len(paths))
    young: list[Block] = []
    pool = ThreadPoolExecutor(usable_cpus())
    try:
        for batch in _batches(blocks(paths)):
            fresh = _check_batch(batch, paths, pool, memory, checks)
            if memory is not None:
                memory.put({block.key: packed(block, checks) for block in fresh if block.settled})
                young += [block for block in fresh if not block.settled]
            if progress is not None:
                progress(batch[-1].stop, len(paths))
        if memory is not None:
            memory.put({block.key: packed(block, checks) for block in young if _as_read(block, checks)})
    finally:
        pool.shutdown(cancel_futures=True)  # on Ctrl-C, what has not begun does not begin
    return checks


def _batches(found: Iterable[Block]) -> Iterator[list[Block]]:
    """Blocks of some 512 files together."""
    batch: list[Block] = []
    for block in found:
        batch.append(block)
        if block.stop - batch[0].start >= _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _check_batch(
    batch: Sequence[Block], paths: Sequence[str | Path], pool: ThreadPoolExecutor, memory: Memory | None, checks: Checks
) -> list[Block]:
    """Fill `checks` for these blocks, from `memory` or by opening files; the blocks that `memory` knew nothing of."""
    known = {} if memory is None else memory.get([block.key for block in batch])
    unknown = [unpack(block, known.get(block.key), checks) for block in batch]
    places = list(itertools.chain.from_iterable(unknown))
    for at, (checked, look) in zip(places, pool.map(_check, [paths[at] for at in places]), strict=True):
        checks.put(at, checked, look)
    return [block for block, places in zip(batch, unknown, strict=True) if len(places) == len(block.paths)]


def _check(path: str | Path) -> tuple[Checked, np.ndarray | None]:
    try:
        content = read_content(Path(path), decoding.LIMITS.bytes)
    except UnreadableFile as error:
        return Checked("", error.code, error.reason), None
    try:
        photo = decoding.open_photo(content)
        size, frames = photo.size, decoding.frames(photo)
        look = look_of(decoded_for_a_look(photo), size, frames)
    except UnreadableFile as error:
        # Want of memory is of this moment, not of this file: without a digest it is not remembered.
        digest = "" if isinstance(error.__cause__, MemoryError) else digest_of(content)
        return Checked(digest, error.code, error.reason), None
    return Checked(digest_of(content)), look


def _as_read(block: Block, checks: Checks) -> bool:
    """Whether the files of a block that had changed a moment before it was read are the same now.

    A folder that was just unpacked, and takes a while to check, would otherwise be opened the next time too.
    """
    now = Block.now(block.start, block.paths)
    if not now.settled or now.key != block.key:
        return False
    return all(map(_unchanged, block.paths, checks[block.start : block.stop]))


def _unchanged(path: str | Path, checked: Checked) -> bool:
    try:
        return not checked.digest or digest_of(read_content(Path(path))) == checked.digest
    except UnreadableFile:
        return False

"""What is suspicious about photos that can be used, and which of them belong together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from finegraft.data.balance import balance
from finegraft.data.contents import read_content
from finegraft.data.copies import NearCopy, copies
from finegraft.data.dataset import Dataset
from finegraft.data.groups import grouped
from finegraft.data.record import Record
from finegraft.errors import UnreadableFile
from finegraft.runtimes.cpus import usable_cpus
from finegraft.vision import decoding
from finegraft.vision.checked import Checks
from finegraft.vision.looks import decoded_for_a_look, small_grey
from finegraft.vision.near_copies import near_copies
from finegraft.vision.quality import flaws, stretched
from finegraft.vision.remembering import Memory

_VERSION = b"near copies 1"
_PAIR = np.dtype([("first", "<u4"), ("second", "<u4"), ("score", "<f4"), ("mirrored", "u1")])


def doubted(dataset: Dataset, checks: Checks, memory: Memory | None = None) -> Dataset:
    """`dataset` with findings about its usable records, and with groups of what must stay together.

    `checks` holds a result for each of its records. `memory` keeps near copies between calls: they hang on the content
    of the photos and their order alone.
    """
    places = [at for at, record in enumerate(dataset.records) if record.left_out is None and record.label is not None]
    usable = [dataset.records[at] for at in places]
    looks, digests = _of(checks.looks, places), _of(checks.digests, places)
    near = _near(usable, looks, digests, dataset.root, memory)
    findings = (
        *dataset.findings,
        *copies(usable, near),
        *stretched(usable, looks, near),
        *flaws(usable, looks),
        *balance(usable),
    )
    records = list(dataset.records)
    for at, record in zip(places, grouped(usable, near), strict=True):
        records[at] = record
    return replace(dataset, records=tuple(records), findings=findings)


def _of(values: np.ndarray, places: Sequence[int] | np.ndarray) -> np.ndarray:
    """`values` at `places`; themselves, not copied, where these are all."""
    return values if len(places) == len(values) else values[places]


def _near(
    records: Sequence[Record], looks: np.ndarray, digests: np.ndarray, root: Path, memory: Memory | None
) -> list[NearCopy]:
    """Near copies among records of different content; of exact copies, the first one stands for all."""
    places = np.sort(np.unique(digests, axis=0, return_index=True)[1]) if len(digests) else np.empty(0, np.int64)
    key = hashlib.blake2b(_VERSION + _of(digests, places).tobytes(), digest_size=20)
    stored = None if memory is None else memory.get([key.digest()]).get(key.digest())
    if stored is None:
        found = near_copies(_of(looks, places), _Photos(root, records, places))
        stored = _packed(found)
        if memory is not None:
            memory.put({key.digest(): stored})
    return [
        NearCopy(int(places[pair["first"]]), int(places[pair["second"]]), float(pair["score"]), _how(pair))
        for pair in np.frombuffer(stored, _PAIR)
    ]


def _packed(found: Sequence[NearCopy]) -> bytes:
    rows = [(pair.first, pair.second, pair.score, bool(pair.how)) for pair in found]
    return np.array(rows, dtype=_PAIR).tobytes()


def _how(pair: np.ndarray) -> str:
    return "mirrored" if pair["mirrored"] else ""


class _Photos:
    """Shows photos by their places among `places`, on all usable cores."""

    def __init__(self, root: Path, records: Sequence[Record], places: np.ndarray) -> None:
        self._root, self._records, self._places = root, records, places

    def __call__(self, wanted: Sequence[int]) -> list[np.ndarray | None]:
        paths = [self._root / self._records[self._places[at]].key for at in wanted]
        with ThreadPoolExecutor(usable_cpus()) as pool:
            return list(pool.map(_grey, paths))


def _grey(path: Path) -> np.ndarray | None:
    try:
        photo = decoding.open_photo(read_content(path))
        return small_grey(decoded_for_a_look(photo))
    except UnreadableFile:  # it went away, or was changed, since it was checked
        return None

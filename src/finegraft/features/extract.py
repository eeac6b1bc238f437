"""What a backbone says of every record: read from the store, computed where missing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from finegraft.errors import UnreadableFile
from finegraft.features.pipeline import run_all
from finegraft.features.store import Store
from finegraft.runtimes import Runtime

KIND = "features"
# Records per transaction: a killed run loses at most this many photos' work, about half a second.
_PER_TRANSACTION = 64

T = TypeVar("T")


@dataclass(frozen=True)
class Features:
    """`values` float32 (n, d), row i for the i-th content asked for; `failed` maps rows that could not be read.

    The row of a failed record holds zeros and must not be used. `computed` counts those not found in the store.
    """

    values: np.ndarray
    failed: dict[int, UnreadableFile] = field(default_factory=dict)
    computed: int = 0


def feature_key(content: str, *what: str) -> bytes:
    """The store's key for the features of one content digest under everything in `what` that decides their values."""
    return hashlib.blake2b("\0".join([content, *what]).encode(), digest_size=20).digest()


def extract(
    items: Sequence[T],
    keys: Sequence[bytes],
    load: Callable[[T], np.ndarray],
    open_runtime: Callable[[], Runtime],
    store: Store,
    progress: Callable[[int, int], None] | None = None,
) -> Features:
    """Features of `items` (n of them), where `keys[i]` names those of item i.

    Items with equal keys are computed once. `load` gives the runtime's input for one item; `open_runtime` is called
    only when something is missing. `progress(done, of)` hears of computed items.
    """
    known = {key: np.frombuffer(value, np.float32) for key, value in store.get_many(KIND, list(keys)).items()}
    missing = [(key, item) for key, item in dict(zip(keys, items, strict=True)).items() if key not in known]
    errors: dict[bytes, UnreadableFile] = {}
    if missing:
        fresh: dict[bytes, bytes] = {}
        answers = run_all(missing, lambda pair: load(pair[1]), open_runtime())
        try:
            for done, ((key, _), outputs) in enumerate(answers, start=1):
                if isinstance(outputs, UnreadableFile):
                    errors[key] = outputs
                else:
                    known[key] = outputs["features"].astype(np.float32, copy=False)
                    fresh[key] = known[key].tobytes()
                if len(fresh) >= _PER_TRANSACTION:
                    store.put_many(KIND, fresh)
                    fresh.clear()
                if progress is not None:
                    progress(done, len(missing))
        finally:
            answers.close()
            store.put_many(KIND, fresh)
    return _table(keys, known, errors, len(missing))


def _table(
    keys: Sequence[bytes], known: dict[bytes, np.ndarray], errors: dict[bytes, UnreadableFile], computed: int
) -> Features:
    width = next((len(row) for row in known.values()), 0)
    values = np.zeros((len(keys), width), np.float32)
    failed: dict[int, UnreadableFile] = {}
    for row, key in enumerate(keys):
        if key in errors:
            failed[row] = errors[key]
        else:
            values[row] = known[key]
    return Features(values, failed, computed)

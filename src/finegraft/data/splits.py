"""Which records are learned from and which are judged: by content, never by name or order.

Every choice orders records by a keyed hash of their content digest (BLAKE2b, the seed as its key). So it depends
on the seed, the digests and the labels alone, and a file that comes or goes moves few others.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from finegraft.data.record import Record
from finegraft.errors import DataError, UsageError


def hold_out(records: Sequence[Record], valid: float, seed: int) -> frozenset[str]:
    """Keys of the records to hold out: about the part `valid` (0..1, both excluded) of every class.

    Exact copies stay on one side. Of a class with two or more distinct records at least one is held out and at least
    one is not; the only one of a class stays to learn from. A record whose copy has another label is never held
    out, since no answer to it could be right. Records that are left out or have no label count as absent.

    Raises `UsageError` for another `valid`, and `DataError` where nothing could be learned or judged.

    >>> rows = [Record(f"{label}/{i}", f"{label}{i}", label) for label in "ab" for i in range(10)]
    >>> len(hold_out(rows, valid=0.2, seed=0))
    4
    """
    if not 0 < valid < 1:
        raise UsageError(f"The part to hold out must lie between 0 and 1, got {valid!r}.", "A fifth is 0.2.")
    usable = [record for record in records if record.left_out is None and record.label is not None]
    labels: dict[str, set[str]] = defaultdict(set)
    for record in usable:
        labels[record.digest].add(str(record.label))
    classes = _digests_of_classes(labels)
    _check(classes, len(usable))
    chosen = {
        digest
        for digests in classes.values()
        for digest in _first([d for d in digests if len(labels[d]) == 1], _wanted(len(digests), valid), seed)
    }
    if not chosen:
        raise DataError("Nothing could be held out: every photo lies under two labels.", "Keep the right ones.")
    return frozenset(record.key for record in usable if record.digest in chosen)


def folds(labels: np.ndarray, groups: Sequence[str], k: int, seed: int) -> np.ndarray:
    """A fold number 0..k-1 for every record, int64 of shape (n,).

    `labels` are class numbers of shape (n,), `groups` the records' content digests: equal ones share a fold. Every
    class is spread as evenly as its groups allow; a class with fewer than k groups is missing in some folds.
    Raises `UsageError` for k < 2, and `DataError` for fewer than k groups.

    >>> np.bincount(folds(np.zeros(10, dtype=int), [str(i) for i in range(10)], k=5, seed=0)).tolist()
    [2, 2, 2, 2, 2]
    """
    if k < 2:
        raise UsageError(f"There must be at least two folds, got {k!r}.")
    members: dict[str, list[int]] = defaultdict(list)
    for i, group in enumerate(groups):
        members[group].append(i)
    if len(members) < k:
        raise DataError(f"{k} folds need {k} different records or more, got {len(members)}.", "Add some, or fold less.")
    labels = np.asarray(labels, dtype=np.int64)
    # Large groups first, while there is still room to even them out; then by class, so each is dealt like cards.
    order = sorted(members, key=lambda g: (-len(members[g]), int(labels[members[g]].min()), _place(g, seed, b"folds")))
    counts = np.zeros((int(labels.max()) + 1, k), dtype=np.int64)
    chosen = np.empty(len(labels), dtype=np.int64)
    for group in order:
        rows = members[group]
        fold = int(np.lexsort((counts.sum(axis=0), counts[labels[rows].min()]))[0])
        for row in rows:
            counts[labels[row], fold] += 1
            chosen[row] = fold
    return chosen


def _digests_of_classes(labels: Mapping[str, set[str]]) -> dict[str, list[str]]:
    """Class -> its distinct digests."""
    classes: dict[str, list[str]] = defaultdict(list)
    for digest, names in labels.items():
        for name in names:
            classes[name].append(digest)
    return classes


def _check(classes: Mapping[str, Sequence[str]], count: int) -> None:
    if not classes:
        raise DataError("There is nothing to learn from: no record is usable.", "See what `finegraft check` says.")
    if len(classes) == 1:
        raise DataError(
            f"All {count} records are of one class, {next(iter(classes))!r}.",
            "Add a second class: there is nothing to tell apart.",
        )
    if max(map(len, classes.values())) == 1:
        raise DataError(
            "Each class has one photo; none could be held out to judge what was learned.",
            "Add photos: at least two of each class, better fifty.",
        )


def _wanted(count: int, valid: float) -> int:
    """How many of `count` distinct records to hold out: rounded, and one at least left on either side."""
    return min(max(math.floor(count * valid + 0.5), 1), count - 1)


def _first(digests: Sequence[str], count: int, seed: int) -> list[str]:
    return sorted(digests, key=lambda digest: _place(digest, seed, b"hold-out"))[:count]


def _place(digest: str, seed: int, purpose: bytes) -> bytes:
    """Where a digest comes in the order that `seed` shuffles; each purpose has an order of its own."""
    key = hashlib.blake2b(str(int(seed)).encode(), digest_size=32).digest()
    return hashlib.blake2b(digest.encode(), key=key, person=purpose, digest_size=16).digest()

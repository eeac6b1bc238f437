"""Which records are learned from and which are judged: by content, never by name or order.

Every choice goes through groups of records that stay together (copies, or what the user tied) in the order of a keyed
hash of the group's name (BLAKE2b, the seed as its key). So it depends on the seed, the groups and the labels alone,
and a file that comes or goes moves few others.
"""

from __future__ import annotations

import functools
import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from finegraft.data.copies import equals
from finegraft.data.record import Record
from finegraft.errors import DataError, UsageError

# How many records of each stratum a group holds, by name.
Sizes = tuple[tuple[str, int], ...]

# Numbers are held out evenly over their range: so many parts of equal size count as classes.
_PARTS = 5

_FINER = "Add photos that are no copies, or divide them into more groups (--group)."


def hold_out(
    records: Sequence[Record], valid: float, seed: int, contested: Collection[str] = frozenset()
) -> frozenset[str]:
    """Keys of the records to hold out: about the part `valid` (0..1, both excluded) of every class.

    A group (`Record.together`) is held out as a whole or not at all. Of a class with two or more groups at least one
    is held out and at least one is not, where they are of this class only; the only one of a class stays to learn
    from. Tags count by the rarest tag of a record, numbers by fifths of their range. A record whose exact copy has
    another label is never held out, nor are those with a key in `contested`: no answer to them could be right.
    Records that are left out or have no label count as absent.

    Raises `UsageError` for another `valid`, and `DataError` where nothing could be learned or judged.

    >>> rows = [Record(f"{label}/{i}", f"{label}{i}", label) for label in "ab" for i in range(10)]
    >>> len(hold_out(rows, valid=0.2, seed=0))
    4
    """
    if not 0 < valid < 1:
        raise UsageError(f"The part to hold out must lie between 0 and 1, got {valid!r}.", "A fifth is 0.2.")
    usable = [record for record in records if record.left_out is None and record.label is not None]
    groups: dict[str, Sizes] = {}
    for record, stratum in zip(usable, strata(usable), strict=True):
        groups[record.together] = _with_one_more(groups.get(record.together, ()), stratum)
    _check_labels(usable)
    _check(groups, len(usable))
    barred = {record.together for record in usable if record.key in contested} | _under_two_labels(usable)
    chosen = _chosen(groups, barred, valid, seed)
    if not chosen and groups.keys() <= barred:
        raise DataError("Nothing could be held out: every photo lies under two labels.", "Keep the right ones.")
    if not chosen:
        raise DataError(
            "Nothing could be held out: what stays together holds all photos of a class, or some under two labels.",
            _FINER,
        )
    return frozenset(record.key for record in usable if record.together in chosen)


@functools.lru_cache(maxsize=4096)
def _with_one_more(sizes: Sizes, stratum: str) -> Sizes:
    """`sizes` with one more record of `stratum`. Remembered: the many groups of one record share theirs."""
    counted = Counter(dict(sizes))
    counted[stratum] += 1
    return tuple(sorted(counted.items()))


def strata(records: Sequence[Record]) -> list[str]:
    """What each record is to be spread evenly by: its class, its rarest tag, or the fifth its number lies in."""
    tags = Counter(name for record in records if isinstance(record.label, tuple) for name in record.label)
    numbers = [record.label for record in records if isinstance(record.label, float)]
    bounds = np.quantile(numbers, np.arange(1, _PARTS) / _PARTS) if numbers else np.zeros(0)
    return [_stratum(record, tags, bounds) for record in records]


def _stratum(record: Record, tags: Mapping[str, int], bounds: np.ndarray) -> str:
    if isinstance(record.label, tuple):
        return min(record.label, key=lambda name: (tags[name], name), default="")
    if isinstance(record.label, float):
        return str(int(np.searchsorted(bounds, record.label, side="right")))
    return str(record.label)


def folds(labels: np.ndarray, groups: Sequence[str], k: int, seed: int) -> np.ndarray:
    """A fold number 0..k-1 for every record, int64 of shape (n,).

    `labels` are class numbers of shape (n,), `groups` what stays together (`Record.together`): equal ones share a
    fold. Every class is spread as evenly as its groups allow; a class with fewer than k groups is missing in some
    folds. Raises `UsageError` for k < 2, and `DataError` for fewer than k groups.

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


def _check_labels(records: Sequence[Record]) -> None:
    """Raise `DataError` where the labels are numbers or tags, and too few or all the same."""
    different = {record.label for record in records}
    some = next(iter(different), "")
    if isinstance(some, str):
        return
    what = "numbers" if isinstance(some, float) else "records"
    if len(different) == 1:
        same = f"are {some:g}" if isinstance(some, float) else f"have the same tags ({', '.join(some or ()) or 'none'})"
        raise DataError(f"All {len(records)} {what} {same}: there is nothing to tell apart.", "Add others.")
    if isinstance(some, float) and len(records) <= _PARTS:
        raise DataError(
            f"There are {len(records)} numbers only; none could be held out to judge what was learned.",
            "Add photos: better fifty or more.",
        )


def _check(groups: Mapping[str, Sizes], count: int) -> None:
    if not groups:
        raise DataError("There is nothing to learn from: no record is usable.", "See what `finegraft check` says.")
    classes = Counter(name for sizes in groups.values() for name, _ in sizes)
    if len(classes) == 1:
        raise DataError(
            f"All {count} records are of one class, {next(iter(classes))!r}.",
            "Add a second class: there is nothing to tell apart.",
        )
    if max(classes.values()) == 1 and count > len(classes):
        raise DataError(
            "Nothing could be held out: all photos of each class stay together, as copies or by their group.", _FINER
        )
    if max(classes.values()) == 1:
        raise DataError(
            "Each class has one photo; none could be held out to judge what was learned.",
            "Add photos: at least two of each class, better fifty.",
        )


def _under_two_labels(records: Sequence[Record]) -> set[str]:
    """The groups that hold equal content under two labels."""
    return {record.together for group in equals(records) if len({r.label for r in group}) > 1 for record in group}


def _chosen(groups: Mapping[str, Sizes], barred: Collection[str], valid: float, seed: int) -> set[str]:
    """The groups to hold out.

    In the order of their places, each that brings the classes nearer to what is wanted of them, and takes none whole.
    Of classes in groups of one record these are the first so many.
    """
    total = _summed(groups.values())
    number = Counter(name for sizes in groups.values() for name, _ in sizes)
    wanted = {name: _wanted(count, valid) if number[name] > 1 else 0 for name, count in total.items()}
    held: Counter[str] = Counter()
    chosen: set[str] = set()
    order = sorted((g for g in groups if g not in barred), key=lambda group: _place(group, seed, b"hold-out"))
    for group in order:
        sizes = groups[group]
        gain = sum(abs(held[c] - wanted[c]) - abs(held[c] + n - wanted[c]) for c, n in sizes)
        if gain > 0 and all(held[c] + n < total[c] for c, n in sizes):
            held.update(dict(sizes))
            chosen.add(group)
    for name in sorted(c for c in wanted if wanted[c] and not held[c]):  # its groups are all larger than what is wanted
        own = [g for g in order if len(groups[g]) == 1 and groups[g][0][0] == name and groups[g][0][1] < total[name]]
        if own:
            smallest = min(own, key=lambda group: groups[group][0][1])  # the first of these in the order
            held.update(dict(groups[smallest]))
            chosen.add(smallest)
    return chosen


def _summed(groups: Collection[Sizes]) -> Counter[str]:
    total: Counter[str] = Counter()
    for sizes in groups:
        total.update(dict(sizes))
    return total


def _wanted(count: int, valid: float) -> int:
    """How many of `count` records to hold out: rounded, and one at least left on either side."""
    return min(max(math.floor(count * valid + 0.5), 1), count - 1)


def _place(name: str, seed: int, purpose: bytes) -> bytes:
    """Where a group comes in the order that `seed` shuffles; each purpose has an order of its own."""
    key = hashlib.blake2b(str(int(seed)).encode(), digest_size=32).digest()
    return hashlib.blake2b(name.encode(), key=key, person=purpose, digest_size=16).digest()

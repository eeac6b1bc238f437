"""What must stay together on one side of every split: copies, and what the user says belongs together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from finegraft.data.copies import NearCopy, equals
from finegraft.data.record import Record


def grouped(records: Sequence[Record], near: Iterable[NearCopy]) -> list[Record]:
    """The records, each with the group of all that it is tied to, directly or by others.

    Equal content, `near` copies and an equal `group` tie records. A group keeps the user's name (the first of them in
    order, where copies tie several), else it is named by the first of its digests; so what comes to a set later leaves
    the names of other groups alone. Records tied by equal content only need no group: their digests are equal.
    """
    ties = _Ties()
    tied = {id(record) for group in equals(records) for record in group}
    first: dict[tuple[str, str], int] = {}
    for at, record in enumerate(records):
        if record.group is not None:
            ties.join(first.setdefault(("group", record.group), at), at)
        if id(record) in tied:
            ties.join(first.setdefault(("content", record.digest), at), at)
    needed = {at for at, record in enumerate(records) if record.group is not None}
    for pair in near:
        ties.join(pair.first, pair.second)
        needed.add(pair.first)
    return _named(records, ties, {ties.root(at) for at in needed})


def clusters(records: Sequence[Record]) -> tuple[str, ...]:
    """The `together` of each record, for an `Evaluation`; () where no two share one, so that each stands alone."""
    names = tuple(record.together for record in records)
    return names if len(set(names)) < len(names) else ()


class _Ties:
    """Which places are tied, directly or by others (union-find); only those that are take any room."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}

    def root(self, at: int) -> int:
        while (above := self._parent.get(at, at)) != at:
            self._parent[at] = self._parent.get(above, above)
            at = above
        return at

    def join(self, a: int, b: int) -> None:
        for at in (a, b):
            self._parent.setdefault(at, at)
        self._parent[self.root(b)] = self.root(a)

    def places(self) -> list[int]:
        return sorted(self._parent)


def _named(records: Sequence[Record], ties: _Ties, needed: set[int]) -> list[Record]:
    """The records, those of the roots in `needed` with the name of their group."""
    users: dict[int, str] = {}
    digests: dict[int, str] = {}
    members = [(at, root) for at in ties.places() if (root := ties.root(at)) in needed]
    for at, root in members:
        record = records[at]
        digests[root] = min(digests.get(root, record.digest), record.digest)
        if record.group is not None:
            users[root] = min(users.get(root, record.group), record.group)
    named = list(records)
    for at, root in members:
        named[at] = replace(records[at], group=users.get(root, digests[root]))
    return named

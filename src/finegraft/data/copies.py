"""Equal files of a set: copies, the same item under two labels, and copies that leak between given splits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from finegraft.data.findings import Finding
from finegraft.data.record import Record

_ORDER = ("train", "held-out", "validation", "test", None)


def copies(records: Sequence[Record]) -> list[Finding]:
    """A finding for every pair of equal content, in the order of `records`; nothing is left out for it.

    Each further copy names the first one ("exact-copy"), again where their labels differ ("two-labels"). A copy in
    a later split than another names the first of the earliest split ("leak"): what was learned is judged again.
    """
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[record.digest].append(record)
    equal = [group for group in groups.values() if len(group) > 1]
    return [
        *(_copy(record, group[0]) for group in equal for record in group[1:]),
        *(_two_labels(record, group[0]) for group in equal for record in group[1:] if record.label != group[0].label),
        *(_leak(record, source) for group in equal for record, source in _leaking(group)),
    ]


def _leaking(group: Sequence[Record]) -> list[tuple[Record, Record]]:
    source = min(group, key=lambda record: _ORDER.index(record.split))
    return [(record, source) for record in group if record.split != source.split and record.split is not None]


def _copy(record: Record, first: Record) -> Finding:
    note = f"The same bytes as {first.key}. One of them is enough."
    return Finding(record.key, "exact-copy", 1.0, note, first.key)


def _two_labels(record: Record, first: Record) -> Finding:
    note = f"Labelled {record.label!r} here, and {first.label!r} as {first.key}. Keep the right one."
    return Finding(record.key, "two-labels", 1.0, note, first.key)


def _leak(record: Record, source: Record) -> Finding:
    note = f"In the {record.split} part, and in the {source.split} part as {source.key}. Take it out of one of them."
    return Finding(record.key, "leak", 1.0, note, source.key)

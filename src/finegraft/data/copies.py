"""Equal and nearly equal items of a set: copies, the same item under two labels, copies that leak between splits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from finegraft.data.findings import Finding
from finegraft.data.record import Label, Record

_ORDER = ("train", "held-out", "validation", "test", None)
# Near copies named for one record, the likest first: in a film every frame is one of every other.
_MOST = 5


@dataclass(frozen=True, slots=True)
class NearCopy:
    """The records at the places `first` < `second` are nearly the same.

    `score` is above 0 and at most 1; `how` says in a few words what differs ("mirrored"), or nothing.
    """

    first: int
    second: int
    score: float
    how: str = ""


def copies(records: Sequence[Record], near: Iterable[NearCopy] = ()) -> list[Finding]:
    """A finding for every pair of equal content and for the `near` ones; nothing is left out for it.

    Each further copy names the first one ("exact-copy"), and each near copy up to five earlier records it is like
    ("near-copy"); again where their labels differ ("two-labels"). A copy in a later split than another names the first
    of the earliest split ("leak"): what was learned is judged again.
    """
    equal = equals(records)
    alike = [(records[pair.first], records[pair.second], pair) for pair in _likest(near)]
    return [
        *(_copy(record, group[0]) for group in equal for record in group[1:]),
        *(_near(record, other, pair) for other, record, pair in alike),
        *(_two_labels(record, group[0], 1.0) for group in equal for record in group[1:] if _differ(record, group[0])),
        *(_two_labels(record, other, pair.score) for other, record, pair in alike if _differ(record, other)),
        *(_leak(record, source, 1.0) for group in equal for record, source in _leaking(group)),
        *(_leak(late, early, pair.score) for a, b, pair in alike for late, early in _leaking((a, b))),
    ]


def equals(records: Sequence[Record]) -> list[list[Record]]:
    """The records of each content that occurs more than once, in order."""
    once: set[str] = set()
    groups: dict[str, list[Record]] = {}
    for record in records:
        if record.digest in once:
            groups[record.digest] = []
        once.add(record.digest)
    for record in records if groups else ():
        if record.digest in groups:
            groups[record.digest].append(record)
    return list(groups.values())


def _likest(near: Iterable[NearCopy]) -> Iterator[NearCopy]:
    by_record: dict[int, list[NearCopy]] = defaultdict(list)
    for pair in near:
        by_record[pair.second].append(pair)
    for place in sorted(by_record):
        yield from sorted(by_record[place], key=lambda pair: (-pair.score, pair.first))[:_MOST]


def _differ(record: Record, other: Record) -> bool:
    return record.label != other.label


def _leaking(group: Sequence[Record]) -> list[tuple[Record, Record]]:
    """(record of a later split, the first one of the earliest split)."""
    source = min(group, key=lambda record: _ORDER.index(record.split))
    return [(record, source) for record in group if record.split != source.split and record.split is not None]


def _copy(record: Record, first: Record) -> Finding:
    note = f"The same bytes as {first.key}. One of them is enough."
    return Finding(record.key, "exact-copy", 1.0, note, first.key)


def _near(record: Record, other: Record, pair: NearCopy) -> Finding:
    how = f", {pair.how}" if pair.how else ""
    note = f"Nearly the same as {other.key}{how}. Both are kept on one side of the split; one of them may be enough."
    return Finding(record.key, "near-copy", round(pair.score, 3), note, other.key)


def _two_labels(record: Record, other: Record, score: float) -> Finding:
    note = f"Labelled {_said(record.label)} here, and {_said(other.label)} as {other.key}. Keep the right one."
    return Finding(record.key, "two-labels", round(score, 3), note, other.key)


def _said(label: Label | None) -> str:
    return repr(", ".join(label)) if isinstance(label, tuple) else repr(label)


def _leak(record: Record, source: Record, score: float) -> Finding:
    note = f"In the {record.split} part, and in the {source.split} part as {source.key}. Take it out of one of them."
    return Finding(record.key, "leak", round(score, 3), note, source.key)

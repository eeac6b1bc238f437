"""Which records two runs may fairly be compared on: what one of them has learned from proves nothing for it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from finegraft.data.dataset import Dataset
from finegraft.data.record import Record


@dataclass(frozen=True, slots=True)
class CommonGround:
    """What stands between two runs, as keys.

    `learned_by_a` were judged by B, but A learned or chose from them, from a copy, or from one of their group;
    `learned_by_b` the other way round. `other_content` were judged by both, and are different files of one name.
    """

    learned_by_a: frozenset[str]
    learned_by_b: frozenset[str]
    other_content: frozenset[str]

    @property
    def left_out(self) -> frozenset[str]:
        """The keys that no fair comparison uses."""
        return self.learned_by_a | self.learned_by_b | self.other_content

    def to_json(self) -> dict[str, int]:
        """How many of each, for `compare --json`."""
        return {name: len(getattr(self, name)) for name in ("learned_by_a", "learned_by_b", "other_content")}


def common_ground(a: Dataset, b: Dataset, judged_a: Collection[str], judged_b: Collection[str]) -> CommonGround:
    """What the runs on `a` and `b`, judged on these keys, have and have not in common."""
    records_a, records_b = ({record.key: record for record in data.usable} for data in (a, b))
    both = {key for key in judged_b if key in judged_a and key in records_a and key in records_b}
    return CommonGround(
        _learned(records_a, judged_a, records_b, judged_b),
        _learned(records_b, judged_b, records_a, judged_a),
        frozenset(key for key in both if records_a[key].digest != records_b[key].digest),
    )


def _learned(
    records: dict[str, Record], judged: Collection[str], others: dict[str, Record], judged_by_other: Collection[str]
) -> frozenset[str]:
    """Of the keys `judged_by_other`, those that the run on `records` did not only judge.

    A record is known by its content and its group, in the eyes of either run.
    """
    own = set(judged)
    mine = (record for record in records.values() if record.split is not None and record.key not in own)
    known = {mark for record in mine for mark in _marks(record)}
    seen = {key: _marks(records.get(key)) | _marks(others.get(key)) for key in judged_by_other}
    return frozenset(key for key, marks in seen.items() if marks & known)


def _marks(record: Record | None) -> set[str]:
    """What a record is known by: the digest of its content, and its group."""
    return set() if record is None else {record.digest, record.group or ""} - {""}

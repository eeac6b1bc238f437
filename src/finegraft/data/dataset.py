"""A dataset: an immutable table of records, the findings about them, and where their bytes lie."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from finegraft.data import splits
from finegraft.data.atomic import write_atomically
from finegraft.data.findings import Finding
from finegraft.data.record import Record, Split
from finegraft.data.traits import Traits, taken
from finegraft.display import html_of
from finegraft.errors import DataError, StorageError


@dataclass(frozen=True)
class Dataset:
    """Records in a fixed order (sorted by key), good and left out alike.

    Every method that changes something returns a new Dataset. `traits` are those of the records, in their order (see
    `finegraft.data.traits`); two datasets that differ in them alone are equal. Raises `DataError` where a trait has
    not a value for every record.
    """

    records: tuple[Record, ...]
    root: Path
    modality: str
    findings: tuple[Finding, ...] = ()
    traits: Traits = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name, values in self.traits.items():
            if values.shape != (len(self.records),):
                raise DataError(
                    f"{len(self.records)} records need the trait {name!r} of shape ({len(self.records)},), "
                    f"got {values.shape}."
                )

    def __len__(self) -> int:
        return len(self.records)

    def _repr_html_(self) -> str:
        return html_of(self)

    @property
    def usable(self) -> tuple[Record, ...]:
        """The records that are not left out and have a label."""
        return tuple(r for r in self.records if r.left_out is None and r.label is not None)

    @property
    def left_out(self) -> tuple[Record, ...]:
        """The records that are not used, each with its reason."""
        return tuple(r for r in self.records if r.left_out is not None)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes or tags that occur in usable records, sorted; none where the labels are numbers."""
        return tuple(sorted({name for r in self.usable for name in r.classes}))

    def counts(self) -> dict[str, int]:
        """Usable records per class, in the order of `classes`."""
        counted = Counter(name for r in self.usable for name in r.classes)
        return {name: counted[name] for name in self.classes}

    def part(self, split: Split) -> tuple[Record, ...]:
        """The usable records of one split, in order."""
        return tuple(r for r in self.usable if r.split == split)

    def traits_of(self, records: Sequence[Record]) -> Traits:
        """The traits of some of its records, known by their keys, in the order of `records`."""
        if not self.traits:
            return {}
        place = {record.key: at for at, record in enumerate(self.records)}
        return taken(self.traits, np.array([place[record.key] for record in records], dtype=np.int64))

    @property
    def given_splits(self) -> frozenset[str]:
        """The splits that usable records carry."""
        return frozenset(r.split for r in self.usable if r.split is not None)

    @property
    def judged_on(self) -> Split:
        """The part that gives the headline number: test, else validation, else our own held-out part.

        Raises `DataError` before `split` has made one.
        """
        for name in ("test", "validation", "held-out"):
            if name in self.given_splits:
                return name
        raise DataError("This dataset has no part to judge on.", "Call .split(valid=0.2, seed=0) first.")

    def split(self, valid: float = 0.2, seed: int = 0) -> Dataset:
        """Keep the given splits; where none is there to judge on, hold out a stratified part by content.

        What lies in no split is learned from. A part held out by an earlier call is not given: it is drawn anew. See
        `finegraft.data.splits.hold_out` for how a part is held out and for what it raises.
        """
        given = self.given_splits & {"validation", "test"}
        twofold = [finding for finding in self.findings if finding.kind == "two-labels"]
        contested = {key for finding in twofold for key in (finding.key, finding.other) if key}
        held_out = frozenset[str]() if given else splits.hold_out(self.usable, valid, seed, contested)
        return replace(self, records=tuple(_assigned(record, held_out) for record in self.records))

    def save(self, path: Path) -> None:
        """Write `manifest.jsonl`: one line for every record, without its traits.

        Those that anything is judged by stand in `evaluation.jsonl`, and the photos and tables still hold the others.
        """
        lines = (json.dumps(r.to_json(), ensure_ascii=False) + "\n" for r in self.records)
        write_atomically(path, "".join(lines).encode())

    @classmethod
    def load(cls, path: Path, root: Path, modality: str) -> Dataset:
        """The inverse of `save`; findings and traits are not part of a manifest.

        Raises `StorageError` where it cannot be read, `DataError` where a line is damaged.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise StorageError(
                f"Cannot read the manifest {path}: {error.strerror or error}.", "Check that it is there and readable."
            ) from error
        # Not splitlines(): file names may hold what Unicode calls a line separator.
        lines = content.removesuffix(b"\n").split(b"\n") if content else []
        return cls(tuple(_record(line, path, i) for i, line in enumerate(lines, start=1)), root, modality)


def _assigned(record: Record, held_out: frozenset[str]) -> Record:
    """`record` with its split; what is left out, has no label or is in a given part stays as it is."""
    if record.left_out is not None or record.label is None:
        return record
    if record.key in held_out:
        return replace(record, split="held-out")
    return replace(record, split="train") if record.split in (None, "held-out") else record


def _record(line: bytes, path: Path, number: int) -> Record:
    try:
        return Record.from_json(json.loads(line))
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(
            f"Line {number} of {path} is damaged ({type(error).__name__}: {error}).", "Restore it, or train again."
        ) from error

"""How many records each class has to be learned from: too few, or far fewer than another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from finegraft.data.findings import Finding
from finegraft.data.record import Record

# Out-of-fold scores come from five folds; a class needs one record in each.
ENOUGH = 5
# At ten to one, a model that never gives the smaller class still errs on only one in eleven of the two.
LOPSIDED = 10


def balance(records: Sequence[Record]) -> list[Finding]:
    """Findings about the whole set (key ""): one "few" per small class, at most one "imbalance".

    Counted is what can be learned from: with given splits the training part, else every record. The score of
    "imbalance" is 1 - smallest / largest; classes with nothing to learn from are "few" only.
    """
    learnable = [r for r in records if r.split in (None, "train")] or records
    counts = Counter(name for r in learnable for name in r.classes)
    sizes = sorted((counts[name], name) for name in {name for r in records for name in r.classes})
    found = [Finding("", "few", 1.0, _too_few(label, count)) for count, label in sizes if count < ENOUGH]
    present = [(count, label) for count, label in sizes if count]
    if present and present[-1][0] > LOPSIDED * present[0][0]:
        (small, rare), (large, common) = present[0], present[-1]
        note = (
            f"Class {common!r} has {large} to learn from, {rare!r} only {small}. "
            f"Add to {rare!r}, and judge by macro F1 rather than accuracy."
        )
        found.append(Finding("", "imbalance", 1 - small / large, note))
    return found


def _too_few(label: str, count: int) -> str:
    has = f"only {count}" if count else "nothing"
    return f"Class {label!r} has {has} to learn from; at least {ENOUGH} are needed to check what was learned. Add more."

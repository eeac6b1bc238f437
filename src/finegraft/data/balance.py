"""How many records each class has to be learned from: too few, or far fewer than another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from finegraft.data.findings import Finding
from finegraft.data.record import Record

# Out-of-fold scores come from five folds; a class needs one record in each.
ENOUGH = 5
# Photos that a class should better have. Of longsleeves beside 636 T-shirts, which look much alike, 85 of 100 are found
# after learning from 70, 62 after 20, 41 after 10 (with class weights).
BETTER = 50
# How many times a class may have the records of another. From four to one on, weighing the classes finds clearly more
# of the rare one: macro recall +0.036 at 4 to 1 on pets, +0.035 and +0.020 at 5 to 1 and +0.067 at 9 to 1 on two
# classes of clothing; at 2 or 3 to 1 there is little to gain (-0.001 to +0.008), save with two or three photos each.
LOPSIDED = 4


def lopsided(counts: Collection[int]) -> bool:
    """Whether the largest count is at least four times the smallest one; counts of 0 are passed over.

    >>> lopsided([158, 163, 15]), lopsided([158, 163, 160])
    (True, False)
    """
    present = [count for count in counts if count]
    return bool(present) and max(present) >= LOPSIDED * min(present)


def balance(records: Sequence[Record]) -> list[Finding]:
    """Findings about the whole set (key ""): one "few" per small class, at most one "imbalance".

    Counted is what can be learned from: with given splits the training part, else every record. The score of
    "imbalance" is 1 - smallest / largest; classes with nothing to learn from are "few" only.
    """
    learnable = [r for r in records if r.split in (None, "train")] or records
    counts = Counter(name for r in learnable for name in r.classes)
    sizes = sorted((counts[name], name) for name in {name for r in records for name in r.classes})
    word = "Tag" if any(isinstance(r.label, tuple) for r in records) else "Class"
    found = [Finding("", "few", 1.0, _too_few(word, label, count)) for count, label in sizes if count < ENOUGH]
    present = [(count, label) for count, label in sizes if count]
    if lopsided(counts.values()):
        (small, rare), (large, common) = present[0], present[-1]
        weighed = (
            " Training weighs the classes to make up for it, unless told not to; add" if word == "Class" else " Add"
        )
        figures = (
            "macro recall and macro F1 rather than accuracy" if word == "Class" else "macro F1 and its own figures"
        )
        note = (
            f"{word} {common!r} has {large:,} to learn from, {rare!r} only {small:,}.{weighed} to {rare!r}, and judge "
            f"by {figures}."
        )
        found.append(Finding("", "imbalance", 1 - small / large, note))
    return found


def _too_few(word: str, label: str, count: int) -> str:
    """What is wrong with a class or tag of `count` records, and the three ways out."""
    if count == 0:
        return f"{word} {label!r} has nothing to learn from. Add at least {ENOUGH}, better {BETTER}, or leave it out."
    return (
        f"{word} {label!r} has only {count} to learn from: it is learned, but how well cannot be told. Add at least "
        f"{ENOUGH - count}, better {BETTER - count}; else merge it with a {word.lower()} like it, or leave it out."
    )

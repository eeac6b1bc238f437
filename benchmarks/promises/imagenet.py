"""The backbone's own 1,000 classes, with no training."""

from __future__ import annotations

from pathlib import Path

from benchmarks.promise import Measured, Promise, at_least
from benchmarks.workshop import Workshop, rows_of


def named(path: str | Path) -> str:
    """The class in a file's name: `n02123159_tiger_cat.JPEG` is "tiger cat"."""
    return Path(path).stem.partition("_")[2].replace("_", " ").casefold()


def _first_answers(workshop: Workshop) -> Measured:
    done = workshop.cli("predict", "imagenet", workshop.data("imagenet"), "--json")
    rows = rows_of(done)
    right = sum(row.get("label", "").replace("_", " ").casefold() == named(row["path"]) for row in rows)
    return Measured(right, f"{right} of {len(rows)} in {done.seconds:.1f} s", {"of": len(rows)})


ROWS = [
    Promise(
        "spine-6-imagenet",
        "first answers that are the class in the file name, of 100",
        at_least(85),
        "finegraft predict imagenet $DATA/imagenet --json",
        _first_answers,
    ),
]

"""Is a fine-tuned model better than the head alone? Five folds, every photo judged once by both.

`python -m benchmarks.tuning_folds PHOTOS [--budget 6m] [--folds 5]` prints one JSON object. All photos of PHOTOS, given
splits or not, are dealt to folds by content (copies together, classes evenly). For each fold two commands are run from
one cache, as a person would type them: `finegraft train` with every default, and the same with `--budget`.

`difference` is the second one's accuracy less the first's over all folds, paired by photo (`evaluation.paired`), with
its 95 % `interval`; `better` says in how many folds the fine-tuned network was used, and `seconds` what the commands
with a budget took.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import finegraft as fg
from benchmarks.workshop import Workshop, json_of
from finegraft.data.record import Record
from finegraft.data.splits import folds
from finegraft.evaluation.paired import of_shares
from finegraft.targets import Category

FOLDS = 5
BUDGET = "6m"


def table_of(records: Sequence[Record], root: Path, fold_of: np.ndarray, fold: int, path: Path) -> Path:
    """A table at `path` of all photos, in which those of `fold` are the test part."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "label", "part"])
        for record, own in zip(records, fold_of, strict=True):
            rows.writerow([(root / record.key).resolve(), record.label, "test" if own == fold else "train"])
    return path


def right_by_key(run: Path) -> dict[str, bool]:
    """Whether each judged photo of a run was answered rightly."""
    lines = (run / "evaluation.jsonl").read_text(encoding="utf-8").splitlines()
    found = {}
    for row in map(json.loads, lines):
        found[row["key"]] = row["label"] == row["predicted"]
    return found


def dealt(records: Sequence[Record], parts: int = FOLDS) -> np.ndarray:
    """The fold, int64 (n,), of each of n records with one label."""
    labels = [str(record.label) for record in records]
    return folds(Category.of(labels).encode(labels), [record.together for record in records], parts, seed=0)


def compare(workshop: Workshop, photos: Path, budget: str = BUDGET, parts: int = FOLDS) -> dict[str, Any]:
    """Both commands on every fold."""
    data = fg.vision.read(photos)
    records = data.usable
    fold_of = dealt(records, parts)
    changes: list[int] = []
    told: dict[str, list[Any]] = {"seconds": [], "better": [], "head": [], "tuned": []}
    for fold in range(parts):
        table = table_of(records, data.root, fold_of, fold, workshop.scratch / f"fold-{fold}.csv")
        common = ("train", table, "--target", "label", "--split-column", "part", "--json")
        head, tuned = workshop.empty("head"), workshop.empty("tuned")
        workshop.cli(*common, "-o", head, cache="folds", memory=False)
        done = workshop.cli(*common, "-o", tuned, "--budget", budget, cache="folds", memory=False)
        before, after = right_by_key(head), right_by_key(tuned)
        changes += [int(after[key]) - int(right) for key, right in before.items()]
        told["seconds"].append(round(done.seconds, 1))
        told["better"].append(json.loads((tuned / "run.json").read_text())["fine_tuning"]["better"])
        told["head"].append(float(np.mean(list(before.values()))))
        told["tuned"].append(json_of(done)["accuracy"])
        print(f"fold {fold}: {told['head'][-1]:.4f} {told['tuned'][-1]:.4f} {done.seconds:.0f} s", file=sys.stderr)
    found = of_shares(np.array(changes))
    return {"photos": len(changes), "difference": found.value, "interval": list(found.interval), "p": found.p, **told}


def main(given: Sequence[str] | None = None) -> int:
    """The command. Returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--budget", default=BUDGET)
    parser.add_argument("--folds", type=int, default=FOLDS)
    asked = parser.parse_args(given)
    with tempfile.TemporaryDirectory(prefix="finegraft-folds-") as scratch:
        print(json.dumps(compare(Workshop(Path(scratch)), asked.photos, asked.budget, asked.folds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

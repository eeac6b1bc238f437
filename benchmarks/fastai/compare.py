"""finegraft and fastai on the same photos, one after the other in one run: `make bench`.

Both start from the same ImageNet weights of EfficientNet-Lite0 (fastai at 224 pixels, finegraft at its own default of
288), learn from `train` and are judged on `test`; both are run as their own manuals say, with no option tuned.
finegraft runs before and after fastai, from an empty cache each time, and its slower run counts: a machine whose speed
drifts must not help it.

With --fold N the photos of that fifth of `data` are judged instead, and with --budget TIME finegraft fine-tunes too.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import finegraft as fg
from benchmarks import tuning_folds, watch
from benchmarks.fastai import environment
from benchmarks.workshop import CORES, DATA, Workshop, json_of

RESULTS = environment.HERE.parent / "RESULTS.md"
FROZEN, UNFROZEN = 3, 1
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}  # both sides bring their weights with them


@dataclass(frozen=True)
class Comparison:
    """`ours`: two runs of finegraft, {"seconds", "accuracy"}; `epochs`: fastai's rows, as train.py writes them."""

    ours: list[dict[str, float]]
    epochs: list[dict[str, Any]]
    photos: dict[str, int]
    versions: dict[str, str]

    @property
    def best(self) -> dict[str, Any]:
        """fastai's epoch of the best accuracy, the first of equals."""
        return max(self.epochs, key=lambda row: row["accuracy"])

    @property
    def seconds(self) -> float:
        """finegraft's slower run."""
        return max(run["seconds"] for run in self.ours)

    @property
    def accuracy(self) -> float:
        """finegraft's worse run."""
        return min(run["accuracy"] for run in self.ours)

    @property
    def ratio(self) -> float:
        """fastai's time to its best accuracy over finegraft's time to that accuracy; 0 when finegraft falls short."""
        return float(self.best["seconds"]) / self.seconds if self.accuracy >= self.best["accuracy"] else 0.0


def compare(
    workshop: Workshop, data: Path, frozen: int = FROZEN, unfrozen: int = UNFROZEN, budget: str | None = None
) -> Comparison:
    """Run finegraft, fastai and finegraft again on `data`, which holds `train` and `test`; fine-tune for `budget`."""
    interpreter = environment.python()
    before = _finegraft(workshop, data, budget)
    theirs = _fastai(workshop, interpreter, data, frozen, unfrozen)
    after = _finegraft(workshop, data, budget)
    return Comparison([before, after], theirs["epochs"], theirs["photos"], theirs["versions"])


def _finegraft(workshop: Workshop, data: Path, budget: str | None) -> dict[str, float]:
    workshop.empty("bench-cache")
    words = ["train", data, "-o", workshop.empty("bench-run"), "--json", *(["--budget", budget] if budget else [])]
    done = workshop.cli(*words, cache="bench-cache", memory=False)
    return {"seconds": done.seconds, "accuracy": json_of(done)["accuracy"]}


def _fastai(workshop: Workshop, interpreter: Path, data: Path, frozen: int, unfrozen: int) -> dict[str, Any]:
    out = workshop.scratch / "fastai.json"
    command: list[str | Path] = [interpreter, environment.HERE / "train.py", data, out]
    command += ["--started", repr(time.time()), "--frozen", str(frozen), "--unfrozen", str(unfrozen)]
    env = workshop.environment() | OFFLINE
    watch.checked(watch.run(command, env=env, cores=CORES, memory=False, timeout=4 * 3600))
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def words(found: Comparison) -> str:
    """The comparison in one sentence."""
    best = found.best
    return (
        f"fastai {best['accuracy']:.4f} after {best['seconds']:.0f} s ({best['phase']}), "
        f"finegraft {found.accuracy:.4f} after {found.seconds:.0f} s: {found.ratio:.1f} times as fast to that accuracy"
    )


def section(found: Comparison, data: str) -> str:
    """The text of RESULTS.md."""
    versions = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    rows = [
        *(("fastai", f"epoch {n}, {row['phase']}", row) for n, row in enumerate(found.epochs, 1)),
        *(("finegraft", f"whole process, run {n}", row) for n, row in enumerate(found.ours, 1)),
    ]
    lines = "".join(f"| {who} | {what} | {row['seconds']:.0f} | {row['accuracy']:.4f} |\n" for who, what, row in rows)
    return (
        "# Side by side with peers\n\n"
        "Made by `make bench`; do not edit.\n\n"
        f"## fastai, {data}, {datetime.now(UTC).date().isoformat()}\n\n"
        f"{found.photos['train']} photos to learn from, judged on {found.photos['test']}. Same backbone and weights "
        "(EfficientNet-Lite0, ImageNet), two processors, the same run; fastai at 224 pixels, every other setting each "
        f"side's own default. {versions}. Seconds are of the whole process from its start.\n\n"
        f"| | | seconds | accuracy |\n|---|---|---|---|\n{lines}\n"
        f"**{words(found)}.**\n"
    )


def subset(data: Path, folder: Path, train: int, test: int) -> Path:
    """The first photos of each class of `data`, copied to `folder`: for trying the whole thing quickly."""
    for part, count in (("train", train), ("test", test)):
        for label in sorted(path for path in (data / part).iterdir() if path.is_dir()):
            place = folder / part / label.name
            place.mkdir(parents=True)
            for photo in sorted(label.iterdir())[:count]:
                shutil.copy(photo, place)
    return folder


def one_fold(photos: Path, fold: int, folder: Path) -> Path:
    """All of `photos`, given splits or not, copied to `folder`: those of a fold as `test`, the others as `train`."""
    data = fg.vision.read(photos)
    records = data.usable
    for number, (record, own) in enumerate(zip(records, tuning_folds.dealt(records), strict=True)):
        place = folder / ("test" if own == fold else "train") / str(record.label)
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(data.root / record.key, place / f"{number}{Path(record.key).suffix}")
    return folder


def main(given: Sequence[str] | None = None) -> int:
    """The command. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA / "clothing", help="a folder with train/ and test/")
    parser.add_argument("--frozen", type=int, default=FROZEN, help="fastai's epochs with a frozen body")
    parser.add_argument("--unfrozen", type=int, default=UNFROZEN, help="and with the whole network")
    parser.add_argument("--fold", type=int, choices=range(tuning_folds.FOLDS), help="judge this fifth of all photos")
    parser.add_argument("--budget", help="how long finegraft may take to fine-tune, 6m say (default: the head alone)")
    parser.add_argument("--trial", action="store_true", help="20 photos of each class; writes no results")
    asked = parser.parse_args(given)
    data = asked.data.resolve()
    if not (data / "train").is_dir() or not (data / "test").is_dir():
        print(f"{asked.data} has no train/ and test/ folders: give another with --data.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="finegraft-bench-") as scratch:
        photos = subset(data, Path(scratch) / "few", 20, 5) if asked.trial else data
        photos = photos if asked.fold is None else one_fold(photos, asked.fold, Path(scratch) / "fold")
        found = compare(Workshop(Path(scratch)), photos, asked.frozen, asked.unfrozen, asked.budget)
    print(json.dumps(asdict(found), indent=1))
    print(words(found))
    if not asked.trial and asked.fold is None and asked.budget is None:
        RESULTS.write_text(section(found, data.name), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The same file gives the same answer: the learner, the bundle on both engines, the command; each a process of its own.

The learner's own answers are the rows of `evaluation.jsonl`, which the training process wrote.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from benchmarks import awkward_photos, bare
from benchmarks.promise import Measured, Promise, at_most
from benchmarks.workshop import Workshop, rows_of

TO_LEARN, TO_JUDGE = 12, 6  # photos of each class; ten classes
COMMAND = "finegraft predict RUN/model.fg PHOTOS --json --top 10 (and each engine from Python)"
Answers = dict[str, dict[str, float]]  # file name -> label -> probability


def _sources(workshop: Workshop) -> dict[str, Answers]:
    """Who answered -> what."""

    def measure() -> dict[str, Answers]:
        photos, run = _photos(workshop), workshop.scratch / "awkward-run"
        workshop.cli("train", photos, "-o", run, "--json")
        test, model = photos / "test", run / "model.fg"
        found = {
            "learner": _of_evaluation(run / "evaluation.jsonl"),
            "cli": _of_rows(rows_of(workshop.cli("predict", model, test, "--json", "--top", "10"))),
        }
        for engine in bare.ENGINES:
            found[engine] = _of_rows(rows_of(workshop.python("benchmarks.answers", model, engine, test)))
        return found

    return workshop.once("same-answer", measure)


def _photos(workshop: Workshop) -> Path:
    """A data folder: plain photos to learn from, awkward ones as its test part."""
    clothing, folder, number = workshop.data("clothing"), workshop.empty("awkward"), 0
    for label in sorted(path.name for path in (clothing / "train").iterdir() if path.is_dir()):
        (folder / "train" / label).mkdir(parents=True)
        for photo in sorted((clothing / "train" / label).iterdir())[:TO_LEARN]:
            shutil.copy(photo, folder / "train" / label)
        for photo in sorted((clothing / "test" / label).iterdir())[:TO_JUDGE]:
            awkward_photos.save(photo, folder / "test" / label, number)
            number += 1
    return folder


def _of_evaluation(path: Path) -> Answers:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    labels = sorted({row["label"] for row in rows})
    return {Path(row["key"]).name: dict(zip(labels, row["probabilities"], strict=True)) for row in rows}


def _of_rows(rows: list[dict[str, Any]]) -> Answers:
    return {
        Path(row["path"]).name: {entry["label"]: entry["probability"] for entry in row.get("ranking", [])}
        for row in rows
    }


def widest(sources: dict[str, Answers]) -> tuple[float, str]:
    """The largest difference of one probability between any two of `sources`, and who answered what file so.

    A file or a class that one of them has no answer for counts as a difference of 1.
    """
    files = sorted(set().union(*sources.values()))
    differences = [(0.0, "nowhere")]
    for file in files:
        labels = sorted(set().union(*(answers.get(file, {}) for answers in sources.values())))
        for label in labels or ["any"]:
            said = {who: answers.get(file, {}).get(label, -1.0) for who, answers in sources.items()}
            low, high = min(said, key=said.__getitem__), max(said, key=said.__getitem__)
            difference = said[high] - said[low] if said[low] >= 0 else 1.0
            differences.append((difference, f"{file}, {label}: {low} and {high}"))
    return max(differences)


def disagreeing(sources: dict[str, Answers]) -> list[str]:
    """The files whose most probable class is not the same for all of `sources`."""
    files = sorted(set().union(*sources.values()))
    return [file for file in files if len({_first(answers.get(file, {})) for answers in sources.values()}) > 1]


def _first(said: dict[str, float]) -> str:
    return max(said, key=said.__getitem__, default="")


def _probabilities(workshop: Workshop) -> Measured:
    sources = _sources(workshop)
    difference, where = widest(sources)
    words = f"{difference:.1e} over {len(sources['learner'])} photos of {len(awkward_photos.KINDS)} kinds ({where})"
    return Measured(difference, words)


def _labels(workshop: Workshop) -> Measured:
    sources = _sources(workshop)
    names = disagreeing(sources)
    return Measured(len(names), f"{len(names)} of {len(sources['learner'])} {' '.join(names)}".strip())


ROWS = [
    Promise(
        "spine-7-probabilities",
        "same file from learner, bundle on both engines, CLI: largest difference of a probability",
        at_most(1e-3),
        COMMAND,
        _probabilities,
    ),
    Promise("spine-7-labels", "the same: photos with another first answer", at_most(0), COMMAND, _labels),
]

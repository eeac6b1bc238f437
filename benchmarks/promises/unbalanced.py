"""Bears cut to 158 black ones, 163 grizzlies and 15 teddies: how many teddies are found with class weights and without.

Each of five seeds keeps 15 teddies of its own. A fifth of the 15 is held out, three to a seed, which says little; so
the 145 that were cut away are judged as well.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from benchmarks.promise import Measured, Promise, at_least
from benchmarks.workshop import Workshop, json_of
from finegraft.data.findings import LEAVES_OUT
from finegraft.evaluation.intervals import wilson

SEEDS = range(5)
RARE, KEPT = "teddys", 15  # as the folder is called
CACHE = "bears"
WITH, WITHOUT = "auto", "no"


@dataclass(frozen=True)
class Trained:
    """One training: the share found of the `judged` teddies that were cut away, `held_out` as (found, judged) of those
    kept for judging, and the accuracy and macro F1 of the training's own held-out part.
    """

    found: float
    judged: int
    held_out: tuple[int, int]
    accuracy: float
    macro_f1: float


def cut(source: Path, photos: Sequence[str], seed: int, kept: Path, rest: Path) -> None:
    """Copy the bears at `source` to `kept` with 15 of the teddies, and the other teddies to `rest`.

    `photos` are the keys of all that can be used.
    """
    teddies = sorted(key for key in photos if key.startswith(f"{RARE}/"))
    staying = set(random.Random(seed).sample(teddies, KEPT))
    for key in photos:
        place = rest if key in teddies and key not in staying else kept
        (place / key).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / key, place / key)


def told(runs: Sequence[Trained]) -> str:
    """Recall on what was cut away with the interval of as many photos, recall held out, accuracy, macro F1.

    The seeds share their photos, so the interval of the mean is that of the photos of one.
    """
    share, n = mean(run.found for run in runs), runs[0].judged
    low, high = wilson(share * n, n)
    found, judged = (sum(run.held_out[i] for run in runs) for i in (0, 1))
    few, many = wilson(found, judged)
    return (
        f"{share:.3f} (95 %: {low:.3f}–{high:.3f}) of {n}, held out {found} of {judged} ({few:.2f}–{many:.2f}), "
        f"accuracy {mean(run.accuracy for run in runs):.4f}, macro F1 {mean(run.macro_f1 for run in runs):.4f}"
    )


def _trained(workshop: Workshop, kept: Path, rest: Path, seed: int, weights: str) -> Trained:
    run = workshop.empty("run")
    words = ("train", kept, "-o", run, "--seed", str(seed), "--class-weights", weights, "--json")
    said = json_of(workshop.cli(*words, cache=CACHE))
    away = json_of(workshop.cli("eval", run, rest, "--json", cache=CACHE))
    rows = [json.loads(line) for line in (run / "evaluation.jsonl").read_text(encoding="utf-8").splitlines()]
    teddies = [row["predicted"] == row["label"] for row in rows if row["label"] == RARE]
    held_out = sum(teddies), len(teddies)
    return Trained(away["accuracy"], away["n_judged"], held_out, said["accuracy"], said["macro_f1"])


def _photos(workshop: Workshop, folder: Path) -> list[str]:
    said = json_of(workshop.cli("check", folder, "--json", cache=CACHE))
    unusable = {row["key"] for row in said["findings"] if row["kind"] in LEAVES_OUT}
    files = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(key for key in files if key not in unusable)


def _recall(workshop: Workshop) -> Measured:
    folder = workshop.data("bears")
    photos = _photos(workshop, folder)
    runs: dict[str, list[Trained]] = {WITH: [], WITHOUT: []}
    for seed in SEEDS:
        kept, rest = workshop.empty("kept"), workshop.empty("rest")
        cut(folder, photos, seed, kept, rest)
        for weights, done in runs.items():
            done.append(_trained(workshop, kept, rest, seed, weights))
    gain = mean(run.found for run in runs[WITH]) - mean(run.found for run in runs[WITHOUT])
    words = f"{gain:+.3f}; with: {told(runs[WITH])}; without: {told(runs[WITHOUT])}"
    figures: dict[str, object] = {
        name: {"found": [run.found for run in done], "held_out": [run.held_out for run in done]}
        for name, done in (("with", runs[WITH]), ("without", runs[WITHOUT]))
    }
    return Measured(gain, words, figures)


ROWS = [
    Promise(
        "dirt-4-recall",
        "bears cut to 158/163/15, five seeds: recall of the 145 teddies cut away, with class weights less without",
        at_least(0),
        "for s in 0 1 2 3 4; do for w in auto no; do finegraft train CUT$s -o RUN$s$w --seed $s --class-weights $w "
        "--json; finegraft eval RUN$s$w CUT_AWAY$s --json; done; done",
        _recall,
    )
]

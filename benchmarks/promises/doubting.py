"""Probabilities one may believe, and answers called unsure: all of it learned from clothing's training part alone."""

from __future__ import annotations

from statistics import mean
from typing import Any

import numpy as np

from benchmarks.promise import Measured, Promise, at_least, at_most
from benchmarks.promises.training import CACHE, TRAIN, clothing_run
from benchmarks.workshop import Workshop, json_of, rows_of
from finegraft.evaluation.calibration import expected_calibration_error
from finegraft.evaluation.run import Run

SIMULATED = 2000
ASK = "finegraft predict RUN/model.fg PHOTOS --json"


def _out_of_fold(workshop: Workshop) -> Measured:
    found = Run.open(clothing_run(workshop)).settings["calibration"]["out_of_fold"]["ece"]
    low, high = found["interval"]
    return Measured(found["value"], f"{found['value']:.4f} (95 %: {low:.4f}–{high:.4f})")


def _by_chance(workshop: Workshop) -> Measured:
    evaluation = Run.open(clothing_run(workshop)).evaluation()
    own = expected_calibration_error(evaluation.probabilities, evaluation.truth)
    perfect = calibrated_errors(evaluation.probabilities, SIMULATED)
    share = float((perfect < own).mean())
    words = f"{own:.4f} on {len(evaluation)} photos, above {share:.1%} of {SIMULATED:,} perfectly calibrated sets"
    return Measured(share, f"{words} (their 95th percentile: {np.quantile(perfect, 0.95):.4f})")


def calibrated_errors(probabilities: np.ndarray, times: int, seed: int = 0) -> np.ndarray:
    """The calibration errors of `times` sets whose truth is drawn with these very `probabilities` (n, k)."""
    rng = np.random.default_rng(seed)
    below = probabilities.cumsum(axis=1)
    errors = []
    for _ in range(times):
        drawn = (below < rng.random((len(below), 1)) * below[:, -1:]).sum(axis=1)
        errors.append(expected_calibration_error(probabilities, drawn))
    return np.array(errors)


def _asked(workshop: Workshop, name: str) -> list[dict[str, Any]]:
    """What the model says of every photo of a set."""

    def ask() -> list[dict[str, Any]]:
        model = clothing_run(workshop) / "model.fg"
        rows = rows_of(workshop.cli("predict", model, workshop.data(name), "--json", cache=CACHE))
        return [row for row in rows if "error" not in row]

    return workshop.once(f"asked-{name}", ask)


def unsure(rows: list[dict[str, Any]], reason: str) -> float:
    """The share of answers that are unsure for this reason."""
    return mean(row["unsure"] == reason for row in rows)


def _strangers(workshop: Workshop) -> Measured:
    shares = {name: unsure(_asked(workshop, name), "unlike training") for name in ("bears", "pets")}
    each = ", ".join(f"{name} {share:.1%} of {len(_asked(workshop, name))}" for name, share in shares.items())
    return Measured(min(shares.values()), each, dict(shares))


def _own(workshop: Workshop) -> Measured:
    rows = _asked(workshop, "clothing/test")
    strange, close = unsure(rows, "unlike training"), unsure(rows, "close call")
    right = [row["label"] == row["path"].split("/")[-2] for row in rows if row["unsure"] is None]
    words = f"{strange:.1%} of {len(rows)}; close calls {close:.1%}; of the other {len(right)} "
    words += f"{1 - mean(right):.1%} are wrong"
    return Measured(strange, words, {"close_calls": close, "wrong_when_sure": 1 - mean(right)})


def _held_back(workshop: Workshop) -> Measured:
    clothing_run(workshop)  # its features lie in the cache
    found = json_of(workshop.python("benchmarks.held_back", workshop.data("clothing"), cache=CACHE))
    areas, plain = ([row[name] for row in found.values()] for name in ("novelty", "plain"))
    worst = min(found, key=lambda label: found[label]["novelty"])
    words = f"{mean(areas):.3f}, least {min(areas):.2f} ({worst}); plain distance {mean(plain):.3f}"
    return Measured(mean(areas), words, {"classes": found})


ROWS = [
    Promise(
        "score-1-ece-folds",
        "clothing, calibration error of the answers out of fold",
        at_most(0.02),
        TRAIN,
        _out_of_fold,
    ),
    Promise(
        "score-1-ece-test",
        "the same on the given test part: share of perfectly calibrated sets that have a smaller one",
        at_most(0.95),
        TRAIN,
        _by_chance,
    ),
    Promise(
        "score-2-strangers",
        "a model of clothing asked about bears and pets: called unlike training, the smaller share",
        at_least(0.99),
        ASK,
        _strangers,
    ),
    Promise("score-2-own", "the same model and its own test photos: called unlike training", at_most(0.05), ASK, _own),
    Promise(
        "score-2-held-back",
        "each class of clothing held back in turn, told from the others by novelty: mean area under the ROC curve",
        at_least(0.75),
        "python -m benchmarks.held_back $DATA/clothing",
        _held_back,
    ),
]

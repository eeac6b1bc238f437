"""A thousand photos: how much of the rate that decoding and inference alone allow is left."""

from __future__ import annotations

import shutil
from pathlib import Path
from statistics import median

from benchmarks.promise import Measured, Promise, at_least
from benchmarks.promises.training import clothing_run
from benchmarks.rates import allowed
from benchmarks.workshop import Workshop, json_of

PHOTOS, ROUNDS = 1000, 3


def _folder(workshop: Workshop) -> Path:
    folder = workshop.empty("thousand")
    folder.mkdir()
    photos = sorted((workshop.data("clothing") / "train").glob("*/*.jpg"))
    for number, photo in enumerate(photos[:: len(photos) // PHOTOS][:PHOTOS]):  # from all classes alike
        shutil.copy(photo, folder / f"{number:04}.jpg")
    return folder


def _rates(workshop: Workshop) -> dict[str, float]:
    """Median rates of the command, whole process, and of what `benchmarks.rates` measures, taken in turn."""

    def measure() -> dict[str, float]:
        model, folder = clothing_run(workshop) / "model.fg", _folder(workshop)
        rounds: list[dict[str, float]] = []
        for _ in range(ROUNDS):
            done = workshop.cli("predict", model, folder, "--json", memory=False)
            inside = json_of(workshop.python("benchmarks.rates", model, folder, memory=False))
            rounds.append({"command": PHOTOS / done.seconds, **inside})
        return {name: median(found[name] for found in rounds) for name in rounds[0]}

    return workshop.once("thousand", measure)


def _share(workshop: Workshop, name: str) -> Measured:
    rates = _rates(workshop)
    limit = allowed(rates["decode"], rates["inference"])
    words = f"{rates[name] / limit:.0%}: {rates[name]:.0f} photos/s of {limit:.0f} "
    words += f"(decoding alone {rates['decode']:.0f}, inference alone {rates['inference']:.0f})"
    return Measured(rates[name] / limit, words, dict(rates))


ROWS = [
    Promise(
        "spine-4-rate",
        "predict 1,000 photos, whole process: share of the rate that decoding and inference alone allow",
        at_least(0.85),
        "finegraft predict RUN/model.fg FOLDER --json",
        lambda workshop: _share(workshop, "command"),
    ),
    Promise(
        "spine-4-rate-inside",
        "the same inside a running process, without start-up",
        at_least(0.85),
        "python -m benchmarks.rates RUN/model.fg FOLDER",
        lambda workshop: _share(workshop, "together"),
    ),
]

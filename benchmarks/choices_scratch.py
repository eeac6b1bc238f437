"""Which rate for random weights? `python -m benchmarks.choices_scratch PHOTOS` (clothing/train: some minutes).

A fifth is held out. A ResNet-18 with random weights learns all its layers from photos of 64 pixels for `EPOCHS` epochs
of one cycle, by AdamW, at every rate of a grid. A Markdown table goes to stdout: the share of wrong answers on the held
out photos, and the mean loss after the best single temperature; that of a head on the random backbone comes first.
Give photos that judge nothing else, of clothing the part called train.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line sets it

import sys
from dataclasses import replace
from pathlib import Path

from finegraft.features.store import Store
from finegraft.training.fine_tuning import trial
from finegraft.vision.assembly import learner as make_learner
from finegraft.vision.sources import read

RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
EPOCHS = 5


def main(photos: Path) -> None:
    """Print the table."""
    data = read(photos)
    data = replace(data, records=tuple(replace(record, split=None) for record in data.records)).split(0.2, 0)
    print("| rate | wrong | loss |\n|---|---|---|")
    with Store.in_memory() as store:
        for rate in (None, *RATES):
            learner = make_learner(
                data, "timm:resnet18", weights="none", size=64, head="linear", store=store, show=False
            )
            learner.fit_one_cycle(learner.default_epochs)
            learner.unfreeze()
            tuning = learner._stage.tuning
            assert tuning is not None
            if rate is not None:
                learner.fit_one_cycle(EPOCHS, lr=rate)
            scores = tuning.scores(learner.data.part("held-out")).numpy()
            found = trial(learner._recipe, scores, learner._judged.opened(0).truth)
            named = "head on random features" if rate is None else f"{rate:g}"
            print(f"| {named} | {found.error:.4f} | {found.loss:.4f} |", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

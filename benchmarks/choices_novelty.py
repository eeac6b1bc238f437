"""The evidence for how novelty is measured: which signs, alone and together, tell what from what.

`python -m benchmarks.choices_novelty CLOTHING OTHERS…` uses the training part of CLOTHING alone; a fifth of it plays
the new photos. For every choice of signs it prints the mean area under the ROC curve with each class held back in turn,
and which share of each set of OTHERS is called novel where 3 % of the new photos are.
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.held_back import area, scores_by_hand
from finegraft.data.dataset import Dataset
from finegraft.features.memory import CheckMemory
from finegraft.features.store import Store
from finegraft.models.novelty import Likeness
from finegraft.training.learner import Learner
from finegraft.training.novelty import ALLOWED
from finegraft.vision.body import Body, body, features_of
from finegraft.vision.sources import read

SIGNS = ("beside", "relative", "doubt")


@dataclass(frozen=True)
class Known:
    """A learner of some classes of the training part, and what novelty it measures."""

    learner: Learner
    likeness: Likeness

    def signs(self, features: np.ndarray) -> np.ndarray:
        """The three signs (n, 3) of n items."""
        return self.likeness.signs(features, scores_by_hand(self.learner, features))


def known(data: Dataset, features: np.ndarray, origin: Body) -> Known:
    """Trained on the part "train" of `data`; the fifth held out plays the new photos."""
    learner = Learner(data, features, origin, show=False)
    learner.fit_one_cycle(learner.default_epochs)
    measure = learner.calibration.novelty
    if measure is None:
        raise SystemExit("There are too few photos to measure novelty.")
    return Known(learner, measure.likeness)


def together(signs: np.ndarray, like: np.ndarray, chosen: tuple[int, ...]) -> np.ndarray:
    """The chosen signs as one number each, weighed by how they vary among items `like` those learned from (m, 3)."""
    columns = list(chosen)
    return np.asarray(((signs - np.median(like, axis=0)) / like.std(axis=0))[:, columns].sum(axis=1))


def main(clothing: str, *others: str) -> None:
    """Print a line for each choice of signs."""
    with Store.open() as store:
        whole = read(clothing, memory=CheckMemory(store))
        train = tuple(replace(r, split=None) for r in whole.records if r.split == "train")
        data = replace(whole, records=train, traits={}).split()
        origin = body("lite0", store)
        features = features_of(data.usable, data.root, origin, store).values
        sets = [read(other, memory=CheckMemory(store)) for other in others]
        strange = [features_of(one.usable, one.root, origin, store).values for one in sets]
    new = np.array([record.split == "held-out" for record in data.usable])
    classes = np.array([str(record.label) for record in data.usable])
    whole_set = known(data, features, origin)
    own, far = whole_set.signs(features[new]), [whole_set.signs(values) for values in strange]
    near = []
    for label in data.classes:
        kept = classes != label
        rest = replace(data, records=tuple(r for r in data.records if r.label != label))
        without = known(rest, features[kept], origin)
        near.append((without.signs(features[kept & new]), without.signs(features[~kept])))
    for count in (1, 2, 3):
        for chosen in itertools.combinations(range(3), count):
            areas = [area(together(a, a, chosen), together(b, a, chosen)) for a, b in near]
            limit = np.quantile(together(own, own, chosen), 1 - ALLOWED)
            shares = ", ".join(
                f"{name} {np.mean(together(values, own, chosen) > limit):.3f}"
                for name, values in zip(others, far, strict=True)
            )
            names = " + ".join(SIGNS[sign] for sign in chosen)
            print(f"{names:28} held back {np.mean(areas):.3f} (least {min(areas):.2f}); {shares}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Is a class that was never learned told from those that were? Each class of DATA is held back in turn.

`python -m benchmarks.held_back DATA` prints one JSON object: for each class the area under the ROC curve of novelty,
its judged photos against those of the classes learned from, and beside it that of a plain distance to the nearest photo
learned from. Nothing but the training part of the other classes is learned from.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
from sklearn.metrics import roc_auc_score

from finegraft.data.dataset import Dataset
from finegraft.features.memory import CheckMemory
from finegraft.features.store import Store
from finegraft.models.heads import folded
from finegraft.training.learner import Learner
from finegraft.vision.body import Body, body, features_of
from finegraft.vision.sources import read


def without(data: Dataset, label: str) -> Dataset:
    """The dataset with the records of one class left out."""
    records = tuple(replace(r, left_out="held back") if r.label == label else r for r in data.records)
    return replace(data, records=records)


def scores_by_hand(learner: Learner, features: np.ndarray) -> np.ndarray:
    """The head's scores (n, classes) of features, from its folded layers."""
    *hidden, last = folded(learner.network)
    for weight, bias in hidden:
        features = np.maximum(features @ weight.T + bias, 0)
    return features @ last[0].T + last[1]


def plain(learned: np.ndarray, features: np.ndarray) -> np.ndarray:
    """One less the cosine to the nearest of `learned`."""
    known, asked = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (learned, features))
    return 1 - (asked @ known.T).max(axis=1)


def area(inside: np.ndarray, outside: np.ndarray) -> float:
    """Area under the ROC curve: how often one of `outside` has the higher value."""
    truth = np.repeat([0, 1], [len(inside), len(outside)])
    return float(roc_auc_score(truth, np.concatenate([inside, outside])))


def areas(data: Dataset, features: np.ndarray, origin: Body, label: str) -> dict[str, float]:
    """The two areas for one class held back."""
    records = data.usable
    rest = without(data, label)
    kept = np.array([record.label != label for record in records])
    learner = Learner(rest, features[kept], origin, show=False)
    learner.fit_one_cycle(learner.default_epochs)
    measure = learner.calibration.novelty
    if measure is None:
        raise SystemExit(f"Too few photos are left without {label}.")
    judged = np.array([record.split == data.judged_on for record in records])
    train = features[kept & np.array([record.split == "train" for record in records])]
    parts = features[judged & kept], features[judged & ~kept]
    novel = [measure.of(part, scores_by_hand(learner, part)) for part in parts]
    return {"novelty": area(*novel), "plain": area(*(plain(train, part) for part in parts))}


def main(folder: str) -> None:
    """Print the areas."""
    with Store.open() as store:
        data = read(folder, memory=CheckMemory(store)).split()
        origin = body("lite0", store)
        features = features_of(data.usable, data.root, origin, store).values
    print(json.dumps({label: areas(data, features, origin, label) for label in data.classes}))


if __name__ == "__main__":
    main(*sys.argv[1:])

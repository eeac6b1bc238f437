"""How often the 95 % intervals hold the truth, on stored features of real photos.

`python -m benchmarks.coverage PHOTOS` prints one JSON object. 500 times over, a head learns from 400 photos drawn by
chance, and what it is truly worth is what it does on all the others, some thousands. Of these 200 are drawn and judged.
They are drawn with replacement: without, 200 of 2,668 would tell more of the rest than of photos yet to come, and the
intervals would seem better than they are.

`clustered`: photos that look alike are put into groups, and whole groups are drawn, about 200 photos in all, as the
photos of one wardrobe come together. `unaware` reads the same sets as if every photo stood alone.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from finegraft.evaluation import metrics
from finegraft.evaluation.calibration import FEWEST_PER_BIN, expected_calibration_error
from finegraft.features.memory import CheckMemory
from finegraft.features.store import Store
from finegraft.targets import Category
from finegraft.vision.body import body, features_of
from finegraft.vision.sources import read

SPLITS = 500
LEARNED, JUDGED = 400, 200
WIDTH = 64  # principal components: a head on them learns in a moment and is right nearly as often
PER_GROUP = 6
NAMES = ("accuracy", "macro_recall", "macro_f1", "ece")


@dataclass(frozen=True)
class Photos:
    """Features (n, d), class numbers (n,), and a group (n,) of those that look alike."""

    features: np.ndarray
    truth: np.ndarray
    group: np.ndarray


def photos(folder: str | Path) -> Photos:
    """All usable photos of a folder of class folders."""
    with Store.open() as store:
        data = read(folder, memory=CheckMemory(store))
        found = features_of(data.usable, data.root, body("lite0", store), store)
    labels = [str(record.label) for record in data.usable]
    good = np.array([row not in found.failed for row in range(len(labels))])
    return grouped(found.values[good], Category.of(labels).encode(labels)[good])


def grouped(features: np.ndarray, truth: np.ndarray) -> Photos:
    """The photos with their features projected, and groups of about six that look alike."""
    spread = features.std(axis=0)
    small = PCA(min(WIDTH, *features.shape), random_state=0).fit_transform(features / np.where(spread > 0, spread, 1))
    groups = KMeans(max(2, len(truth) // PER_GROUP), n_init=1, max_iter=20, random_state=0).fit_predict(small)
    return Photos(small, truth, groups)


def heads(found: Photos, splits: int, learned: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.random.Generator]]:
    """For each split the rows not learned from, (m,), and what a head says of them, (m, k)."""
    classes = int(found.truth.max()) + 1
    for seed in range(splits):
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(found.truth))
        learn, rest = order[:learned], order[learned:]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it stops before the last digit does not matter here
            head = LogisticRegression(C=0.02, max_iter=50).fit(found.features[learn], found.truth[learn])
        probabilities = np.zeros((len(rest), classes))
        probabilities[:, head.classes_] = head.predict_proba(found.features[rest])
        yield rest, probabilities, rng


def worth(truth: np.ndarray, probabilities: np.ndarray, judged: int) -> dict[str, float]:
    """The large-sample values; the calibration error in as many bins as `judged` records have."""
    predicted = probabilities.argmax(axis=1)
    matrix = metrics.confusion_matrix(truth, predicted, probabilities.shape[1])
    classes = metrics.per_class(matrix)
    return {
        "accuracy": float((truth == predicted).mean()),
        "macro_recall": float(classes.recall[classes.support > 0].mean()),
        "macro_f1": float(classes.f1[classes.support > 0].mean()),
        "ece": expected_calibration_error(probabilities, truth, max(1, judged // FEWEST_PER_BIN)),
    }


def together(group: np.ndarray, judged: int, rng: np.random.Generator) -> tuple[np.ndarray, tuple[str, ...]]:
    """Rows of whole groups drawn with replacement, about `judged` in all, and the names of the draws."""
    members = [np.nonzero(group == name)[0] for name in np.unique(group)]
    drawn = rng.integers(0, len(members), size=round(judged * len(members) / len(group)))
    names = tuple(str(at) for at, one in enumerate(drawn) for _ in members[one])
    return np.concatenate([members[one] for one in drawn]), names


def coverage(found: Photos, splits: int = SPLITS, learned: int = LEARNED, judged: int = JUDGED) -> dict[str, object]:
    """The share of splits whose interval holds the truth, by way of drawing and by metric."""
    held: dict[str, dict[str, list[bool]]] = {
        way: {name: [] for name in NAMES} for way in ("alone", "clustered", "unaware")
    }
    accuracy = []
    for rest, probabilities, rng in heads(found, splits, learned):
        truth = found.truth[rest]
        true = worth(truth, probabilities, judged)
        accuracy.append(true["accuracy"])
        rows, names = together(found.group[rest], judged, rng)
        plain = rng.integers(0, len(rest), size=judged)
        sets = {"alone": (plain, ()), "clustered": (rows, names), "unaware": (rows, ())}
        for way, (drawn, groups) in sets.items():
            measured = metrics.of_categories(truth[drawn], probabilities[drawn], groups)
            for name in NAMES:
                low, high = measured[name].interval or (0.0, 1.0)
                held[way][name].append(low <= true[name] <= high)
    shares = {way: {name: float(np.mean(each)) for name, each in by_name.items()} for way, by_name in held.items()}
    return {**shares, "splits": splits, "judged": judged, "mean_accuracy": float(np.mean(accuracy))}


def main(words: list[str]) -> None:
    """Print the shares."""
    print(json.dumps(coverage(photos(words[0]))))


if __name__ == "__main__":
    main(sys.argv[1:])

"""Which classes more photos would help most: how their recall has risen with the photos, told apart from chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

# A class stands out where it gains more than the average by so many standard errors.
_CLEARLY = 2.0
_LAST = 3  # sizes that a gain is measured over: before them the curve is steeper than it will go on


@dataclass(frozen=True, slots=True)
class ClassGain:
    """A class with its `photos` to learn from and the share `recall` found of them, out of fold.

    `gain` is what each of the last doublings of all photos has added to that share; `stands_out` says whether that is
    clearly more than the average class gained.
    """

    label: str
    photos: int
    recall: float
    gain: float
    stands_out: bool

    def to_json(self) -> dict[str, Any]:
        """All fields by name."""
        return asdict(self)


def class_gains(labels: Sequence[str], truth: np.ndarray, sizes: Sequence[int], wrong: np.ndarray) -> list[ClassGain]:
    """The classes, most gained first, from answers after learning from `sizes` (s,) records, rising, two or more.

    `wrong` float (s, n) holds 1 for a wrong answer, 0 for a right one, NaN where not asked; in its last row everything
    is asked. `truth` int (n,). A class of m photos needs m more to double, and holds m of all answers: so the errors
    saved for each photo added, of all errors, rank the classes just as `gain` does.
    """
    count = np.bincount(truth, minlength=len(labels))
    missed = np.bincount(truth, wrong[-1], len(labels))
    # Half a record on either side: a class of five that are all found is not known to be without errors.
    share = (missed + 0.5) / (count + 1)
    slope, variance = _slopes(truth, sizes[-_LAST:], wrong[-_LAST:], len(labels))
    gain, doubt = _shrunk(slope, variance, share, share * (1 - share) / (count + 1))
    usual = float(np.average(gain, weights=count))
    rows = [
        ClassGain(label, int(n), float(1 - lost / max(n, 1)), float(g), bool(g - usual > _CLEARLY * d))
        for label, n, lost, g, d in zip(labels, count, missed, gain, doubt, strict=True)
    ]
    return sorted(rows, key=lambda row: (-row.gain, row.label))


def _slopes(truth: np.ndarray, sizes: Sequence[int], wrong: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """What a doubling took off the error of each class (k,), and its variance; infinite where too few were asked.

    The slope of a line through the errors of the same records at every size; every record has one of its own.
    """
    both = ~np.isnan(wrong).any(axis=0)
    x = np.log2(np.asarray(sizes, dtype=np.float64))
    each = -((x - x.mean()) / ((x - x.mean()) ** 2).sum()) @ wrong[:, both]
    kind = truth[both]
    n = np.bincount(kind, minlength=k)
    mean = np.bincount(kind, each, k) / np.maximum(n, 1)
    # The spread within a class is taken from all: a class of ten records may show none by chance.
    within = float(((each - mean[kind]) ** 2).sum()) / max(1, len(each) - int((n > 0).sum()))
    return mean, np.where(n > 1, max(within, 1e-6) / np.maximum(n, 1), np.inf)


def _shrunk(
    slope: np.ndarray, variance: np.ndarray, share: np.ndarray, unsure: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The gains (k,), none below 0, and their standard errors: empirical Bayes (Efron and Morris, 1973).

    Expected of a class is a gain in proportion to its errors `share`, known up to the variance `unsure`, as power laws
    of one exponent have it. What was measured counts against that as far as the classes differ by more than chance.
    """
    weight = 1 / variance
    rate = max(0.0, float((weight * share * slope).sum() / max(float((weight * share**2).sum()), 1e-12)))
    expected = rate * share
    beyond = (slope - expected) ** 2 - np.where(np.isfinite(variance), variance, 0.0)
    between = max(0.0, float((weight * beyond).sum() / max(float(weight.sum()), 1e-12)))
    trust = between / (between + variance)
    gain = expected + trust * (slope - expected)
    doubt = np.sqrt(between * (1 - trust) + ((1 - trust) * rate) ** 2 * unsure)
    return gain.clip(0.0), doubt

"""Whether a part of the records is answered worse than the rest, class by class, and what looking at many parts costs.

Some classes are harder than others, and a part with many of them is no worse for it: so a part is compared with the
rest within each class alone, and what the classes say is added up (Cochran, 1954; Mantel and Haenszel, 1959).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

# Terms of a distribution this many times smaller than its largest one are dropped: it keeps a hundred thousand
# records at milliseconds, and no p that anyone reads depends on them.
_NEGLIGIBLE = 1e-30
_SMALLEST = 1e-15  # a p below it, which no double-precision sum would bear out, counts as this


@dataclass(frozen=True, eq=False)
class Strata:
    """Counts by class, int64 (k,) each: the records of the part and of all, and the wrong answers among both."""

    part: np.ndarray
    total: np.ndarray
    wrong_in_part: np.ndarray
    wrong: np.ndarray

    @classmethod
    def of(cls, truth: np.ndarray, wrong: np.ndarray, inside: np.ndarray) -> Strata:
        """Of n records with class numbers `truth` int (n,), `wrong` and `inside` bool (n,)."""
        k = int(truth.max()) + 1
        return cls(*(np.bincount(truth[chosen], minlength=k) for chosen in (inside, truth >= 0, inside & wrong, wrong)))

    @property
    def shared(self) -> np.ndarray:
        """The classes that both the part and the rest have, bool (k,)."""
        return (self.part > 0) & (self.part < self.total)

    @property
    def expected_wrong(self) -> float:
        """How many of the part would be wrong if those of each class were answered as the rest of it is.

        Classes that only the part has are counted as they are.
        """
        rest, wrong = self.total - self.part, self.wrong - self.wrong_in_part
        as_rest = self.part * wrong / np.maximum(rest, 1)
        return float(np.where(self.shared, as_rest, self.wrong_in_part).sum())


def excess(strata: Strata) -> float:
    """The p value of as many wrong answers in the part as there are, or more, if only chance put them there: 0..1.

    Given how many of each class are in the part and how many are wrong, the number of wrong ones in the part is a sum
    of hypergeometric numbers. Its distribution is added up exactly, so it holds for few errors too, where the normal
    approximation does not (Mehta, Patel and Gray, 1985). With one class it is Fisher's exact test, one-sided.

    >>> print(f"{excess(Strata(np.array([4]), np.array([8]), np.array([3]), np.array([4]))):.4f}")  # tea with milk
    0.2429
    """
    logs = _log_factorials(int(strata.total.max()))
    likely, start = np.ones(1), 0
    for part, everything, wrong in zip(strata.part.tolist(), strata.total.tolist(), strata.wrong.tolist(), strict=True):
        fewest, most = max(0, part - (everything - wrong)), min(part, wrong)
        start += fewest
        if most > fewest:
            terms, skipped = _trimmed(_hypergeometric(logs, part, everything, wrong, fewest, most))
            likely, more = _trimmed(np.convolve(likely, terms))
            start += skipped + more
    above = int(strata.wrong_in_part.sum()) - start
    return float(np.clip(likely[max(above, 0) :].sum() / likely.sum(), _SMALLEST, 1.0))


def deflated(p: float, effect: float) -> float:
    """A one-sided p for records of which every `effect` tell as much as one that stands alone.

    >>> print(f"{deflated(0.001, 1):.3f} {deflated(0.001, 4):.3f}")
    0.001 0.061
    """
    if effect == 1 or p >= 1:
        return p
    return NormalDist().cdf(NormalDist().inv_cdf(p) / math.sqrt(effect))


def scores(truth: np.ndarray, wrong: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """What each record adds to the excess of wrong answers in the part: float64 (n,), summing to it.

    Both what is wrong and what is inside are taken as distances from the mean of their class.
    """
    support = np.maximum(np.bincount(truth), 1)
    off = wrong - (np.bincount(truth, wrong) / support)[truth]
    return np.asarray(off * (inside - (np.bincount(truth, inside) / support)[truth]))


def holm(p: np.ndarray) -> np.ndarray:
    """p values (m,) adjusted for there being m of them, in their order (Holm, 1979).

    Of tests where all is chance, any is at or below 0.05 in at most 5 of 100 such families, however the tests hang
    together. The false discovery rate of Benjamini and Hochberg (1995) would find a little more, but promises nothing
    for tests that pull against each other, as the dark and the light photos do.

    >>> holm(np.array([0.01, 0.04, 0.03])).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def _log_factorials(n: int) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])


def _hypergeometric(logs: np.ndarray, part: int, everything: int, wrong: int, fewest: int, most: int) -> np.ndarray:
    """How likely `fewest` to `most` of the `wrong` are in the part: float64, relative to the likeliest."""
    x = np.arange(fewest, most + 1)
    right = everything - wrong
    log = -logs[x] - logs[wrong - x] - logs[part - x] - logs[right - part + x]
    return np.asarray(np.exp(log - log.max()))


def _trimmed(terms: np.ndarray) -> tuple[np.ndarray, int]:
    """`terms` without the negligible ones at both ends, and how many went at the beginning."""
    kept = np.flatnonzero(terms > terms.max() * _NEGLIGIBLE)
    return terms[kept[0] : kept[-1] + 1] / terms.max(), int(kept[0])

"""Where answers are worse: the judged records sliced by their traits, worst first, chance taken into account."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from finegraft.evaluation import metrics, stratified
from finegraft.evaluation.clusters import Clusters, inflation
from finegraft.evaluation.cuts import parts_of
from finegraft.evaluation.metrics import Metric
from finegraft.evaluation.result import Evaluation

FEWEST = 20  # records of a slice: with half of them right, the interval of its accuracy is 40 points wide already
FEWEST_GROUPS = 8  # of a slice, where records hang together: fewer say little of the next ones
# How often any slice at all may stand out where no trait makes a difference. Simulated with 19 slices and hard classes
# that hang on the traits, 200 or 400 evaluations each: 0.01 on 400 records, 0.035 on 2,000, at most 0.025 in 18 cases
# with 30 to 150 groups.
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Slice:
    """`n` judged records that share a trait, in `words` such as "brightness below 0.31".

    `rest` is the accuracy to compare theirs with: that of the other records whose trait is known, on as many of each
    class. `p` is how likely chance alone makes a slice at least so much worse; `adjusted` takes into account that many
    were looked at.
    """

    trait: str
    words: str
    n: int
    accuracy: Metric
    rest: float
    p: float
    adjusted: float

    @property
    def difference(self) -> float:
        """How much better than the rest, -1..1; negative where it is worse."""
        return self.accuracy.value - self.rest

    @property
    def stands_out(self) -> bool:
        """Whether it is worse than chance explains."""
        return self.adjusted <= LEVEL

    def to_json(self) -> dict[str, Any]:
        """A row of `slices` in run.json and `--json`."""
        told = self.accuracy.to_json()
        return {
            "trait": self.trait,
            "slice": self.words,
            "n": self.n,
            "accuracy": told["value"],
            "interval": told["interval"],
            "rest": self.rest,
            "p": self.p,
            "p_adjusted": self.adjusted,
            "stands_out": self.stands_out,
        }


def slices(evaluation: Evaluation) -> list[Slice]:
    """Every slice of at least 20 records with as many others to compare with: those that stand out first, worst first.

    A slice is compared within each class only (`stratified.excess`), one-sided: it is asked where answers are worse.
    Its p is adjusted by Holm's method, so that in 5 of 100 evaluations or less any slice stands out where no trait
    matters. Where the evaluation has groups, the p takes into account how much the answers in a group are alike
    (`clusters.inflation`), and a slice has at least 8 of them. The same evaluation gives the same slices, before and
    after it was saved.
    """
    clusters = Clusters.of(evaluation.groups)
    found = [one for trait in evaluation.traits for one in _of_trait(evaluation, trait, clusters)]
    adjusted = stratified.holm(np.array([one.p for one in found])).tolist()
    rated = [replace(one, adjusted=p) for one, p in zip(found, adjusted, strict=True)]
    return sorted(rated, key=lambda one: (not one.stands_out, one.difference, one.words))


def _of_trait(evaluation: Evaluation, trait: str, clusters: Clusters | None) -> list[Slice]:
    """The slices of one trait, their p not adjusted yet."""
    parts = parts_of(trait, evaluation.traits[trait], FEWEST)
    if len(parts) < 2:
        return []
    known = np.logical_or.reduce([part.inside for part in parts])
    truth, wrong = evaluation.truth[known], (evaluation.truth != evaluation.predicted)[known]
    tied = None if clusters is None else clusters.rows(known)
    found = []
    for part in parts:
        inside = part.inside[known]
        if _enough(inside, tied):
            strata = stratified.Strata.of(truth, wrong, inside)
            if strata.part[strata.shared].sum() >= FEWEST:
                found.append(_compared(trait, part.words, strata, truth, wrong, inside, tied))
    return found


def _enough(inside: np.ndarray, clusters: Clusters | None) -> bool:
    n = int(inside.sum())
    if n < FEWEST or len(inside) - n < FEWEST:
        return False
    return clusters is None or min(len(clusters.rows(inside)), len(clusters.rows(~inside))) >= FEWEST_GROUPS


def _compared(
    trait: str,
    words: str,
    strata: stratified.Strata,
    truth: np.ndarray,
    wrong: np.ndarray,
    inside: np.ndarray,
    clusters: Clusters | None,
) -> Slice:
    n = int(inside.sum())
    effect = inflation(stratified.scores(truth, wrong, inside), clusters)
    accuracy = metrics.share(~wrong[inside], None if clusters is None else clusters.rows(inside))
    p = stratified.deflated(stratified.excess(strata), effect)
    return Slice(trait, words, n, accuracy, 1 - strata.expected_wrong / n, p, p)

"""The headline numbers where a record may have several tags. Pure functions, each with its 95 % interval.

Throughout: `truth` and `answered` 0 or 1 (n, k), `probabilities` float (n, k), n and k at least 1. Micro figures pool
the tags of all records; macro figures are means over the tags that occur, so that a rare tag counts as much as a common
one. The answers to one record hang together, so micro intervals count by record, or by cluster where there are any.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from finegraft.evaluation import binary, estimates
from finegraft.evaluation.clusters import Clusters
from finegraft.evaluation.estimates import Estimate
from finegraft.evaluation.metrics import Metric


@dataclass(frozen=True, slots=True)
class TagScore:
    """One tag on its own: in the truth of `support` records, answered for `answered`.

    `auroc` and `average_precision` are None where all records have the tag or none has.
    """

    label: str
    support: int
    answered: int
    precision: Metric
    recall: Metric
    f1: Metric
    auroc: Metric | None
    average_precision: Metric | None


def headline(
    truth: np.ndarray, probabilities: np.ndarray, answered: np.ndarray, clusters: Clusters | None = None
) -> dict[str, Metric]:
    """By name: micro_ and macro_ precision, recall and f1, macro_auroc, macro_average_precision, exact_match,
    hamming_loss.

    `exact_match` is the share of records whose tags are all right, `hamming_loss` that of wrong answers among all of
    records times tags. What no tag allows is left out: macro_auroc where no tag tells two kinds of records apart.
    """
    found = {f"micro_{name}": estimate for name, estimate in _sharing(truth, answered).items()}
    occurs = np.nonzero(truth.any(axis=0) | answered.any(axis=0))[0]
    each = [_sharing(truth[:, [tag]], answered[:, [tag]]) for tag in occurs]
    if each:
        found |= {f"macro_{name}": estimates.mean([own[name] for own in each]) for name in each[0]}
    told = [tag for tag in occurs if 0 < truth[:, tag].sum() < len(truth)]
    for name, area in (("auroc", binary.auroc), ("average_precision", binary.average_precision)):
        if told:
            found[f"macro_{name}"] = estimates.mean([area(probabilities[:, tag], truth[:, tag]) for tag in told])
    ones = np.ones(len(truth))
    wrong = (truth != answered).sum(axis=1)
    found["exact_match"] = estimates.share((wrong == 0).astype(np.float64), ones)
    found["hamming_loss"] = estimates.share(wrong.astype(np.float64), ones * truth.shape[1])
    return {name: estimate.metric(clusters) for name, estimate in found.items()}


def per_tag(
    labels: tuple[str, ...],
    truth: np.ndarray,
    probabilities: np.ndarray,
    answered: np.ndarray,
    clusters: Clusters | None = None,
) -> tuple[TagScore, ...]:
    """Every tag on its own, in the order of `labels`."""
    return tuple(
        _scored(label, truth[:, tag], probabilities[:, tag], answered[:, tag], clusters)
        for tag, label in enumerate(labels)
    )


def _scored(
    label: str, truth: np.ndarray, scores: np.ndarray, answered: np.ndarray, clusters: Clusters | None
) -> TagScore:
    own = {name: found.metric(clusters) for name, found in _sharing(truth[:, None], answered[:, None]).items()}
    told = 0 < truth.sum() < len(truth)
    return TagScore(
        label=label,
        support=int(truth.sum()),
        answered=int(answered.sum()),
        auroc=binary.auroc(scores, truth).metric(clusters) if told else None,
        average_precision=binary.average_precision(scores, truth).metric(clusters) if told else None,
        **own,
    )


def _sharing(truth: np.ndarray, answered: np.ndarray) -> dict[str, Estimate]:
    """Precision, recall and F1 of some columns, pooled; 0 where nothing was answered, or nothing is there."""
    hits = (truth * answered).sum(axis=1).astype(np.float64)
    return {
        "precision": estimates.share(hits, answered.sum(axis=1).astype(np.float64)),
        "recall": estimates.share(hits, truth.sum(axis=1).astype(np.float64)),
        "f1": estimates.f1(truth, answered),
    }

"""Do answers still look like those a model was judged by? The population stability index of one figure of each answer.

The figure is how sure the answer is: the probability of a class, that of the likeliest tag; of a number, the number.
The judged ones are cut into parts of equal share, and the index compares these shares with those of later answers: the
sum of (later - judged) · ln(later / judged). By a rule of thumb of credit scoring, where it comes from, below 0.1
nothing changed and above 0.25 something did (Siddiqi, 2006, Credit Risk Scorecards).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from finegraft.evaluation.kinds import AnyEvaluation
from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.inference.prediction import AnyPrediction, NumberPrediction

_PARTS = 10
_FEWEST = 10  # judged records of a part: fewer say nothing of its share


def figures(evaluation: AnyEvaluation) -> np.ndarray:
    """The figure of every judged record, float64 (n,)."""
    if isinstance(evaluation, NumberEvaluation):
        return np.asarray(evaluation.predicted, np.float64)
    return np.asarray(evaluation.probabilities.max(axis=1), np.float64)


def figure(prediction: AnyPrediction) -> float:
    """That of an answer."""
    return prediction.value if isinstance(prediction, NumberPrediction) else prediction.ranking[0][1]


def usual(values: np.ndarray) -> dict[str, Any] | None:
    """What a bundle keeps of the judged `values` (n,): `edges` between the parts and the `shares` of these.

    None where there are too few for two parts, or all are the same.
    """
    parts = min(_PARTS, len(values) // _FEWEST)
    if parts < 2:
        return None
    # Edges that are values: so each part holds at least its lower one.
    edges = np.unique(np.quantile(values, np.arange(1, parts) / parts, method="lower"))
    edges = edges[edges > values.min()]
    if not len(edges):
        return None
    return {"edges": edges.tolist(), "shares": _shares(edges, values).tolist()}


def index(usually: dict[str, Any], values: np.ndarray) -> float:
    """The population stability index of `values` (m,) beside those that `usually` tells of; 0 where all is the same.

    A part in which nothing fell counts as if half an answer had.
    """
    expected = np.array(usually["shares"])
    found = np.maximum(_shares(np.array(usually["edges"]), values), 0.5 / len(values))
    return float(((found - expected) * np.log(found / expected)).sum())


def _shares(edges: np.ndarray, values: np.ndarray) -> np.ndarray:
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    return np.asarray(counts / len(values))

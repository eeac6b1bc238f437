"""Whether probabilities mean what they say, and how to make them.

A model is calibrated when, of the answers given with 80 %, 80 % are right. Everything here chooses something or
judges something: choose on out-of-fold scores, judge on records that chose nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from finegraft.errors import DataError, UsageError
from finegraft.targets import softmax

COLDEST, HOTTEST = 0.05, 20.0
BINS = 15  # Guo et al., 2017
FEWEST_PER_BIN = 25  # below it the noise of a bin (0.1 at 50 % right) drowns what is measured


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """Answers in bins of rising confidence; every bin holds at least one.

    `count` int64 (b,) answers, `right` int64 (b,) right ones, `confidence` float64 (b,) their mean top probability.
    """

    count: np.ndarray
    right: np.ndarray
    confidence: np.ndarray

    @property
    def accuracy(self) -> np.ndarray:
        """The share of right answers per bin, float64 (b,)."""
        return np.asarray(self.right / self.count)

    @property
    def error(self) -> float:
        """The expected calibration error: mean distance of confidence and accuracy over all answers, in 0..1."""
        return float(np.abs(self.count * self.confidence - self.right).sum() / self.count.sum())


def reliability(probabilities: np.ndarray, truth: np.ndarray, bins: int = BINS) -> Reliability:
    """Sort the answers by their top probability into `bins` bins of equal mass.

    Bins of equal mass have less bias than bins of equal width, most of which are empty for a good model (Nixon et
    al., 2019, "Measuring Calibration in Deep Learning"). Equal probabilities share a bin, so the order of the records
    does not matter; small sets get fewer bins, of at least 25 answers. `probabilities` (n, k), `truth` int (n,).
    """
    _need_records(truth)
    confidence = np.asarray(probabilities, dtype=np.float64).max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    bin_of = bins_of(confidence, bins)
    count = np.bincount(bin_of)
    filled = count > 0
    rights = np.bincount(bin_of[right], minlength=len(count))
    mean = np.bincount(bin_of, confidence)[filled] / count[filled]
    return Reliability(count[filled], rights[filled], mean.clip(0.0, 1.0))


def bins_of(confidence: np.ndarray, bins: int = BINS) -> np.ndarray:
    """The bin of every answer of the given `confidence`, float (n,), as `reliability` sorts them: int64 (n,)."""
    n = len(confidence)
    bins = min(bins, max(1, n // FEWEST_PER_BIN))
    return np.searchsorted(np.sort(confidence), confidence, side="left") * bins // n


def expected_calibration_error(probabilities: np.ndarray, truth: np.ndarray, bins: int = BINS) -> float:
    """The mean distance of confidence and accuracy, in 0..1; see `reliability` for the bins.

    Noise can only add to it: a perfectly calibrated model still gets 0.02 to 0.06 on 372 records (simulated).
    """
    return reliability(probabilities, truth, bins).error


def fit_temperature(scores: np.ndarray, truth: np.ndarray) -> float:
    """The temperature in 0.05..20 that makes `softmax(scores, temperature)` most likely to give `truth`.

    Guo et al., 2017, "On Calibration of Modern Neural Networks". One record with evenly spread truth is added to the
    n given ones (after Platt, 1999), so that scores which are all right do not become certainties: n right answers
    do not prove that the next one is. The loss is convex in 1/T; Newton's method within a shrinking bracket finds
    its minimum. `scores` (n, k) are out-of-fold scores before any temperature, `truth` int (n,).

    Raises `DataError` without records, or with scores that are not finite.
    """
    _need_records(truth)
    scores = np.asarray(scores, dtype=np.float64)
    if not np.isfinite(scores).all():
        raise DataError(
            "The scores hold values that are not finite numbers, so no temperature fits them.",
            "Training has probably diverged: use a lower learning rate.",
        )
    scores = scores - scores.max(axis=1, keepdims=True)
    if not scores.any():  # every class is equally likely at any temperature
        return 1.0
    spread = 1 / (len(truth) + 1)
    wanted = (1 - spread) * scores[np.arange(len(truth)), truth] + spread * scores.mean(axis=1)
    return 1 / _minimum(scores, wanted, 1 / HOTTEST, 1 / COLDEST)


def _minimum(scores: np.ndarray, wanted: np.ndarray, low: float, high: float) -> float:
    """The inverse temperature in low..high where the mean expected score equals the mean of `wanted`."""
    if _slope(scores, wanted, low)[0] >= 0:
        return low
    if _slope(scores, wanted, high)[0] <= 0:
        return high
    inverse = 1.0
    for _ in range(60):  # Newton needs 4 to 10; 60 halvings would exhaust the bracket's precision
        slope, curvature = _slope(scores, wanted, inverse)
        low, high = (low, inverse) if slope > 0 else (inverse, high)
        step = inverse - slope / curvature if curvature > 0 else low
        step = step if low < step < high else (low + high) / 2
        if abs(step - inverse) <= 1e-10 * inverse:
            break
        inverse = step
    return inverse


def _slope(scores: np.ndarray, wanted: np.ndarray, inverse: float) -> tuple[float, float]:
    """First and second derivative of the mean loss by the inverse temperature."""
    probabilities = softmax(scores * inverse)
    expected = (probabilities * scores).sum(axis=1)
    variance = (probabilities * scores**2).sum(axis=1) - expected**2
    return float((expected - wanted).mean()), float(variance.mean())


def unsure_below(probabilities: np.ndarray, truth: np.ndarray, wanted_error: float = 0.05) -> float:
    """The smallest top probability from which on at most `wanted_error` of the answers are wrong.

    Among the out-of-fold answers with a top probability at or above the threshold, the share of wrong ones is at
    most `wanted_error`; no lower threshold does it. 0.0 when all answers together do; 1.0 when no threshold does, so
    that nothing short of certainty counts as sure. `probabilities` (n, k), `truth` int (n,), out of fold.

    Raises `UsageError` when `wanted_error` is not in 0..1, `DataError` without records.
    """
    return sure_from(probabilities.max(axis=1), probabilities.argmax(axis=1) != truth, wanted_error)


def sure_from(certainty: np.ndarray, wrong: np.ndarray, wanted_error: float) -> float:
    """`unsure_below` of answers with any measure of `certainty`, float (n,) in 0..1, and which are `wrong`, bool (n,).

    Raises what that raises.
    """
    if not 0 <= wanted_error < 1:
        raise UsageError(f"The wanted error must be at least 0 and below 1, got {wanted_error}.", "Try 0.05.")
    _need_records(wrong)
    order = np.argsort(-certainty, kind="stable")
    confidence = certainty[order]
    wrong_so_far = np.cumsum(wrong[order])
    kept = np.arange(1, len(wrong) + 1)
    # A threshold keeps or drops equal probabilities together: only the last of each group can be one.
    ends = np.append(confidence[1:] != confidence[:-1], True)
    fits = np.nonzero(ends & (wrong_so_far <= wanted_error * kept + 1e-9))[0]
    if len(fits) == 0:
        return 1.0
    return 0.0 if fits[-1] == len(wrong) - 1 else float(confidence[fits[-1]])


def risk_coverage(probabilities: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The share of records answered, rising, and the share wrong among these, float64 (n,) each: surest answers first.

    The curve of El-Yaniv and Wiener, 2010, "On the Foundations of Noise-free Selective Classification".
    """
    order = np.argsort(-probabilities.max(axis=1), kind="stable")
    answered = np.arange(1, len(truth) + 1)
    wrong = np.cumsum((probabilities.argmax(axis=1) != truth)[order])
    return answered / len(truth), wrong / answered


def _need_records(truth: np.ndarray) -> None:
    if len(truth) == 0:
        raise DataError("There are no records to judge.", "Give at least one labelled record.")

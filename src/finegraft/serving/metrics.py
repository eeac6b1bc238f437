"""What the server counts, in the text format of Prometheus."""

from __future__ import annotations

import contextlib
import math
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from finegraft.inference.drift import figure, index
from finegraft.inference.prediction import AnyPrediction, Explanation, Prediction, PredictionError, TagsPrediction
from finegraft.serving.models import Loaded

TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_RECENT, _FEWEST = 500, 100  # answers that drift is told by
_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)


class Metrics:
    """Counters of one server; `waiting` says how many files are accepted and not yet answered."""

    def __init__(self, waiting: Callable[[], int]) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "finegraft_requests", "Requests by route and status", ["route", "status"], registry=self.registry
        )
        self.latency = Histogram(
            "finegraft_request_seconds", "From a request's first line to its answer", ["route"], buckets=_SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self.batches = Histogram(
            "finegraft_batch_files", "Files answered together", buckets=(1, 2, 4, 8, 16, 32, 64), registry=self.registry
        )
        self.answers = Counter("finegraft_answers", "Answers by label", ["model", "label"], registry=self.registry)
        self.unsure = Counter(
            "finegraft_unsure",
            "Answers a person should look at, by reason",
            ["model", "reason"],
            registry=self.registry,
        )
        self.errors = Counter(
            "finegraft_file_errors", "Files without an answer, by reason", ["model", "code"], registry=self.registry
        )
        self.probabilities = Histogram(
            "finegraft_probability", "Probability of the answer", ["model"], buckets=_SHARES, registry=self.registry
        )
        self._recent: dict[str, tuple[float, deque[float]]] = {}
        self.drift = Gauge(
            "finegraft_score_drift",
            f"Population stability index of how sure the last {_RECENT} answers are, beside the judged ones",
            ["model"],
            registry=self.registry,
        )
        Gauge("finegraft_queue_files", "Files waiting or being answered", registry=self.registry).set_function(waiting)

    def count(self, model: Loaded, answer: AnyPrediction | Explanation | PredictionError) -> None:
        """One answer of `model`."""
        if isinstance(answer, Explanation):
            answer = answer.prediction
        if isinstance(answer, PredictionError):
            self.errors.labels(model.name, answer.code).inc()
            return
        self._remember(model, figure(answer))
        if answer.unsure is not None:
            self.unsure.labels(model.name, answer.unsure).inc()
        if isinstance(answer, Prediction):
            self.answers.labels(model.name, answer.label).inc()
            self.probabilities.labels(model.name).observe(answer.probability)
        elif isinstance(answer, TagsPrediction):
            for label, _ in answer.labels:
                self.answers.labels(model.name, label).inc()

    def _remember(self, model: Loaded, sure: float) -> None:
        """Keep it among the last ones; a model that was swapped in begins anew, and one swapped out counts no more."""
        since, recent = self._recent.get(model.name, (-1.0, deque[float]()))
        if model.loaded_at < since:
            return
        if model.loaded_at > since:
            recent = deque(maxlen=_RECENT)
            self._recent[model.name] = model.loaded_at, recent
            with contextlib.suppress(KeyError):
                self.drift.remove(model.name)
            if (usually := model.predictor.description.get("scores")) is not None:
                self.drift.labels(model.name).set_function(lambda: _drift(usually, recent))
        recent.append(sure)

    def text(self) -> bytes:
        """All of it."""
        return generate_latest(self.registry)


def _drift(usually: dict[str, Any], recent: deque[float]) -> float:
    """Not a number until there are enough answers."""
    values = np.array(list(recent))
    return math.nan if len(values) < _FEWEST else index(usually, values)

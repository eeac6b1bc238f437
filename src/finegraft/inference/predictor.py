"""From file bytes to an answer: what a trained model is once it leaves the lab."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence, Sized
from contextlib import closing
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np

from finegraft.data.contents import read_content
from finegraft.errors import BundleError, UnreadableFile, UsageError
from finegraft.inference import choice
from finegraft.inference.engines import Engines
from finegraft.inference.prediction import CLOSE_CALL, Prediction, PredictionError
from finegraft.modality import Preprocess
from finegraft.runtimes import purpose_for
from finegraft.targets import Category

__all__ = ["Description", "Item", "Prediction", "PredictionError", "Predictor"]

Item = str | Path | bytes


class Description(TypedDict):
    """What a model says of itself, kept in its bundle; everything in it is JSON.

    `backbone` is its row of `finegraft.models.backbones`, with provenance and licence; `metrics` maps a name to
    {"value", "interval"} (two numbers or None), empty where nothing was judged. `judged_on` is the part of the data
    that gave them. `finegraft` is the version that wrote the bundle this was loaded from.
    """

    modality: str
    backbone: dict[str, Any]
    metrics: dict[str, dict[str, Any]]
    n_train: int | None
    n_judged: int | None
    judged_on: str | None
    finegraft: NotRequired[str]


class Predictor:
    """Answers from files or their bytes, the same whichever engine runs it; safe to use from many threads.

    `graph` is an ONNX model with the outputs `scores` (n, k), `features` and `map`; scores divided by `temperature`
    give calibrated probabilities. An answer below the probability `unsure_below` among all classes is unsure. `engine`
    is "auto" (the one that starts fastest for a few items, the fastest for many) or a name in
    `finegraft.runtimes.ENGINES`.

    >>> predictor = fg.load("flowers.fg")                                  # doctest: +SKIP
    >>> predictor.predict("rose.jpg").label                                # doctest: +SKIP
    'rose'
    """

    def __init__(
        self,
        graph: bytes,
        preprocess: Preprocess,
        target: Category,
        description: Description,
        *,
        temperature: float = 1.0,
        unsure_below: float = 0.0,
        engine: str = "auto",
        threads: int | None = None,
    ) -> None:
        self.preprocess = preprocess
        self.target = target
        self.description = description
        self.temperature = temperature
        self.unsure_below = unsure_below
        self.engines = Engines(graph, engine, threads)
        self._choice = choice.everything(target)

    def __repr__(self) -> str:
        backbone = self.description["backbone"].get("name", "?")
        return f"Predictor({self.description['modality']}, {len(self.labels)} answers, backbone {backbone})"

    @property
    def graph(self) -> bytes:
        """The ONNX model."""
        return self.engines.graph

    @property
    def labels(self) -> tuple[str, ...]:
        """The possible answers, in the order of `probabilities`."""
        return self._choice.labels

    def predict(self, item: Item) -> Prediction:
        """The answer for one file or its bytes. Raises `UnreadableFile` with a code and a reason."""
        x = self._load(item)
        scores = self.engines.get("start").run(x[None])["scores"][0]
        return self._prediction(item, self._checked(scores))

    def predict_many(
        self, items: Iterable[Item], workers: int | None = None
    ) -> Generator[Prediction | PredictionError, None, None]:
        """An answer or an error for each item, in their order; reading and inference overlap.

        `items` may be endless. `workers` threads (default as in `features.pipeline.run_all`) take an item each.
        """
        with closing(self._scores(items, workers)) as answers:
            for item, scores in answers:
                if isinstance(scores, UnreadableFile):
                    yield PredictionError(_path_of(item), scores.code, str(scores))
                else:
                    yield self._prediction(item, scores)

    def probabilities(
        self, items: Iterable[Item], workers: int | None = None
    ) -> Generator[np.ndarray | UnreadableFile, None, None]:
        """For each item the probabilities of `labels`, float64 (k,), or why it cannot be read: what scoring needs."""
        with closing(self._scores(items, workers)) as answers:
            for _, scores in answers:
                if isinstance(scores, UnreadableFile):
                    yield scores
                else:
                    yield self._choice.probabilities(scores, self.temperature)

    def among(self, labels: Sequence[str]) -> Predictor:
        """This predictor with only these classes to choose from; a single one is answered with "yes" or "no".

        Several classes share the whole probability. A single one is "yes" where it comes first among all classes,
        and its probability is its own. Whether an answer is unsure is judged on probabilities among all classes, as
        `unsure_below` was learned: that of the answer where there are several, so an item like none of them is
        unsure; that of the first of all classes for "yes" and "no". Raises `UsageError` for an unknown name, with the
        nearest known one.
        """
        restricted = Predictor.__new__(Predictor)
        restricted.__dict__.update(self.__dict__)
        restricted._choice = choice.among(self.target, labels)
        return restricted

    def save(self, path: str | Path) -> None:
        """Write the bundle `path`, whole or not at all; see `finegraft.inference.bundle.save`."""
        from finegraft.inference import bundle

        if self._choice != choice.everything(self.target):
            raise UsageError("A bundle holds all classes of a model.", "Save the one that .among() was called on.")
        bundle.save(self, path)

    def _scores(
        self, items: Iterable[Item], workers: int | None
    ) -> Generator[tuple[Item, np.ndarray | UnreadableFile], None, None]:
        from finegraft.features.pipeline import run_all  # one photo needs no threads

        runtime = self.engines.get(purpose_for(len(items) if isinstance(items, Sized) else None))
        with closing(run_all(items, self._load, runtime, workers)) as answers:
            for item, outputs in answers:
                yield item, outputs if isinstance(outputs, UnreadableFile) else self._checked(outputs["scores"])

    def _load(self, item: Item) -> np.ndarray:
        return self.preprocess.load(item if isinstance(item, bytes) else read_content(Path(item)))

    def _checked(self, scores: np.ndarray) -> np.ndarray:
        """The scores of one item, refused where no honest answer can be made of them."""
        if scores.shape != (len(self.target),):
            raise BundleError(
                f"The model gives scores of shape {scores.shape} for {len(self.target)} classes.", "Export it again."
            )
        if not np.isfinite(scores).all():
            raise BundleError("The model's scores are not finite numbers.", "Train it again, with a lower rate.")
        return scores

    def _prediction(self, item: Item, scores: np.ndarray) -> Prediction:
        probabilities = self._choice.probabilities(scores, self.temperature)
        answer = self._choice.answer(scores, probabilities)
        order = np.argsort(-probabilities, kind="stable")
        if order[0] != answer:  # yes or no: the answer may have the smaller part
            order = order[::-1]
        names = map(self.labels.__getitem__, order.tolist())
        ranking = tuple(zip(names, probabilities[order].tolist(), strict=True))
        label, probability = ranking[0]
        unsure = CLOSE_CALL if self._choice.certainty(scores, self.temperature) < self.unsure_below else None
        return Prediction(label, probability, ranking, unsure, _path_of(item))


def _path_of(item: Item) -> str | None:
    return None if isinstance(item, bytes) else str(item)

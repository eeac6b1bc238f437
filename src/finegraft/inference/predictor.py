"""From file bytes to an answer: what a trained model is once it leaves the lab."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence, Sized
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, NotRequired, TypedDict

import numpy as np

from finegraft.data.contents import read_content
from finegraft.errors import BundleError, UnreadableFile, UsageError
from finegraft.inference import choice
from finegraft.inference.engines import Engines
from finegraft.inference.prediction import CLOSE_CALL, UNLIKE_TRAINING, Prediction, PredictionError
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


class Judgement(NamedTuple):
    """What a model makes of one item: `probabilities` float64 (k,) of its labels, and its `novelty`.

    Above 1 an item is unlike the training data; None where the model cannot tell.
    """

    probabilities: np.ndarray
    novelty: float | None


class _Raw(NamedTuple):
    scores: np.ndarray
    novelty: float | None


class Predictor:
    """Answers from files or their bytes, the same whichever engine runs it; safe to use from many threads.

    `graph` is an ONNX model with the outputs `scores` (n, k), `features`, `map` and, where it can tell what is unlike
    its training data, `novelty` (n,); scores divided by `temperature` give calibrated probabilities. An answer is
    unsure ("unlike training") above a novelty of 1, and ("close call") below the probability `unsure_below` among all
    classes. `engine` is "auto" (the one that starts fastest for a few items, the fastest for many) or a name in
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

    @property
    def tells_novelty(self) -> bool:
        """Whether it can tell what is unlike its training data."""
        return "novelty" in self.engines.get("start").outputs

    def predict(self, item: Item) -> Prediction:
        """The answer for one file or its bytes. Raises `UnreadableFile` with a code and a reason."""
        x = self._load(item)
        outputs = self.engines.get("start").run(x[None])
        return self._prediction(item, self._checked({name: values[0] for name, values in outputs.items()}))

    def predict_many(
        self, items: Iterable[Item], workers: int | None = None
    ) -> Generator[Prediction | PredictionError, None, None]:
        """An answer or an error for each item, in their order; reading and inference overlap.

        `items` may be endless. `workers` threads (default as in `features.pipeline.run_all`) take an item each.
        """
        with closing(self._raw(items, workers)) as answers:
            for item, raw in answers:
                if isinstance(raw, UnreadableFile):
                    yield PredictionError(_path_of(item), raw.code, str(raw))
                else:
                    yield self._prediction(item, raw)

    def judgements(
        self, items: Iterable[Item], workers: int | None = None
    ) -> Generator[Judgement | UnreadableFile, None, None]:
        """For each item what the model makes of it, or why it cannot be read, in their order: what scoring needs."""
        with closing(self._raw(items, workers)) as answers:
            for _, raw in answers:
                if isinstance(raw, UnreadableFile):
                    yield raw
                else:
                    yield Judgement(self._choice.probabilities(raw.scores, self.temperature), raw.novelty)

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

    def save(self, path: str | Path, chapters: Mapping[str, str] | None = None) -> None:
        """Write the bundle `path`, whole or not at all; see `finegraft.inference.bundle.save`."""
        from finegraft.inference import bundle

        if self._choice != choice.everything(self.target):
            raise UsageError("A bundle holds all classes of a model.", "Save the one that .among() was called on.")
        bundle.save(self, path, chapters)

    def _raw(
        self, items: Iterable[Item], workers: int | None
    ) -> Generator[tuple[Item, _Raw | UnreadableFile], None, None]:
        from finegraft.features.pipeline import run_all  # one photo needs no threads

        runtime = self.engines.get(purpose_for(len(items) if isinstance(items, Sized) else None))
        with closing(run_all(items, self._load, runtime, workers)) as answers:
            for item, outputs in answers:
                yield item, outputs if isinstance(outputs, UnreadableFile) else self._checked(outputs)

    def _load(self, item: Item) -> np.ndarray:
        return self.preprocess.load(item if isinstance(item, bytes) else read_content(Path(item)))

    def _checked(self, outputs: Mapping[str, np.ndarray]) -> _Raw:
        """What the graph says of one item, refused where no honest answer can be made of it."""
        scores, novelty = outputs["scores"], outputs.get("novelty")
        if scores.shape != (len(self.target),):
            raise BundleError(
                f"The model gives scores of shape {scores.shape} for {len(self.target)} classes.", "Export it again."
            )
        if not np.isfinite(scores).all():
            raise BundleError("The model's scores are not finite numbers.", "Train it again, with a lower rate.")
        if novelty is None:
            return _Raw(scores, None)
        if novelty.shape != () or not np.isfinite(novelty):
            raise BundleError("The model's novelty is not one finite number an item.", "Export it again.")
        return _Raw(scores, float(novelty))

    def _prediction(self, item: Item, raw: _Raw) -> Prediction:
        scores = raw.scores
        probabilities = self._choice.probabilities(scores, self.temperature)
        answer = self._choice.answer(scores, probabilities)
        order = np.argsort(-probabilities, kind="stable")
        if order[0] != answer:  # yes or no: the answer may have the smaller part
            order = order[::-1]
        names = map(self.labels.__getitem__, order.tolist())
        ranking = tuple(zip(names, probabilities[order].tolist(), strict=True))
        label, probability = ranking[0]
        return Prediction(label, probability, ranking, self._doubt(raw), _path_of(item))

    def _doubt(self, raw: _Raw) -> str | None:
        """The reason to ask a person. What is unlike anything learned from has no class to be close to."""
        if raw.novelty is not None and raw.novelty > 1:
            return UNLIKE_TRAINING
        return CLOSE_CALL if self._choice.certainty(raw.scores, self.temperature) < self.unsure_below else None


def _path_of(item: Item) -> str | None:
    return None if isinstance(item, bytes) else str(item)

"""From file bytes to an answer: what a trained model is once it leaves the lab."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence, Sized
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, NotRequired, TypedDict

import numpy as np

from finegraft import modality
from finegraft.data.contents import read_content
from finegraft.errors import BundleError, UnreadableFile, UsageError
from finegraft.inference import choice
from finegraft.inference.answering import OneClass, SeveralTags, answering_of
from finegraft.inference.engines import Engines
from finegraft.inference.heat import Head, direction_of, heat
from finegraft.inference.prediction import AnyPrediction, Explanation, Prediction, PredictionError
from finegraft.modality import Preprocess
from finegraft.runtimes import purpose_for
from finegraft.targets import Category, Number, Tags, Target

__all__ = ["Description", "Item", "Prediction", "PredictionError", "Predictor"]

Item = str | Path | bytes


class Description(TypedDict):
    """What a model says of itself, kept in its bundle; everything in it is JSON.

    `backbone` is its row of `finegraft.models.backbones`, with provenance and licence; `metrics` maps a name to
    {"value", "interval"} (two numbers or None), empty where nothing was judged. `judged_on` is the part of the data
    that gave them. `finegraft` is the version that wrote the bundle this was loaded from. `precision` is that of the
    network's numbers, "float32" where it is not given. `scores` are the shares of judged answers by how sure they were
    (`finegraft.inference.drift`).
    """

    modality: str
    backbone: dict[str, Any]
    metrics: dict[str, dict[str, Any]]
    n_train: int | None
    n_judged: int | None
    judged_on: str | None
    finegraft: NotRequired[str]
    precision: NotRequired[Literal["float32", "int8"]]
    scores: NotRequired[dict[str, Any]]


class Certainty(TypedDict, total=False):
    """How sure answers may be, as `Predictor` takes it: what its target has no use for is not given."""

    temperature: float
    unsure_below: float
    thresholds: tuple[float, ...] | None
    platt: tuple[tuple[float, float], ...] | None
    half_width: float | None
    spread: float


class Judgement(NamedTuple):
    """What a model makes of one item: `values` float64, the probabilities (k,) of its labels or the number (1,), and
    its `novelty`.

    Above 1 an item is unlike the training data; None where the model cannot tell.
    """

    values: np.ndarray
    novelty: float | None


class _Raw(NamedTuple):
    scores: np.ndarray
    novelty: float | None


class Predictor:
    """Answers from files or their bytes, the same whichever engine runs it; safe to use from many threads.

    `graph` is an ONNX model with the outputs `scores` (n, k), `features`, `map` and, where it can tell what is unlike
    its training data, `novelty` (n,). An answer is unsure ("unlike training") above a novelty of 1.

    - For a `Category` scores divided by `temperature` give calibrated probabilities, and an answer below the
      probability `unsure_below` among all classes is unsure ("close call").
    - For `Tags` the sigmoid of a score times a slope plus a shift is a tag's probability: those in `platt`, a pair for
      each tag (default: the score itself). A tag is answered at or above its one of `thresholds` (default: 0.5), and an
      answer is a close call where any tag is nearer to its threshold than `unsure_below`.
    - For a `Number` the score is the answer, and `half_width` reaches to either side of it; `spread` is that of the
      numbers it learned, the measure of what is a small difference.

    `engine` is "auto" (the one that starts fastest for a few items, the fastest for many) or a name in
    `finegraft.runtimes.ENGINES`.

    >>> predictor = fg.load("flowers.fg")                                  # doctest: +SKIP
    >>> predictor.predict("rose.jpg").label                                # doctest: +SKIP
    'rose'
    """

    def __init__(
        self,
        graph: bytes,
        preprocess: Preprocess,
        target: Target,
        description: Description,
        *,
        temperature: float = 1.0,
        unsure_below: float = 0.0,
        thresholds: tuple[float, ...] | None = None,
        platt: tuple[tuple[float, float], ...] | None = None,
        half_width: float | None = None,
        spread: float = 1.0,
        engine: str = "auto",
        threads: int | None = None,
    ) -> None:
        self.preprocess = preprocess
        self.target = target
        self.description = description
        self.temperature = temperature
        self.unsure_below = unsure_below
        self.half_width = half_width
        self.spread = spread
        self.engines = Engines(graph, engine, threads)
        self._answering = answering_of(target, temperature, unsure_below, thresholds, platt, half_width)

    def __repr__(self) -> str:
        backbone = self.description["backbone"].get("name", "?")
        answers = "a number" if not self.labels else f"{len(self.labels)} {'tags' if self.thresholds else 'answers'}"
        return f"Predictor({self.description['modality']}, {answers}, backbone {backbone})"

    @property
    def graph(self) -> bytes:
        """The ONNX model."""
        return self.engines.graph

    @property
    def labels(self) -> tuple[str, ...]:
        """The possible answers, in the order of their probabilities; none where a number is answered."""
        return self._answering.labels

    @property
    def thresholds(self) -> tuple[float, ...] | None:
        """From which probability on each tag is answered; None where the target is no tags."""
        return self._answering.thresholds if isinstance(self._answering, SeveralTags) else None

    @property
    def platt(self) -> tuple[tuple[float, float], ...] | None:
        """Slope and shift of each tag's score; None where the target is no tags."""
        return self._answering.platt if isinstance(self._answering, SeveralTags) else None

    @property
    def tells_novelty(self) -> bool:
        """Whether it can tell what is unlike its training data."""
        return "novelty" in self.engines.get("start").outputs

    def predict(self, item: Item) -> AnyPrediction:
        """The answer for one file or its bytes. Raises `UnreadableFile` with a code and a reason."""
        return self._prediction(item, self._asked(item))

    def explain(self, item: Item) -> Explanation:
        """The answer for one file or its bytes, and the places that spoke for it (`finegraft.inference.heat`).

        Of tags it is the likeliest one that is explained. Raises `UnreadableFile`, and `UsageError` for a model that
        cannot tell where it looked.
        """
        content = item if isinstance(item, bytes) else read_content(Path(item))
        outputs = self._outputs(content)
        prediction = self._prediction(item, self._checked(outputs))
        return Explanation(prediction, self._overlaid(content, outputs))

    def explain_batch(self, items: Sequence[bytes]) -> list[Explanation | PredictionError]:
        """As `explain` for each of a few contents, an error for what cannot be read."""
        rows: list[Explanation | PredictionError] = []
        for item in items:
            try:
                rows.append(self.explain(item))
            except UnreadableFile as error:
                rows.append(PredictionError(None, error.code, str(error)))
        return rows

    def judgement(self, item: Item) -> Judgement:
        """What the model makes of one file or its bytes. Raises `UnreadableFile` with a code and a reason."""
        raw = self._asked(item)
        return Judgement(self._answering.values(raw.scores), raw.novelty)

    def predict_many(
        self, items: Iterable[Item], workers: int | None = None
    ) -> Generator[AnyPrediction | PredictionError, None, None]:
        """An answer or an error for each item, in their order; reading and inference overlap.

        `items` may be endless. `workers` threads (default as in `features.pipeline.run_all`) take an item each.
        """
        with closing(self._raw(items, workers)) as answers:
            for item, raw in answers:
                yield self._answer(item, raw)

    def predict_batch(self, items: Sequence[Item], alone: bool = False) -> list[AnyPrediction | PredictionError]:
        """An answer or an error for each of a few items, computed together on the calling thread.

        `alone` says that nothing else is asked meanwhile: all processors then work on them, where
        `engines.open_for_one` was called.
        """
        from finegraft.features.pipeline import answered  # as in `_raw`

        runtime = self.engines.for_one() if alone else self.engines.get("throughput")
        answers = answered(items, self._load, runtime)
        return [self._answer(item, x if isinstance(x, UnreadableFile) else self._checked(x)) for item, x in answers]

    def judgements(
        self, items: Iterable[Item], workers: int | None = None
    ) -> Generator[Judgement | UnreadableFile, None, None]:
        """For each item what the model makes of it, or why it cannot be read, in their order: what scoring needs."""
        with closing(self._raw(items, workers)) as answers:
            for _, raw in answers:
                if isinstance(raw, UnreadableFile):
                    yield raw
                else:
                    yield Judgement(self._answering.values(raw.scores), raw.novelty)

    def among(self, labels: Sequence[str]) -> Predictor:
        """This predictor with only these classes to choose from; a single one is answered with "yes" or "no".

        Several classes share the whole probability. A single one is "yes" where it comes first among all classes,
        and its probability is its own. Whether an answer is unsure is judged on probabilities among all classes, as
        `unsure_below` was learned: that of the answer where there are several, so an item like none of them is
        unsure; that of the first of all classes for "yes" and "no". Raises `UsageError` for an unknown name, with the
        nearest known one, and where the model answers with tags or a number.
        """
        if not isinstance(self.target, Category):
            kind = "several tags, each by itself" if isinstance(self.target, Tags) else "a number"
            raise UsageError(f"This model answers with {kind}: there is nothing to choose among.", "Ask without it.")
        restricted = Predictor.__new__(Predictor)
        restricted.__dict__.update(self.__dict__)
        restricted._answering = OneClass(choice.among(self.target, labels), self.temperature, self.unsure_below)
        return restricted

    def with_graph(self, graph: bytes, engine: str = "auto") -> Predictor:
        """This predictor with another network that gives the same outputs, run by `engine`."""
        other = Predictor.__new__(Predictor)
        other.__dict__.update(self.__dict__)
        other.__dict__.pop("_head", None)
        other.engines = Engines(graph, engine, self.engines.threads)
        return other

    def save(
        self,
        path: str | Path,
        chapters: Mapping[str, str] | None = None,
        own: Mapping[str, bytes] | None = None,
    ) -> None:
        """Write the bundle `path`, whole or not at all; see `finegraft.inference.bundle.save`."""
        from finegraft.inference import bundle

        if isinstance(self._answering, OneClass) and not self._answering.choice.is_whole:
            raise UsageError("A bundle holds all classes of a model.", "Save the one that .among() was called on.")
        bundle.save(self, path, chapters, own)

    def _raw(
        self, items: Iterable[Item], workers: int | None
    ) -> Generator[tuple[Item, _Raw | UnreadableFile], None, None]:
        from finegraft.features.pipeline import run_all  # one photo needs no threads

        runtime = self.engines.get(purpose_for(len(items) if isinstance(items, Sized) else None))
        with closing(run_all(items, self._load, runtime, workers)) as answers:
            for item, outputs in answers:
                yield item, outputs if isinstance(outputs, UnreadableFile) else self._checked(outputs)

    def _asked(self, item: Item) -> _Raw:
        return self._checked(self._outputs(item))

    def _outputs(self, item: Item) -> dict[str, np.ndarray]:
        outputs = self.engines.get("start").run(self._load(item)[None])
        return {name: values[0] for name, values in outputs.items()}

    @cached_property
    def _head(self) -> Head:
        return Head.of(self.graph)

    def _overlaid(self, content: bytes, outputs: Mapping[str, np.ndarray]) -> bytes:
        """The heat map of the likeliest class or tag, or of the number, as a picture."""
        if "map" not in outputs:
            raise UsageError("This model's backbone has no last map: it cannot tell where it looked.")
        direction = direction_of(outputs["scores"], None if self.platt is None else np.array(self.platt))
        found = heat(self._head, outputs["features"], outputs["map"], direction)
        return modality.get(self.description["modality"]).overlay(content, self.preprocess, found)

    def _load(self, item: Item) -> np.ndarray:
        return self.preprocess.load(item if isinstance(item, bytes) else read_content(Path(item)))

    def _checked(self, outputs: Mapping[str, np.ndarray]) -> _Raw:
        """What the graph says of one item, refused where no honest answer can be made of it."""
        scores, novelty = outputs["scores"], outputs.get("novelty")
        wanted = 1 if isinstance(self.target, Number) else len(self.target)
        if scores.shape != (wanted,):
            raise BundleError(
                f"The model gives scores of shape {scores.shape} for {_wanted(self.target)}.", "Export it again."
            )
        if not np.isfinite(scores).all():
            raise BundleError("The model's scores are not finite numbers.", "Train it again, with a lower rate.")
        if novelty is None:
            return _Raw(scores, None)
        if novelty.shape != () or not np.isfinite(novelty):
            raise BundleError("The model's novelty is not one finite number an item.", "Export it again.")
        return _Raw(scores, float(novelty))

    def _answer(self, item: Item, raw: _Raw | UnreadableFile) -> AnyPrediction | PredictionError:
        if isinstance(raw, UnreadableFile):
            return PredictionError(_path_of(item), raw.code, str(raw))
        return self._prediction(item, raw)

    def _prediction(self, item: Item, raw: _Raw) -> AnyPrediction:
        strange = raw.novelty is not None and raw.novelty > 1
        return self._answering.prediction(raw.scores, strange, _path_of(item))


def _wanted(target: Target) -> str:
    """What a model is to answer: "3 classes"."""
    if isinstance(target, Number):
        return "a number"
    return f"{len(target)} {'classes' if isinstance(target, Category) else 'tags'}"


def _path_of(item: Item) -> str | None:
    return None if isinstance(item, bytes) else str(item)

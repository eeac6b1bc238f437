"""A model in 8-bit integers: accepted where it is as good on the judged photos and faster here, else refused.

Processors without instructions for it may be slower with integers, or saturate; some networks lose points. So nothing
is believed: every form is judged on the photos the run was judged on, by every engine installed, and timed beside
single precision. Where the whole body in integers loses too much, the layers that cost most stay as they are, a few,
then more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from finegraft.errors import ExportError, UnreadableFile
from finegraft.evaluation import comparison, versus
from finegraft.evaluation.kinds import AnyEvaluation
from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.evaluation.paired import Difference
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.run import Run
from finegraft.exporting.quantising import Quantised, quantised
from finegraft.exporting.still_there import StillThere, learned_from
from finegraft.inference.fastest import answers, processor
from finegraft.inference.predictor import Predictor
from finegraft.runtimes import available, open_graph
from finegraft.runtimes.cpus import usable_cpus

DROP = 0.005  # of the share of right answers; of a number's mean error, in spreads of those learned from
GAIN = 1.1  # times as many photos a second: less is not worth another file
SHOWN = 200  # training photos that show the ranges
FEWEST, FEWEST_JUDGED = 10, 50  # photos it takes to show the ranges, and to tell what is lost
JUDGED = 2000
_SHARES = (0.1, 0.25, 0.5)  # of the layers that stay in single precision, where none must not
_PROBED = 32  # photos by which layers are ranked
_ROUNDS, _SECONDS = 5, 0.3

Quantise = Callable[[bytes, Sequence[np.ndarray]], Quantised]


@dataclass(frozen=True)
class Speed:
    """How many times as many items a second the 8-bit form answers, each form by the engine that runs it best: the
    median of rounds in turn, the least and the most.
    """

    ratio: float
    low: float
    high: float
    engine: str
    engine_before: str

    def to_json(self) -> dict[str, Any]:
        """As in `export --json`, with the processor."""
        return {**vars(self), "processor": processor()}


@dataclass(frozen=True, eq=False)
class Trial:
    """One form: `graph`, and how it did. `figure` names what decides, `before` and `after` are its values,
    `difference` what was lost (negative) or won; `evaluation` is that of the engine that does worse.
    """

    graph: Quantised
    layers: int
    evaluation: AnyEvaluation
    figure: str
    before: float
    after: float
    difference: Difference
    loss: float
    speed: Speed

    @property
    def as_good(self) -> bool:
        """Whether it loses no more than `DROP`."""
        return self.loss <= DROP

    @property
    def faster(self) -> bool:
        """Whether it answers `GAIN` times as many, and more in every round."""
        return self.speed.ratio >= GAIN and self.speed.low > 1

    @property
    def words(self) -> str:
        """How it did, for people."""
        kept = self.layers - len(self.graph.layers)
        how = f"{len(self.graph.layers)} of {self.layers} layers in integers" if kept else "all layers in integers"
        changed = (self.before, self.after, self.difference.value, *self.difference.interval)
        if self.figure == "mae":
            lost = "mean absolute error {:.4g} before, {:.4g} after ({:+.2g}, {:+.2g} to {:+.2g})".format(*changed)
        else:
            points = (100 * value for value in changed)
            named = self.figure.replace("_", " ")
            lost = named + " {:.1f} % before, {:.1f} % after ({:+.1f} points, {:+.1f} to {:+.1f})".format(*points)
        return f"{how}: {lost}, {self.speed.ratio:.2f} times as many photos a second ({self.speed.engine})"

    def to_json(self) -> dict[str, Any]:
        """What `export --json` and a bundle's model.json say of it."""
        return {
            "integer_layers": len(self.graph.layers),
            "layers": self.layers,
            "figure": self.figure,
            "before": self.before,
            "after": self.after,
            "difference": self.difference.to_json(),
            "speed": self.speed.to_json(),
        }


def converted(
    predictor: Predictor, run: Run, judged: StillThere, quantise: Quantise = quantised
) -> tuple[Predictor, Trial]:
    """`predictor` with an integer body, and the trial it passed.

    Raises `ExportError` where no form is as good and faster here, with what each one did, and where too few photos are
    there to find out.
    """
    photos = _shown(predictor, run)
    if len(judged) < FEWEST_JUDGED or len(photos) < FEWEST:
        raise ExportError(
            f"An 8-bit form needs {FEWEST} photos that the run learned from and {FEWEST_JUDGED} that it was judged on; "
            f"{len(photos)} and {len(judged)} are there.",
            "Fewer cannot tell what is lost: export without --int8.",
        )
    judged = judged.at_most(JUDGED)
    whole = quantise(predictor.graph, photos)
    trials, ranked = [], list[str]()
    for share in (0.0, *_SHARES):
        if share and not ranked:
            ranked = sensitive(whole, photos[:_PROBED])
        form = whole.but(ranked[: math.ceil(share * len(ranked))])
        trial = _tried(predictor, form, len(whole.layers), judged, photos[0])
        trials.append(trial)
        if not trial.faster:
            break  # with more layers as they are it is no faster
        if trial.as_good:
            return _made(predictor, trial, judged), trial
    raise ExportError(
        f"An 8-bit form of this model is refused: it must not lose more than half a point on {len(judged)} judged "
        f"photos and answer {GAIN} times as many photos a second here. {'; '.join(row.words for row in trials)}.",
        "Nothing was written. Export without --int8.",
    )


def sensitive(form: Quantised, photos: Sequence[np.ndarray]) -> list[str]:
    """Its layers, first those whose integers move the scores of `photos` most."""
    wanted = _scores(form.plain, photos)

    def left(layer: str) -> float:
        """How far scores are off once `layer` is exact."""
        return float(np.square(_scores(form.but([layer]).content, photos) - wanted).mean())

    return sorted(form.layers, key=left)


def _scores(graph: bytes, photos: Sequence[np.ndarray]) -> np.ndarray:
    runtime = open_graph(graph)
    return np.concatenate([runtime.run(photo[None])["scores"] for photo in photos])


def _shown(predictor: Predictor, run: Run) -> list[np.ndarray]:
    photos = []
    for path in learned_from(run, SHOWN):
        try:
            photos.append(predictor.preprocess.load(path.read_bytes()))
        except (OSError, UnreadableFile):  # gone since it was listed
            continue
    return photos


def _tried(predictor: Predictor, form: Quantised, layers: int, judged: StillThere, photo: np.ndarray) -> Trial:
    """How `form` does, by the engine that does worse."""
    speed = _speed(form.content, predictor.graph, photo)
    found = [_judged(predictor, form, layers, judged, engine, speed) for engine in available()]
    return max(found, key=lambda trial: trial.loss)


def _judged(predictor: Predictor, form: Quantised, layers: int, judged: StillThere, engine: str, speed: Speed) -> Trial:
    """How `form` does by `engine`."""
    candidate = predictor.with_graph(form.content, engine)
    rows = []
    for path, answer in zip(judged.paths, candidate.judgements(judged.paths), strict=True):
        if isinstance(answer, UnreadableFile):
            raise ExportError(f"{path} could be read before, and cannot be now: {answer.reason}", "Export it again.")
        rows.append(answer.values)
    assert judged.evaluation is not None
    before, after = judged.evaluation, judged.answered(np.array(rows))
    figure, difference = _compared(before, after)
    loss = difference.value / predictor.spread if figure == "mae" else -difference.value
    was, is_now = (side.metrics()[figure].value for side in (before, after))
    return Trial(form, layers, after, figure, was, is_now, difference, loss, speed)


def _compared(before: AnyEvaluation, after: AnyEvaluation) -> tuple[str, Difference]:
    """What decides, and how it changed."""
    if isinstance(before, Evaluation) and isinstance(after, Evaluation):
        return "accuracy", comparison.compare(before, after).accuracy
    if isinstance(before, NumberEvaluation) and isinstance(after, NumberEvaluation):
        return "mae", versus.of_numbers(before, after).difference
    return "exact_match", versus.of_tags(before, after).difference  # type: ignore[arg-type]


def _speed(graph: bytes, before: bytes, photo: np.ndarray) -> Speed:
    threads = usable_cpus()
    forms = {"before": before, "after": graph}
    opened = {
        (form, engine): open_graph(content, engine, "throughput", threads, threads)
        for form, content in forms.items()
        for engine in available()
    }
    rates: dict[tuple[str, str], list[float]] = {which: [] for which in opened}
    for runtime in opened.values():
        runtime.run(photo[None])
    for _ in range(_ROUNDS):
        for which, runtime in opened.items():
            rates[which].append(answers(runtime, photo, _SECONDS))
    best = {form: max(available(), key=lambda engine: median(rates[form, engine])) for form in forms}
    ones, others = rates["after", best["after"]], rates["before", best["before"]]
    ratios = [one / other for one, other in zip(ones, others, strict=True)]
    return Speed(median(ratios), min(ratios), max(ratios), best["after"], best["before"])


def _made(predictor: Predictor, trial: Trial, judged: StillThere) -> Predictor:
    """The predictor of the form that passed, described by what it was judged to be."""
    made = predictor.with_graph(trial.graph.content)
    made.description = {
        **predictor.description,
        "metrics": trial.evaluation.summary_json()["metrics"],
        "n_judged": len(judged),
        "precision": "int8",
    }
    return made

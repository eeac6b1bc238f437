"""A number per record: how far off the answers are, in which direction, and where."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from finegraft.evaluation import estimates
from finegraft.evaluation.metrics import Metric
from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.reporting import axes, photos, verdict, wording
from finegraft.reporting.axes import BARK, BOTTOM, HEIGHT, LEAF, LEFT, SOFT, TOP, WIDTH, Axis, Figure
from finegraft.reporting.markup import Child, Html, join, name, tag
from finegraft.reporting.material import Material
from finegraft.reporting.measures import short
from finegraft.reporting.page import Column, Section, answer, figure, paragraph, section, table, term

_SHOWN = 1500  # points of a scatter: more would hide each other and fill the file
_BARS = 24
_EDGE = 24  # right of a figure without labels at its end
_WORST = 12

# name -> (what it is called, what it means)
_METRICS: dict[str, tuple[str, str]] = {
    "mae": ("Mean error", "How far off an answer is on average, whatever the direction (MAE)."),
    "rmse": ("Root mean square error", "The same, with large errors counting more (RMSE)."),
    "median_absolute_error": ("Median error", "Half of the answers are nearer than this."),
    "mean_error": ("Mean difference", "Above 0 where it answers too much on average, below where too little."),
    "r2": ("R²", "1 is perfect, 0 no better than always answering the mean, below 0 worse."),
}


def numbers_of(material: Material) -> NumberEvaluation:
    """The evaluation of numbers that a page is made from."""
    if not isinstance(material.judged, NumberEvaluation):
        raise TypeError(f"A {type(material.judged).__name__} tells nothing of numbers.")
    return material.judged


def title(material: Material) -> str:
    """What the page is called."""
    return verdict.title(material, f"off by {short(numbers_of(material).metrics()['mae'].value)} on average")


def sections(material: Material) -> list[Section]:
    """The answers furthest off, the figures of merit, answers against truths, the interval, and the residuals."""
    evaluation = numbers_of(material)
    return [_worst(material), _merits(evaluation), *_promised(material), _residuals(evaluation)]


def wanted(material: Material) -> Iterator[str]:
    """The keys of the photos to prepare."""
    evaluation = numbers_of(material)
    yield from (evaluation.keys[row] for row in evaluation.largest(_WORST))


def against(evaluation: NumberEvaluation) -> Figure:
    """What was answered against what is, a point for each record; on the line the two are equal."""
    rows = _sample(len(evaluation))
    truth, predicted = evaluation.truth[rows], evaluation.predicted[rows]
    low, high = _room(float(min(truth.min(), predicted.min())), float(max(truth.max(), predicted.max())))
    x, y = Axis(low, high, LEFT, WIDTH - _EDGE), Axis(low, high, HEIGHT - BOTTOM, TOP)
    r2 = evaluation.metrics().get("r2")
    title = "All truths are equal" if r2 is None else _explained(r2.value)
    parts = [
        *_frame(x, y, "answered", "is"),
        axes.line(x.at(low), y.at(low), x.at(high), y.at(high), SOFT),
        *_points(x, y, truth, predicted),
    ]
    note = f"A point is a record; on the line the answer is right.{_left_out(len(evaluation), len(rows))}"
    return Figure(title, note, axes.drawing(WIDTH, HEIGHT, title, f"{title}. Answers against truths.", parts))


def residuals_by_answer(evaluation: NumberEvaluation) -> Figure:
    """The residual against the answer: a slope or a fan shows where the errors come from."""
    rows = _sample(len(evaluation))
    predicted, residual = evaluation.predicted[rows], evaluation.residuals[rows]
    x = Axis(*_room(float(predicted.min()), float(predicted.max())), LEFT, WIDTH - _EDGE)
    reach = float(np.abs(residual).max())
    y = Axis(*_room(-reach, reach), HEIGHT - BOTTOM, TOP)
    title = _trend(evaluation)
    parts = [
        *_frame(x, y, "residual: answered less what is", "answered"),
        axes.line(x.start, y.at(0), x.end, y.at(0), SOFT),
        *_points(x, y, predicted, residual),
    ]
    note = f"Above the line too much was answered, below too little.{_left_out(len(evaluation), len(rows))}"
    return Figure(title, note, axes.drawing(WIDTH, HEIGHT, title, f"{title}. Residuals against answers.", parts))


def spread(evaluation: NumberEvaluation) -> Figure:
    """How many records have which residual, the outermost 1 in 100 gathered in the bars at the ends."""
    residual = evaluation.residuals
    reach = float(np.quantile(np.abs(residual), 0.99)) or 1.0
    counts, edges = np.histogram(residual.clip(-reach, reach), bins=_BARS, range=(-reach, reach))
    x = Axis(-reach, reach, LEFT, WIDTH - _EDGE)
    y = Axis(0, float(counts.max()) * 1.05, HEIGHT - BOTTOM, TOP)
    middle = evaluation.residual_quantiles()
    title = f"Half of the residuals lie between {short(middle[0.25])} and {short(middle[0.75])}"
    bars = [
        _bar(x.at(left), x.at(right), y.at(count), y.start)
        for left, right, count in zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True)
        if count
    ]
    whole = axes.ticks(0, float(counts.max()), 4, whole=True)
    parts = [
        axes.vertical(y, x, whole, short, "records"),
        axes.horizontal(x, HEIGHT - BOTTOM, [(t, short(t)) for t in axes.ticks(-reach, reach, 5)], "residual"),
        *bars,
        axes.line(x.at(0), y.start, x.at(0), y.end, SOFT),
    ]
    note = "The residual is what was answered less what is."
    return Figure(title, note, axes.drawing(WIDTH, HEIGHT, title, f"{title}. A histogram of residuals.", parts))


def header(material: Material) -> Html:
    """The page's header."""
    evaluation = numbers_of(material)
    mae, base = evaluation.metrics()["mae"], evaluation.baseline()["mae"]
    between: list[Child] = [] if mae.interval is None else [tag("span", _range(mae), class_="range")]
    usual, asked = f"Off by {short(mae.value)} on average ", verdict.asked_for(material)
    unseen = " it has not seen" if material.settings else ""
    judged = f"Judged on {material.counted(len(evaluation))}{unseen}. "
    lead = f"Always answering their mean would be off by {short(base)}. "
    return tag(
        "header",
        verdict.eyebrow(material),
        *(asked or [tag("h1", usual, *between)]),
        tag("p", judged, lead, verdict.left_out(material), class_="lead"),
        *([paragraph(f"{usual.strip()} ({_range(mae)}).")] if asked else []),
        paragraph(f"A range holds the true figure in 95 of 100 such measurements.{verdict.looks(material)}"),
        *verdict.what_next(material),
    )


def _promised(material: Material) -> list[Section]:
    """How often the interval around an answer holds the truth; nothing where no interval is known."""
    width = material.settings.get("half_width")
    if not isinstance(width, int | float):
        return []
    evaluation = numbers_of(material)
    held = (np.abs(evaluation.residuals) <= width).astype(np.float64)
    share = estimates.share(held, np.ones(len(held))).metric(evaluation.clusters)
    words = answer(
        f"Every answer comes with an interval of ±{short(float(width))}. It was made to hold the true number in "
        f"90 of 100 cases; here it holds {wording.percent(share.value)} "
        f"({wording.percent_range(share.interval or (0.0, 1.0))})."
    )
    how = paragraph(
        "Its width is the error that 90 of 100 answers to the training part did not exceed, each given by a model that "
        f"had not seen that {material.noun}. It is the same for all answers, and promises nothing for {material.noun}s "
        "unlike those learned from."
    )
    return [section("interval", "How far to trust it", words, how)]


def _merits(evaluation: NumberEvaluation) -> Section:
    found, base = evaluation.metrics(), evaluation.baseline()
    rows: list[list[Child]] = [
        [
            join([called, tag("span", meaning, class_="note")]),
            wording.decimal(found[key].value) if key == "r2" else short(found[key].value),
            _range(found[key], wording.decimal if key == "r2" else short),
            short(base[key]) if key in base else "–",
        ]
        for key, (called, meaning) in _METRICS.items()
        if key in found
    ]
    columns = [Column("Measure"), *(Column(head, True) for head in ("Value", term("Interval"), "Always the mean"))]
    why = paragraph(evaluation.summary_json()["intervals"]["why"])
    return section("merits", "How good", table("Figures of merit", columns, rows), figure(against(evaluation)), why)


def _residuals(evaluation: NumberEvaluation) -> Section:
    drawn = tag("div", figure(spread(evaluation)), figure(residuals_by_answer(evaluation)), class_="beside")
    columns = [Column("Of the records"), Column("have a residual below", True)]
    rows: list[list[Child]] = [
        [f"{100 * share:g}\u00a0%", short(value)] for share, value in evaluation.residual_quantiles().items()
    ]
    quantiles = table("Quantiles of the residuals", columns, rows)
    return section("residuals", "Which way it errs", answer(_direction(evaluation)), drawn, quantiles)


def _worst(material: Material) -> Section:
    evaluation = numbers_of(material)
    words = paragraph("The answers furthest off come first. Look here for wrong numbers: the model may be right.")
    if material.root is not None:
        shown = tag("ul", *(_photo(material, evaluation, row) for row in evaluation.largest(_WORST)), class_="photos")
        return section("worst", "Furthest off", words, shown)
    rows: list[list[Child]] = [
        [name(evaluation.keys[row]), *(short(float(found[row])) for found in _three(evaluation))]
        for row in evaluation.largest(_WORST)
    ]
    heads = ("Is", "Answered", "Residual")
    columns = [Column(material.noun.capitalize()), *(Column(head, True) for head in heads)]
    return section("worst", "Furthest off", words, table("The largest residuals", columns, rows))


def _three(evaluation: NumberEvaluation) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return evaluation.truth, evaluation.predicted, evaluation.residuals


def _photo(material: Material, evaluation: NumberEvaluation, row: int) -> Html:
    key = evaluation.keys[row]
    truth, said, off = (short(float(found[row])) for found in _three(evaluation))
    return tag(
        "li",
        material.album.photo(key, key),
        tag("span", "is ", tag("strong", truth)),
        tag("span", f"said {said}, off by {off}"),
        photos.named(key, small=False),
    )


def _direction(evaluation: NumberEvaluation) -> str:
    found = evaluation.metrics()["mean_error"]
    low, high = found.interval or (-math.inf, math.inf)
    if low <= 0 <= high:
        return "It errs both ways alike: the mean difference cannot be told from 0."
    way = "too much" if found.value > 0 else "too little"
    return f"On average it answers {way}, by {short(abs(found.value))} ({_range(found)})."


def _explained(r2: float) -> str:
    if r2 <= 0:
        return "It is no better than always answering the mean"
    return f"It explains {wording.percent(r2)} of how the truths differ"


def _trend(evaluation: NumberEvaluation) -> str:
    """Whether the size of the residuals goes with the answers (Spearman's rank correlation above 0.3)."""
    sizes, answers = np.abs(evaluation.residuals), evaluation.predicted
    if len(evaluation) < 10 or np.ptp(answers) == 0 or np.ptp(sizes) == 0:
        return "Residuals against answers"
    first, second = (np.argsort(np.argsort(each, kind="stable"), kind="stable") for each in (answers, sizes))
    found = float(np.corrcoef(first, second)[0, 1])
    if abs(found) <= 0.3:
        return "Errors are of one size wherever the answer lies"
    return f"The {'larger' if found > 0 else 'smaller'} the answer, the further off it is"


def _frame(x: Axis, y: Axis, up: str, across: str) -> list[Html]:
    return [
        axes.vertical(y, x, axes.ticks(y.low, y.high, 5), short, up),
        axes.horizontal(x, HEIGHT - BOTTOM, [(t, short(t)) for t in axes.ticks(x.low, x.high, 5)], across),
    ]


def _bar(left: float, right: float, top: float, ground: float) -> Html:
    return tag("rect", x=left + 1, y=top, width=right - left - 2, height=ground - top, fill=LEAF)


def _points(x: Axis, y: Axis, across: np.ndarray, up: np.ndarray) -> list[Html]:
    pairs = zip(across.tolist(), up.tolist(), strict=True)
    return [tag("circle", cx=x.at(a), cy=y.at(b), r=3, fill=BARK, fill_opacity=0.45) for a, b in pairs]


def _sample(n: int) -> np.ndarray:
    """The rows that are drawn: all, or 1,500 by chance."""
    return np.arange(n) if n <= _SHOWN else np.sort(np.random.default_rng(0).choice(n, _SHOWN, replace=False))


def _left_out(n: int, shown: int) -> str:
    return "" if shown == n else f" {shown:,} of {n:,} are drawn, by chance."


def _room(low: float, high: float) -> tuple[float, float]:
    room = 0.04 * (high - low) or 0.04 * abs(high) or 1.0
    return low - room, high + room


def _range(metric: Metric, written: Callable[[float], str] = short) -> str:
    return "–" if metric.interval is None else " to ".join(map(written, metric.interval))

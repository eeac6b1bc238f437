"""What a Dataset, an LRCurve, an evaluation and a prediction, of any target, look like in a notebook.

A notebook has colours of its own, light or dark, which its output cannot ask for: so each is a sheet of our paper, with
the light tokens. The style reaches nothing outside of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finegraft import modality
from finegraft.data.dataset import Dataset
from finegraft.errors import FinegraftError
from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.tags import TagsEvaluation
from finegraft.inference.prediction import NumberPrediction, Prediction, TagsPrediction
from finegraft.reporting import wording
from finegraft.reporting.bars import share_bar, share_ruler
from finegraft.reporting.figures import lr_curve
from finegraft.reporting.leading import leading
from finegraft.reporting.markup import Child, Html, join, name, tag
from finegraft.reporting.matrix import confusion_matrix
from finegraft.reporting.measures import short
from finegraft.reporting.numeric import against
from finegraft.reporting.page import picture

if TYPE_CHECKING:
    from finegraft.training.lr_finder import LRCurve

_SIDE = 112  # pixels of a photo beside its answers, and of the photos of a dataset
_SHOWN_CLASSES = 12
_SHOWN_ANSWERS = 5
_SHEET = "finegraft-sheet"
_STYLE = f"""
.{_SHEET} {{ background: #fbfaf6; color: #1c211d; padding: 1rem 1.25rem; max-width: 46rem; font: 14px/1.5 system-ui,
  sans-serif; font-variant-numeric: tabular-nums; color-scheme: light; }}
.{_SHEET} p {{ margin: 0 0 0.6rem; }}
.{_SHEET} .first {{ font-size: 1.375rem; line-height: 1.3; font-weight: 600; }}
.{_SHEET} .soft {{ color: #5b635c; }}
.{_SHEET} .attention {{ color: #8a4f1d; }}
.{_SHEET} table {{ border-collapse: collapse; margin: 0 0 0.75rem; color: inherit; font-size: inherit; }}
.{_SHEET} td {{ padding: 0.15rem 1rem 0.15rem 0; border: 0; text-align: left; background: none; color: inherit; }}
.{_SHEET} td.number {{ text-align: right; }}
.{_SHEET} svg {{ display: block; max-width: 100%; height: auto; }}
.{_SHEET} svg.bar {{ width: 9rem; height: 0.5rem; }}
.{_SHEET} img {{ height: {_SIDE}px; width: auto; max-width: 100%; margin: 0 0.4rem 0.4rem 0; }}
.{_SHEET} .beside {{ display: flex; gap: 1.25rem; align-items: flex-start; flex-wrap: wrap; }}
"""


def html_of(shown: Any) -> str:
    """The sheet for `shown`. Raises `TypeError` for what is none of these."""
    draw = _DRAW.get(type(shown).__name__)
    if draw is None:
        raise TypeError(f"A notebook shows {', '.join(_DRAW)}, not a {type(shown).__name__}.")
    return tag("div", Html(f"<style>{_STYLE}</style>"), *draw(shown), class_=_SHEET).text


def _dataset(data: Dataset) -> list[Html]:
    left_out = len(data.left_out)
    words: list[Child] = [wording.count(len(data.usable), "record")]
    words.append(f" of {wording.count(len(data.classes), 'class')}" if data.classes else ", labelled with numbers")
    rest = f"{wording.count(left_out, 'file')} left out." if left_out else ""
    kinds: dict[str, int] = {}
    for finding in data.findings:
        kinds[finding.kind] = kinds.get(finding.kind, 0) + 1
    found = "Found: " + ", ".join(f"{kind} {number:,}" for kind, number in kinds.items()) + "." if kinds else ""
    parts = ", ".join(f"{part} {len(data.part(part)):,}" for part in sorted(data.given_splits))  # type: ignore[arg-type]
    return [
        tag("p", *words, class_="first"),
        tag("p", " ".join(filter(None, [f"Parts: {parts}." if parts else "", rest, found])), class_="soft"),
        _counts(data.counts()),
        _one_of_each(data),
    ]


def _counts(counts: Mapping[str, int]) -> Html:
    if not counts:
        return Html("")
    largest = max(counts.values())
    rows = [
        tag("tr", tag("td", name(label)), tag("td", f"{n:,}", class_="number"), tag("td", share_bar(n / largest)))
        for label, n in list(counts.items())[:_SHOWN_CLASSES]
    ]
    more = len(counts) - _SHOWN_CLASSES
    rest = tag("p", f"and {wording.count(more, 'class')} more", class_="soft") if more > 0 else Html("")
    return join([tag("table", *rows), rest])


def _one_of_each(data: Dataset) -> Html:
    """A photo of each of the first classes."""
    first = {record.classes[0]: record for record in reversed(data.usable) if record.classes}
    chosen = [first[label] for label in data.classes if label in first][:_SHOWN_CLASSES]
    shown = [_photo(data.root / record.key, data.modality, record.classes[0]) for record in chosen]
    return tag("div", *shown)


def _curve(curve: LRCurve) -> list[Html]:
    drawn = lr_curve(curve.lrs, curve.losses, curve.suggestion, curve.reason)
    if drawn is None:
        return [tag("p", f"Learning rate {wording.rate(curve.suggestion)}", class_="first"), tag("p", curve.reason)]
    return [tag("p", drawn.title, class_="first"), drawn.svg, tag("p", drawn.note, class_="soft")]


def _evaluation(evaluation: Evaluation) -> list[Html]:
    first = leading(evaluation)
    value, interval = first.metric.value, first.metric.interval
    between = f" ({wording.percent_range(interval)})" if interval else ""
    on = f"on {wording.count(len(evaluation), 'record')} it has not learned from."
    drawn = confusion_matrix(evaluation.confusion_matrix(), evaluation.labels)
    return [
        tag("p", f"{wording.percent(value)} {first.word}", tag("span", between, class_="soft"), class_="first"),
        tag("p", on, class_="soft"),
        share_ruler(value, interval, first.guess, first.word),
        tag("p", drawn.title),
        drawn.svg,
    ]


def _prediction(prediction: Prediction) -> list[Html]:
    return _shown(prediction.path, prediction.label, prediction.unsure, prediction.ranking)


def _shown(path: str | None, said: str, reason: str | None, ranking: Sequence[tuple[str, float]]) -> list[Html]:
    """The photo, where its file is known, with the answer and the first of the ranking."""
    unsure = tag("p", f"unsure: {reason}", class_="attention") if reason else Html("")
    rows = [
        tag("tr", tag("td", name(label)), tag("td", share_bar(p)), tag("td", wording.percent(p), class_="number"))
        for label, p in ranking[:_SHOWN_ANSWERS]
    ]
    photo = Html("") if path is None else _photo(Path(path), "vision", said)
    answers = tag("div", tag("p", name(said), class_="first"), unsure, *([tag("table", *rows)] if rows else []))
    return [tag("div", photo, answers, class_="beside")]


def _tags_prediction(prediction: TagsPrediction) -> list[Html]:
    said = ", ".join(label for label, _ in prediction.labels) or "no tag"
    return _shown(prediction.path, said, prediction.unsure, prediction.ranking)


def _number_prediction(prediction: NumberPrediction) -> list[Html]:
    ends = "" if prediction.interval is None else f" ({' to '.join(map(short, prediction.interval))})"
    return _shown(prediction.path, f"{short(prediction.value)}{ends}", prediction.unsure, ())


def _judged_tags(evaluation: TagsEvaluation) -> list[Html]:
    exact = evaluation.metrics()["exact_match"]
    between = tag("span", f" ({wording.percent_range(exact.interval)})" if exact.interval else "", class_="soft")
    on = f"on {wording.count(len(evaluation), 'record')} it has not learned from."
    first = tag("p", f"{wording.percent(exact.value)} with all tags right", between, class_="first")
    return [first, tag("p", on, class_="soft"), share_ruler(exact.value, exact.interval, None, "all right")]


def _judged_numbers(evaluation: NumberEvaluation) -> list[Html]:
    mae = evaluation.metrics()["mae"]
    between = f" ({' to '.join(map(short, mae.interval))})" if mae.interval else ""
    on = f"on {wording.count(len(evaluation), 'record')} it has not learned from."
    first = tag("p", f"Off by {short(mae.value)} on average", tag("span", between, class_="soft"), class_="first")
    drawn = against(evaluation)
    return [first, tag("p", on, class_="soft"), tag("p", drawn.title), drawn.svg]


def _photo(path: Path, kind: str, described: str) -> Html:
    """A small picture of the file; nothing where it is gone, or no picture can be made of it."""
    try:
        content = modality.get(kind).thumbnail(path.read_bytes(), 2 * _SIDE)
    except (OSError, FinegraftError):
        return Html("")
    return picture(content, described) or Html("")


_DRAW: dict[str, Callable[[Any], list[Html]]] = {
    "Dataset": _dataset,
    "LRCurve": _curve,
    "Evaluation": _evaluation,
    "TagsEvaluation": _judged_tags,
    "NumberEvaluation": _judged_numbers,
    "Prediction": _prediction,
    "TagsPrediction": _tags_prediction,
    "NumberPrediction": _number_prediction,
}

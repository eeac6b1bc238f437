"""What the model card tells beyond the predictor itself: the chapters that only the run knows, as Markdown.

Nothing of the photos comes along, no path of the machine and no file name: a card travels with the model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from finegraft.evaluation.growth import LearningCurve
from finegraft.evaluation.numbers import NumberEvaluation
from finegraft.evaluation.recalls import Recall, of_classes
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.tags import TagsEvaluation
from finegraft.inference.card import plain
from finegraft.reporting import wording
from finegraft.reporting.material import Material
from finegraft.targets import Category, Number, Tags

_MOST = 100  # classes with a row of their own
_PARTS = {"train": "learned from", "validation": "watched", "test": "judged", "held-out": "judged, held out by chance"}


def chapters(material: Material) -> dict[str, str]:
    """Heading -> Markdown, in the order of a card; a chapter that has nothing to say is left out."""
    told = {
        "The data": _data(material),
        **_KINDS[material.judged.target.kind](material),
        "Where it is worse": _slices(material),
        "What more photos would bring": _growth(material),
        "How it was trained": _training(material),
    }
    return {heading: text for heading, text in told.items() if text}


def _data(material: Material) -> str:
    data = material.dataset
    if data is None:
        return ""
    parts: Counter[str] = Counter(record.split for record in data.usable if record.split is not None)
    counts = [f"{parts[part]:,} {use}" for part, use in _PARTS.items() if parts[part]]
    lines = [f"{material.counted(len(data.usable))}: {', '.join(counts)}."]
    reasons = Counter(str(row.get("kind")) for row in material.settings.get("finding_rows", ()))
    if data.left_out:
        lines.append(f"{wording.count(len(data.left_out), 'file')} left out, none of them replaced by anything.")
    if reasons:
        lines.append(f"Found by the check: {', '.join(f'{plain(kind)} {n:,}' for kind, n in reasons.items())}.")
    leaked = material.part("leakage")
    if isinstance(leaked.get("records"), int):
        lines.append(f"{material.counted(leaked['records'])} judged have a copy among those learned from.")
        without = leaked.get("accuracy_without")
        lines += [f"Without them {wording.percent(without['value'])} are right."] if without else []
    return "\n".join(f"- {line}" for line in lines)


def _of_classes(material: Material) -> dict[str, str]:
    return {"Class by class": _classes(material), "How sure it is": _sureness(material)}


def _of_tags(material: Material) -> dict[str, str]:
    """Every tag on its own, the worst first, with the threshold from which on it is answered."""
    evaluation = material.judged
    if not isinstance(evaluation, TagsEvaluation):
        return {}
    cuts = dict(zip(evaluation.labels, np.asarray(evaluation.thresholds).tolist(), strict=True))
    rows = sorted(evaluation.per_tag(), key=lambda score: (score.f1.value, score.label))[:_MOST]
    lines = ["| tag | judged | found | right when named | F1 | answered from |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {plain(score.label)} | {score.support:,} | {wording.percent(score.recall.value)} | "
        f"{wording.percent(score.precision.value)} | {wording.percent(score.f1.value)} | {cuts[score.label]:.3f} |"
        for score in rows
    ]
    told: dict[str, Any] = material.part("calibration").get("out_of_fold") or {}
    wanted = float(material.part("unsure").get("wanted_error", 0.05))
    sure = (
        f"- {wording.percent(told['close_calls'])} of the answers are called a close call; of the others at most "
        f"{wording.percent(wanted)} have a wrong tag {material.unseen}."
    )
    return {"Tag by tag": "\n".join(lines), "How sure it is": sure if told else ""}


def _of_numbers(material: Material) -> dict[str, str]:
    """Where the numbers learned from lie, and how often the interval held."""
    data, width = material.dataset, material.settings.get("half_width")
    learned = [r.label for r in data.part("train") if isinstance(r.label, float)] if data is not None else []
    told = {"Where its numbers lie": f"- From {min(learned):.4g} to {max(learned):.4g}." if learned else ""}
    evaluation = material.judged
    if isinstance(width, int | float) and isinstance(evaluation, NumberEvaluation):
        held = float((np.abs(evaluation.residuals) <= width).mean())
        told["How sure it is"] = (
            f"- The interval of {width:.4g} to either side, made to hold the true number in 90 of 100 cases, held "
            f"{wording.percent(held)} of those judged."
        )
    return told


def _classes(material: Material) -> str:
    rows = sorted(of_classes(material.evaluation), key=lambda recall: (recall.value, recall.judged))
    lines = ["| class | judged | found | 95 % interval |", "|---|---|---|---|", *map(_recall, rows[:_MOST])]
    more = len(rows) - _MOST
    return "\n".join(lines) + (f"\n\nand {more:,} more classes, found more often than these." if more > 0 else "")


def _recall(row: Recall) -> str:
    between = wording.percent_range(row.interval)
    return f"| {plain(row.label)} | {row.judged:,} | {wording.percent(row.value)} | {between} |"


def _sureness(material: Material) -> str:
    told: dict[str, Any] = material.part("calibration").get("out_of_fold") or {}
    if not told:
        return ""
    wanted = float(material.part("unsure").get("wanted_error", 0.05))
    lines = [
        f"A stated probability is off by {wording.percent(told['ece']['value'])} on average, measured "
        f"{material.unseen}.",
        f"{wording.percent(told['close_calls'])} of such answers are called a close call; of the others at most "
        f"{wording.percent(wanted)} are wrong {material.unseen}.",
    ]
    if told.get("unlike_training") is not None:
        lines.append(
            f"{wording.percent(told['unlike_training'])} of the training photos are as unlike the rest as what is "
            "called unlike training."
        )
    return "\n".join(f"- {line}" for line in lines)


def _slices(material: Material) -> str:
    rows = [row for row in material.settings.get("slices") or () if row.get("stands_out")]
    return "\n".join(
        f"- {plain(row['slice'])}: {wording.percent(row['accuracy'])} right of {row['n']:,}, "
        f"where comparable ones are at {wording.percent(row['rest'])}."
        for row in rows
    )


def _growth(material: Material) -> str:
    stored = material.part("learning_curve")
    if not stored:
        return ""
    twice = LearningCurve.from_json(dict(stored)).twice
    if twice is None:
        return str(stored.get("reason") or "")
    between = wording.percent_range(twice.interval)
    return f"With {material.counted(twice.photos)} to learn from, expect {wording.percent(twice.accuracy)} ({between})."


def _training(material: Material) -> str:
    settings = material.settings
    if not settings:
        return ""
    chosen = material.part("settings")
    facts = {
        "head": chosen.get("head"),
        "learning rate": wording.rate(float(settings["lr"])) if settings.get("lr") else None,
        "epochs": chosen.get("epochs"),
        "seed": chosen.get("seed"),
        "class weights": settings.get("class_weights_reason") if isinstance(material.judged, Evaluation) else None,
        "engine": settings.get("engine"),
        "finegraft": settings.get("finegraft"),
        "made": str(settings.get("created", ""))[:10],
    }
    return "\n".join(f"- {name}: {plain(value)}" for name, value in facts.items() if value not in (None, ""))


_KINDS: dict[str, Callable[[Material], dict[str, str]]] = {
    Category.kind: _of_classes,
    Tags.kind: _of_tags,
    Number.kind: _of_numbers,
}

"""What the model card tells beyond the predictor itself: the chapters that only the run knows, as Markdown.

Nothing of the photos comes along, no path of the machine and no file name: a card travels with the model.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from finegraft.evaluation.growth import LearningCurve
from finegraft.evaluation.recalls import Recall, of_classes
from finegraft.inference.card import plain
from finegraft.reporting import wording
from finegraft.reporting.material import Material

_MOST = 100  # classes with a row of their own
_PARTS = {"train": "learned from", "validation": "watched", "test": "judged", "held-out": "judged, held out by chance"}


def chapters(material: Material) -> dict[str, str]:
    """Heading -> Markdown, in the order of a card; a chapter that has nothing to say is left out."""
    told = {
        "The data": _data(material),
        "Class by class": _classes(material),
        "How sure it is": _sureness(material),
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
        f"A stated probability is off by {wording.percent(told['ece']['value'])} on average, measured out of fold.",
        f"{wording.percent(told['close_calls'])} of such answers are called a close call; of the others at most "
        f"{wording.percent(wanted)} are wrong out of fold.",
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
        "class weights": settings.get("class_weights_reason"),
        "engine": settings.get("engine"),
        "finegraft": settings.get("finegraft"),
        "made": str(settings.get("created", ""))[:10],
    }
    return "\n".join(f"- {name}: {plain(value)}" for name, value in facts.items() if value not in (None, ""))

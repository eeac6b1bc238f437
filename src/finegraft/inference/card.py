"""The text of `card.md`: what a bundle predicts, how well, from what, and what it cannot do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from finegraft.inference.predictor import Predictor
from finegraft.targets import Category, Number, Tags, Target

_JUDGED_ON = {
    "test": "the given test part",
    "validation": "the given validation part",
    "held-out": "a part held out of training",
}
_LIMITS = {
    Category.kind: "It answers with one of its classes whatever it is shown, also when none of them fits.",
    Tags.kind: "It knows no other tags, and answers with none where none seems to fit.",
    Number.kind: "It answers with a number whatever it is shown, also far from those it learned from.",
}
_SHOWN_CLASSES = 100
_OWN = _GOOD, _ORIGIN, _USE, _LIMIT = "How good it is", "Where it comes from", "How to use it", "What it cannot do"


def card(predictor: Predictor, chapters: Mapping[str, str] | None = None) -> str:
    """Markdown, without anything of the photos themselves.

    `chapters` (heading -> Markdown) is what more its training can tell, see `finegraft.reporting.chapters`.
    """
    parts = [
        f"# {_answers(predictor.target)} from {plain(predictor.description['backbone'].get('name', 'a backbone'))}",
        _what(predictor),
        f"## {_GOOD}",
        _measured(predictor),
        *(part for heading, text in (chapters or {}).items() for part in (f"## {heading}", text)),
        f"## {_ORIGIN}",
        _origin(predictor),
        f"## {_USE}",
        "    finegraft predict model.fg photo.jpg\n\n"
        "or in Python\n\n"
        '    import finegraft as fg\n    fg.load("model.fg").predict("photo.jpg")',
        f"## {_LIMIT}",
        f"{_LIMITS[predictor.target.kind]} Its numbers hold for "
        "items like those it was judged on; other cameras, places or times may lower them. " + _doubt(predictor),
    ]
    return "\n\n".join(parts) + "\n"


def chapters_of(text: str) -> dict[str, str]:
    """The chapters that `card` was given when it wrote `text`."""
    _, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    found = dict(section.rstrip("\n").split("\n\n", 1) for section in sections if "\n\n" in section)
    return {heading: body for heading, body in found.items() if heading not in _OWN}


def _answers(target: Target) -> str:
    """What there is to answer: "3 classes"."""
    if isinstance(target, Number):
        return "A number"
    return f"{len(target)} {'classes' if isinstance(target, Category) else 'tags' if len(target) > 1 else 'tag'}"


def _what(predictor: Predictor) -> str:
    kind, target = predictor.description["modality"], predictor.target
    if isinstance(target, Number):
        return f"Says a number for an item of {kind} data, in the unit of the numbers it learned from."
    labels = target.labels
    names = "\n".join(f"- {plain(label)}" for label in labels[:_SHOWN_CLASSES])
    more = len(labels) - _SHOWN_CLASSES
    rest = f"\n- and {more} more, listed in model.json" if more > 0 else ""
    if isinstance(target, Tags):
        return f"Says which of these tags an item of {kind} data has, any number of them or none:\n\n{names}{rest}"
    return f"Says which of these classes an item of {kind} data belongs to:\n\n{names}{rest}"


def _measured(predictor: Predictor) -> str:
    described = predictor.description
    if not described["metrics"]:
        return "It was not judged on any data."
    where = _JUDGED_ON.get(described["judged_on"] or "", "data it was not trained on")
    count = "" if described["n_judged"] is None else f", {described['n_judged']} items"
    lines = [f"Measured on {where}{count}; in brackets the 95 % interval.", "", "| metric | value |", "|---|---|"]
    form = ".4g" if isinstance(predictor.target, Number) else ".3f"
    lines += [f"| {plain(name)} | {_number(metric, form)} |" for name, metric in described["metrics"].items()]
    return "\n".join(lines)


def _number(metric: dict[str, Any], form: str) -> str:
    interval = metric["interval"]
    return format(metric["value"], form) + (f" ({interval[0]:{form}} to {interval[1]:{form}})" if interval else "")


def _origin(predictor: Predictor) -> str:
    described, row = predictor.description, predictor.description["backbone"]
    facts = {
        "backbone": f"{row.get('name')}, fine-tuned" if row.get("fine_tuned") else row.get("name"),
        "weights from": row.get("source"),
        "licence of the weights": row.get("licence"),
        "paper": row.get("paper"),
        "items learned from": described["n_train"],
    }
    return "\n".join(f"- {name}: {plain(value)}" for name, value in facts.items() if value not in (None, ""))


def _doubt(predictor: Predictor) -> str:
    strange = (
        "Items unlike those it learned from are called so: do not trust its answer there."
        if predictor.tells_novelty
        else "It cannot tell items unlike those it learned from."
    )
    return f"{_close(predictor)} {strange}"


def _close(predictor: Predictor) -> str:
    """When an answer is a close call; for a number, how far it may be off."""
    if isinstance(predictor.target, Number):
        if predictor.half_width is None:
            return "How far its numbers may be off was not measured."
        return f"The true number lies within {predictor.half_width:.4g} of the answer in 90 of 100 cases."
    below = predictor.unsure_below
    words = f"Answers below a probability of {below:.2f} are called a close call: let a person look."
    if isinstance(predictor.target, Tags):
        words = (
            "An answer is called a close call where any tag lies nearer than "
            f"{100 * below:.0f} % of the way to the threshold from which on it is answered: let a person look."
        )
    return "It never calls an answer a close call." if below == 0 else words


def plain(value: object) -> str:
    """One line of text that Markdown shows as it is: a class may be called `*` or `</a>`."""
    text = " ".join(str(value).split())
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]<>#|!" else letter for letter in text)

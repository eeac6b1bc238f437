"""The first screen: how good it is, in plain words, with the interval; what it gets wrong; what to type next."""

from __future__ import annotations

import shlex

import numpy as np

from finegraft.reporting import wording
from finegraft.reporting.bars import accuracy_ruler
from finegraft.reporting.markup import Child, Html, join, name, tag
from finegraft.reporting.material import Material
from finegraft.reporting.page import command, paragraph

_JUDGED_ON = {
    "test": "the test part you gave",
    "validation": "the validation part you gave",
    "held-out": "a part of your data that was held out",
}


def header(material: Material) -> Html:
    """The page's header."""
    evaluation = material.evaluation
    accuracy = evaluation.accuracy
    between: list[Child] = (
        [tag("span", wording.percent_range(accuracy.interval), class_="range")] if accuracy.interval else []
    )
    number = material.counted(len(evaluation))
    on = f"Judged on {number} it has not seen. " if material.settings else f"Judged on {number}. "
    ruler = accuracy_ruler(accuracy.value, accuracy.interval, commonest(evaluation.truth))
    return tag(
        "header",
        _eyebrow(material),
        tag("h1", f"{wording.percent(accuracy.value)} right ", *between),
        tag("p", on, mistakes(material), left_out(material), class_="lead"),
        tag("div", ruler, class_="ruler"),
        paragraph(_basis(material)),
        *_next(material),
    )


def mistakes(material: Material) -> Html:
    """A sentence on the pair confused most often."""
    evaluation = material.evaluation
    wrong = int((evaluation.truth != evaluation.predicted).sum())
    if wrong == 0:
        return Html("It made no mistake here. ")
    pairs = evaluation.most_confused(min_val=2)
    if not pairs:
        return Html("It confused no two classes more than once. ")
    actual, predicted, times = pairs[0]
    often = "twice" if times == 2 else f"{times} times"
    return join(["It most often takes ", name(actual), " for ", name(predicted), f" ({often}). "])


def left_out(material: Material) -> Html:
    """A sentence on the files that were not used; none where nothing is known of them."""
    if material.dataset is None:
        return Html("")
    number = len(material.dataset.left_out)
    if number == 0:
        return Html("No file was left out.")
    words = f"{wording.count(number, 'file')} {'was' if number == 1 else 'were'} left out"
    return join([tag("a", words, href="#left-out"), "."])


def commonest(truth: np.ndarray) -> float:
    """The share that always naming the commonest class would get right."""
    return float(np.bincount(truth).max() / len(truth))


def _basis(material: Material) -> str:
    judged_on = _JUDGED_ON.get(str(material.settings.get("judged_on")), "")
    learned = material.settings.get("n_train")
    classes = wording.count(len(material.evaluation.target), "class")
    words = f"{classes}."
    if isinstance(learned, int) and judged_on:
        words = f"It learned {classes} from {material.counted(learned)}; the judged ones are {judged_on}."
    return f"{words} The range holds the true accuracy in 95 of 100 such measurements."


def _eyebrow(material: Material) -> Html:
    parts: list[Child] = ["finegraft report"]
    if material.folder is not None:
        parts.append(name(material.folder.name))
    created = material.settings.get("created")
    if isinstance(created, str) and created:
        parts.append(tag("time", created[:10], datetime=created))
    return tag("p", join(parts, " · "), class_="eyebrow")


def _next(material: Material) -> list[Html]:
    if material.folder is None:
        return []
    return [command(f"finegraft predict {shlex.quote(str(material.folder))} photo.jpg")]

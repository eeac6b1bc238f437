"""The first screen: how good it is, in plain words, with the interval; what it gets wrong; what to type next."""

from __future__ import annotations

import shlex

from finegraft.reporting import leading, wording
from finegraft.reporting.bars import share_ruler
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
    first = leading.leading(evaluation)
    value, interval = first.metric.value, first.metric.interval
    between: list[Child] = [tag("span", wording.percent_range(interval), class_="range")] if interval else []
    number = material.counted(len(evaluation))
    on = f"Judged on {number} it has not seen. " if material.settings else f"Judged on {number}. "
    weakest = leading.weakest_class(evaluation)
    return tag(
        "header",
        _eyebrow(material),
        tag("h1", f"{wording.percent(value)} {first.word} ", *between),
        tag("p", on, weakest, mistakes(material), leaked(material), left_out(material), class_="lead"),
        tag("div", share_ruler(value, interval, first.guess, first.word), class_="ruler"),
        *leading.why(evaluation),
        paragraph(_basis(material, first.range)),
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


def leaked(material: Material) -> Html:
    """A sentence on judged records of which a copy was learned from; none where there are none."""
    found = material.part("leakage")
    number, without = found.get("records"), found.get("accuracy_without")
    if not isinstance(number, int):
        return Html("")
    share = f"; without them {wording.percent(without['value'])} are right" if isinstance(without, dict) else ""
    verb = "has" if number == 1 else "have"
    return Html(f"{material.counted(number)} of these {verb} a copy in another part{share}. ")


def left_out(material: Material) -> Html:
    """A sentence on the files that were not used; none where nothing is known of them."""
    if material.dataset is None:
        return Html("")
    number = len(material.dataset.left_out)
    if number == 0:
        return Html("No file was left out.")
    words = f"{wording.count(number, 'file')} {'was' if number == 1 else 'were'} left out"
    return join([tag("a", words, href="#left-out"), "."])


def _basis(material: Material, range_of: str) -> str:
    judged_on = _JUDGED_ON.get(str(material.settings.get("judged_on")), "")
    learned = material.settings.get("n_train")
    classes = wording.count(len(material.evaluation.target), "class")
    words = f"{classes}."
    if isinstance(learned, int) and judged_on:
        words = f"It learned {classes} from {material.counted(learned)}; the judged ones are {judged_on}."
    return f"{words} The range holds the true {range_of} in 95 of 100 such measurements."


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

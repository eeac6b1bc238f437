"""The first screen: how good it is, in plain words, with the interval; what it gets wrong; what would help; and one
picture that says it.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from finegraft.reporting import leading, measures, wording
from finegraft.reporting.markup import Child, Html, join, name, tag
from finegraft.reporting.material import Material
from finegraft.reporting.page import command, figure, paragraph
from finegraft.reporting.strip import strip

_WORTH = 1.0  # points of accuracy that twice the photos must add to be worth naming, as in the section on more photos
_HELPED = 3  # classes that more photos would help, named on the first screen
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
    sentences = (leading.weakest_class(evaluation), mistakes(material), leaked(material), would_help(material))
    asked = asked_for(material)
    words = tag(
        "div",
        eyebrow(material),
        *(asked or [tag("h1", f"{wording.percent(value)} {first.word} ", *between)]),
        tag("p", on, *sentences, left_out(material), class_="lead"),
        class_="words",
    )
    glance = tag("div", figure(strip(evaluation, material.noun)), class_="glance")
    usual = f"{wording.percent(value)} {first.word}{f' ({wording.percent_range(interval)})' if interval else ''}."
    why = [*([paragraph(usual)] if asked else []), *leading.why(evaluation)]
    basis = [*why, paragraph(_basis(material, first)), *what_next(material)]
    return tag("header", words, glance, tag("div", *basis, class_="basis"), class_="verdict")


def title(material: Material, usual: str) -> str:
    """What the page is called: the run and its leading figure, the `usual` one unless another was asked for."""
    asked = material.metric
    said = usual if asked is None else f"{measures.called(asked[0])} {measures.written(asked[0])(asked[1].value)}"
    return f"{material.folder.name}: {said}" if material.folder else said


def asked_for(material: Material) -> list[Html]:
    """The figure asked for with --metric as the heading; nothing where none was."""
    if material.metric is None:
        return []
    asked, metric = material.metric
    value = f"{measures.called(asked)} {measures.written(asked)(metric.value)} "
    return [tag("h1", value, tag("span", measures.between(asked, metric), class_="range"))]


def judged_on(material: Material) -> str:
    """Which records were judged, in words; empty where it is not known."""
    return _JUDGED_ON.get(str(material.settings.get("judged_on")), "")


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


def would_help(material: Material) -> Html:
    """A sentence on the classes of which more photos would help most; none where that was not measured."""
    curve = material.part("learning_curve")
    rows = curve.get("classes")
    found = [str(row["label"]) for row in rows if row.get("stands_out")] if isinstance(rows, list) else []
    if found:
        return join([f"More {material.noun}s of ", _listed(found[:_HELPED]), " would help most. "])
    now, twice = curve.get("now"), curve.get("twice")
    if not isinstance(now, Mapping) or not isinstance(twice, Mapping):
        return Html("")
    gain = 100 * (float(twice["accuracy"]) - float(now["accuracy"]))
    would = f"add about {gain:.1f} points" if gain >= _WORTH else "hardly help"
    return Html(f"Twice as many {material.noun}s would {would}. ")


def _listed(labels: Sequence[str]) -> Html:
    """Names in a row: "a", "a and b", "a, b and c"."""
    names = [name(label) for label in labels]
    return join([join(names[:-1], ", "), names[-1]], " and ") if len(names) > 1 else names[0]


def left_out(material: Material) -> Html:
    """A sentence on the files that were not used; none where nothing is known of them."""
    if material.dataset is None:
        return Html("")
    number = len(material.dataset.left_out)
    if number == 0:
        return Html("No file was left out.")
    words = f"{wording.count(number, 'file')} {'was' if number == 1 else 'were'} left out"
    return join([tag("a", words, href="#left-out"), "."])


def _basis(material: Material, first: leading.Leading) -> str:
    part = judged_on(material)
    learned = material.settings.get("n_train")
    classes = wording.count(len(material.evaluation.target), "class")
    words = f"{classes}."
    if isinstance(learned, int) and part:
        words = f"It learned {classes} from {material.counted(learned)}; the judged ones are {part}."
    words += f" The range holds the true {first.range} in 95 of 100 such measurements."
    return f"{words} Always naming the commonest class would give {wording.percent(first.guess)}.{looks(material)}"


def looks(material: Material) -> str:
    """A sentence where the judged part had been looked at before: whoever chooses by a number makes it flatter."""
    found = material.settings.get("looks", getattr(material.judged, "looks", 1))
    if not isinstance(found, int) or found < 2:
        return ""
    times = "once" if found == 2 else "twice" if found == 3 else f"{found - 1:,} times"
    return (
        f" These {material.noun}s had been judged {times} before: if you chose between trainings by what they gave, "
        "the figure flatters a little, and only new ones can tell by how much."
    )


def eyebrow(material: Material) -> Html:
    """What is reported on, and when it was made."""
    parts: list[Child] = ["finegraft report"]
    if material.folder is not None:
        parts.append(name(material.folder.name))
    created = material.settings.get("created")
    if isinstance(created, str) and created:
        parts.append(tag("time", created[:10], datetime=created))
    return tag("p", join(parts, " · "), class_="eyebrow")


def what_next(material: Material) -> list[Html]:
    """What to type first; nothing without a run."""
    if material.folder is None:
        return []
    return [command(f"finegraft predict {shlex.quote(str(material.folder))} photo.jpg")]

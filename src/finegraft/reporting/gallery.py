"""The page of `predict --html`: each photo with its answers, the least sure first, and apart what could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from finegraft.data.atomic import write_atomically
from finegraft.reporting import wording
from finegraft.reporting.axes import BARK, LEAF
from finegraft.reporting.bars import share_bar
from finegraft.reporting.markup import Child, Html, join, name, tag
from finegraft.reporting.measures import short
from finegraft.reporting.page import Column, Section, document, nothing, paragraph, picture, section, table

Answered = tuple[bytes | None, Mapping[str, Any], str]


def gallery(predictions: Iterable[Answered], path: str | Path) -> Path:
    """Write the page of these answers to `path` and return the path.

    Each is (thumbnail as JPEG, PNG or WebP bytes, or None; the row of `predict --json`; what to call it). The
    ranking in the row is shown as it is, so the caller's `--top` decides how many. Raises `StorageError` where
    `path` cannot be written.
    """
    target = Path(path)
    write_atomically(target, gallery_page(predictions).encode())
    return target


def gallery_page(predictions: Iterable[Answered]) -> str:
    """The page as text; see `gallery`."""
    answered: list[Answered] = []
    failed: list[Answered] = []
    for prediction in predictions:
        (failed if "error" in prediction[1] else answered).append(prediction)
    answered.sort(key=lambda item: (_surety(item[1]), item[2]))
    sections = [_answers(answered)] if answered or not failed else []
    if any(_labels(row) for _, row, _ in answered):
        sections.append(_counts(answered))
    if failed:
        sections.append(_failures(failed))
    footer = "Made by finegraft. The photos stay where they are; what is shown here are small copies."
    return document(_headline(answered, failed), _header(answered, failed), sections, footer)


def _surety(row: Mapping[str, Any]) -> tuple[bool, float]:
    """What the answers are sorted by: a class by its probability, others by whether they are unsure, tags also by how
    near to a half the least clear of them is.
    """
    if "probability" in row:
        return False, float(row["probability"])
    nearest = min((abs(float(entry["probability"]) - 0.5) for entry in row.get("ranking", ())), default=0.0)
    return not row.get("unsure"), nearest


def _labels(row: Mapping[str, Any]) -> list[str]:
    """The classes or tags that were answered; none where a number was."""
    return [str(row["label"])] if "label" in row else [str(entry["label"]) for entry in row.get("labels", ())]


def _headline(answered: list[Answered], failed: list[Answered]) -> str:
    if not answered and not failed:
        return "No photos"
    return f"{wording.count(len(answered), 'photo')} answered"


def _header(answered: list[Answered], failed: list[Answered]) -> Html:
    unsure = sum(1 for _, row, _ in answered if row.get("unsure"))
    words: list[Child] = []
    if answered:
        words.append(f"It is unsure about {unsure:,} of them. " if unsure else "None is marked unsure. ")
    if failed:
        link = tag("a", f"{wording.count(len(failed), 'file')} could not be read", href="#failed")
        words += [link, "."]
    return tag(
        "header",
        tag("p", "finegraft predict", class_="eyebrow"),
        tag("h1", _headline(answered, failed)),
        tag("p", *words, class_="lead"),
    )


def _answers(answered: list[Answered]) -> Section:
    if not answered:
        return section("answers", "Answers", nothing("There was nothing to answer: no photo was given."))
    return section(
        "answers",
        "Answers",
        paragraph(_words(answered[0][1])),
        tag("ul", *(_photo(*item) for item in answered), class_="photos"),
    )


def _words(row: Mapping[str, Any]) -> str:
    if "value" in row:
        return "Unsure ones first. Beneath a number, the interval that holds the true one in 90 of 100 cases."
    return f"Least sure first. A bar shows the probability of a {'class' if 'label' in row else 'tag'}."


def _photo(content: bytes | None, row: Mapping[str, Any], title: str) -> Html:
    shown = picture(content, title) if content else None
    unsure = row.get("unsure")
    return tag(
        "li",
        shown or tag("span", "no picture", class_="missing"),
        _answer(row),
        *([tag("span", f"? unsure: {unsure}", class_="attention")] if unsure else []),
        *([_ranking(row, BARK if unsure else LEAF)] if "ranking" in row else []),
        tag("span", name(title), class_="note"),
    )


def _answer(row: Mapping[str, Any]) -> Html:
    if "value" not in row:
        labels = [name(label) for label in _labels(row)]
        return tag("strong", join(labels, ", ")) if labels else tag("strong", "no tag")
    ends = row.get("interval")
    between = [tag("span", " to ".join(short(float(end)) for end in ends), class_="note")] if ends else []
    return join([tag("strong", short(float(row["value"]))), *between])


def _ranking(row: Mapping[str, Any], colour: str) -> Html:
    lines = (
        tag(
            "tr",
            tag("th", name(str(entry["label"])), scope="row"),
            tag("td", share_bar(float(entry["probability"]), colour)),
            tag("td", wording.percent(float(entry["probability"])), class_="number"),
        )
        for entry in row["ranking"]
    )
    return tag("table", tag("tbody", *lines), class_="answers", aria_label="Its answers")


def _counts(answered: list[Answered]) -> Section:
    """How often each class came first, or each tag was answered."""
    counted: dict[str, int] = {}
    for _, row, _ in answered:
        for label in _labels(row):
            counted[label] = counted.get(label, 0) + 1
    order = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    rows: list[list[Child]] = [
        [name(label), f"{number:,}", share_bar(number / len(answered))] for label, number in order
    ]
    head = "Class" if "label" in answered[0][1] else "Tag"
    shown = table("Photos answered so", [Column(head), Column("Photos", True), Column("Share")], rows)
    return section("counts", "How many of each", shown)


def _failures(failed: list[Answered]) -> Section:
    rows: list[list[Child]] = []
    for _, row, title in failed:
        code, message = (str(row["error"].get(part, "")) for part in ("code", "message"))
        rows.append([name(title), join([message, tag("span", code, class_="note")])])
    shown = table("Not read, and why", [Column("File"), Column("Why")], rows)
    return section("failed", "Not read", paragraph("These got no answer; nothing was put in their place."), shown)

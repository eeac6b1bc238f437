"""The page of `compare --html`: which run is better, the photos that changed sides, class by class, what differs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from finegraft.data.atomic import write_atomically
from finegraft.evaluation.changes import Answer, Change, Kind
from finegraft.evaluation.comparison import Comparison
from finegraft.evaluation.run import Run
from finegraft.reporting import difference, wording
from finegraft.reporting.differing import differing
from finegraft.reporting.leading import leading
from finegraft.reporting.markup import Child, Html, join, name, tag
from finegraft.reporting.material import Material
from finegraft.reporting.page import (
    Column,
    Section,
    document,
    nothing,
    paragraph,
    picture,
    section,
    table,
    unfolding,
)

_SIDE = 192  # pixels of a photo: sharp at the 176 CSS pixels it is shown at
_PICTURES = 48  # photos of one kind that are shown, the most surprising
_ROWS = 1000  # and listed below them

# kind -> (heading, what the section shows)
_KINDS: dict[Kind, tuple[str, str]] = {
    "fixed": ("Right in B only", "A was wrong, B is right. Where the two are furthest apart comes first."),
    "broken": ("Right in A only", "A was right, B is wrong. Where the two are furthest apart comes first."),
    "still-wrong": ("Wrong in both", "Both are wrong, each in its own way. Look here for wrong labels."),
}


def comparison_page(comparison: Comparison, a: Run, b: Run, caveats: Sequence[str], path: str | Path) -> Path:
    """Write the page to `path` and return the path. `caveats` are sentences that stand under the verdict.

    The photos come from the data of B, or where that is gone from that of A. Raises `StorageError` where `path` cannot
    be written.
    """
    target = Path(path)
    write_atomically(target, page_of(comparison, Material.of(a), Material.of(b), caveats).encode())
    return target


def page_of(comparison: Comparison, a: Material, b: Material, caveats: Sequence[str] = ()) -> str:
    """The page as text."""
    kinds = [kind for kind in _KINDS if comparison.of_kind(kind)]
    sections = [_changed(kind, comparison.of_kind(kind), a, b) for kind in kinds] or [_unchanged()]
    sections += [_classes(comparison, b.noun), _settings(a, b)]
    footer = "Made by finegraft. The photos stay where they are; what is shown here are small copies without EXIF data."
    title = f"{difference.verdict(comparison)}: {' and '.join(_called(a, b))}"
    return document(title, _header(comparison, a, b, caveats), sections, footer)


def _called(a: Material, b: Material) -> tuple[str, str]:
    """What the two runs are called: their folders' names, or the whole paths where these are equal."""
    paths = [material.folder or Path(side) for material, side in ((a, "A"), (b, "B"))]
    if paths[0].name == paths[1].name:
        return str(paths[0]), str(paths[1])
    return paths[0].name, paths[1].name


def _header(comparison: Comparison, a: Material, b: Material, caveats: Sequence[str]) -> Html:
    called = _called(a, b)
    words = [difference.answers(comparison, b.noun), difference.second(comparison)]
    return tag(
        "header",
        tag("p", join(["finegraft compare", *map(name, called)], " · "), class_="eyebrow"),
        tag("h1", difference.verdict(comparison), " ", tag("span", difference.amount(comparison), class_="range")),
        tag("p", _figures(comparison, called, b.noun), class_="lead"),
        tag("div", difference.ruler(comparison), class_="ruler"),
        *(paragraph(line) for line in words if line),
        paragraph(difference.chance(comparison.leading, b.noun), " The range holds the true one in 95 of 100 cases."),
        *([tag("p", "Mind: ", " ".join(caveats), class_="attention")] if caveats else []),
    )


def _figures(comparison: Comparison, called: tuple[str, str], noun: str) -> Html:
    """A sentence with the figure of both."""
    said = []
    for side, run, evaluation in zip("AB", called, (comparison.a, comparison.b), strict=True):
        metric = leading(evaluation).metric
        between = f" ({wording.percent_range(metric.interval)})" if metric.interval else ""
        figure = f" has {wording.percent(metric.value)} {difference.word(comparison)}{between}"
        said.append(join([f"{side}, ", name(run), f",{figure}"]))
    mean = ", averaged over the classes" if comparison.leads == "macro_recall" else ""
    return join([f"On the {wording.count(len(comparison), noun)} that both judged, ", join(said, " and "), f"{mean}."])


def _unchanged() -> Section:
    words = "Nothing changed sides: the two give the same answer everywhere."
    return section("fixed", "What changed", nothing(words))


def _changed(kind: Kind, changes: Sequence[Change], a: Material, b: Material) -> Section:
    heading, words = _KINDS[kind]
    sources = [material for material in (b, a) if material.root is not None]
    parts = [paragraph(words)]
    listed: Sequence[Change] = changes
    if sources:
        photos = (_photo(change, sources) for change in changes[:_PICTURES])
        parts.append(tag("ul", *photos, class_="photos"))
        listed = changes[_PICTURES:]
    else:
        where = tag("code", str(b.settings.get("data")))
        parts.append(nothing("No pictures: the data is no longer at ", where, ". Put it back and compare anew."))
    if listed:
        rows: list[list[Child]] = [[name(c.key), name(c.label), _said(c.a), _said(c.b)] for c in listed[:_ROWS]]
        columns = [Column(b.noun.capitalize()), Column("It is"), Column("A said"), Column("B said")]
        whole = table(heading, columns, rows)
        parts.append(unfolding(f"{wording.count(len(listed), f'more {b.noun}')}", whole) if sources else whole)
    if len(listed) > _ROWS:
        parts.append(paragraph(f"{len(listed) - _ROWS:,} more: finegraft compare --json lists them all."))
    return section(kind, f"{heading} ({len(changes):,})", *parts)


def _photo(change: Change, sources: Sequence[Material]) -> Html:
    contents = (source.thumbnail(change.key, _SIDE) for source in sources)
    content = next((found for found in contents if found), None)
    shown = picture(content, change.key) if content else None
    return tag(
        "li",
        shown or tag("span", "no picture", class_="missing"),
        tag("span", "is ", tag("strong", name(change.label))),
        *(_answer(side, answer, change.label) for side, answer in (("A", change.a), ("B", change.b))),
        tag("span", name(change.key), class_="note"),
    )


def _answer(side: str, answer: Answer, label: str) -> Html:
    """A line: whose answer, whether it is right (by a sign as well as by colour), what, how sure."""
    right = answer.label == label
    sign = tag("span", "✓" if right else "✗", role="img", aria_label="right" if right else "wrong")
    said = tag("span", sign, " ", name(answer.label), class_="right" if right else "wrong")
    return tag("span", f"{side} ", said, f", {wording.percent(answer.probability)}")


def _said(answer: Answer) -> Html:
    return join([name(answer.label), f", {wording.percent(answer.probability)}"])


def _classes(comparison: Comparison, noun: str) -> Section:
    """Every class with what each found of it, the most changed first."""
    found = sorted(comparison.per_class(), key=lambda row: (-(row.fixed + row.broken), row.label))
    beyond = any(row.real for row in found)
    largest = max(max(row.fixed, row.broken) for row in found)
    rows: list[list[Child]] = [
        [
            name(row.label),
            f"{row.broken:,}",
            difference.swing(row.fixed, row.broken, largest),
            f"{row.fixed:,}",
            wording.percent(row.found_a / row.judged),
            wording.percent(row.found_b / row.judged),
            f"{row.judged:,}",
            *(["yes" if row.real else ""] if beyond else []),
        ]
        for row in found
    ]
    columns = [
        Column("Class"),
        Column("Only A right", True),
        Column("Which way"),
        Column("Only B right", True),
        Column("A found", True),
        Column("B found", True),
        Column("Judged", True),
        *([Column("Beyond chance")] if beyond else []),
    ]
    words = f"Of each class, the {noun}s that only one of the two has right, and the share that each has found. "
    many = wording.count(len(found), "class")
    if beyond:
        words += f"Marked is what chance would hardly make anywhere among {many}."
    else:
        words += f"No row shows more than chance makes somewhere among {many}."
    return section("classes", "Class by class", paragraph(words), table("Each class", columns, rows))


def _settings(a: Material, b: Material) -> Section:
    rows: list[list[Child]] = [[what, name(in_a), name(in_b)] for what, in_a, in_b in differing(a, b)]
    if not rows:
        words = nothing("Both runs were made with the same settings from the same data.")
        return section("settings", "What differs", words)
    columns = [Column("Setting"), Column("A"), Column("B")]
    return section("settings", "What differs", table("Settings that differ", columns, rows))

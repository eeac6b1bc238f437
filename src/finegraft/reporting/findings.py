"""The page of `check --html`: what was found about the data, kind by kind, with pictures of what is meant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from finegraft.data.atomic import write_atomically
from finegraft.data.dataset import Dataset
from finegraft.data.findings import KINDS, LEAVES_OUT, Finding
from finegraft.reporting import wording
from finegraft.reporting.bars import share_bar
from finegraft.reporting.markup import Child, Html, name, tag
from finegraft.reporting.page import Column, Section, document, nothing, paragraph, picture, section, table

# What a person should see first. Kinds that are not here come after these.
_FIRST = ("two-labels", "leak", "near-copy", "exact-copy", "imbalance", "few")
_PICTURES = 60  # findings of one kind that are shown with pictures
_ROWS = 1000  # and without them

# The bytes of a small picture of the record with this key, None where there is none.
Thumbnail = Callable[[str], bytes | None]


def findings_page(dataset: Dataset, thumbnail: Thumbnail, path: str | Path) -> Path:
    """Write the page to `path` and return the path. Raises `StorageError` where it cannot be written."""
    target = Path(path)
    write_atomically(target, page_of(dataset, thumbnail).encode())
    return target


def page_of(dataset: Dataset, thumbnail: Thumbnail) -> str:
    """The page as text."""
    by_kind: dict[str, list[Finding]] = defaultdict(list)
    for finding in dataset.findings:
        by_kind[finding.kind].append(finding)
    sections = [_kind(kind, by_kind[kind], thumbnail) for kind in _ordered(by_kind)]
    sections = [_classes(dataset), *sections] if dataset.classes else sections
    footer = "Made by finegraft. The photos stay where they are; what is shown here are small copies without EXIF data."
    return document(f"{_headline(dataset)} can be used", _header(dataset, by_kind), sections, footer)


def _ordered(kinds: dict[str, list[Finding]]) -> list[str]:
    """Suspicions a person must decide on, then other ones, then what is left out already."""
    known = list(KINDS)
    return sorted(
        kinds,
        key=lambda kind: (
            kind in LEAVES_OUT,
            _FIRST.index(kind) if kind in _FIRST else len(_FIRST),
            known.index(kind) if kind in known else len(known),
        ),
    )


def _headline(dataset: Dataset) -> str:
    return wording.count(len(dataset.usable), "photo")


def _header(dataset: Dataset, by_kind: dict[str, list[Finding]]) -> Html:
    classes = wording.count(len(dataset.classes), "class") if dataset.classes else "labelled with numbers"
    left_out = wording.count(len(dataset.left_out), "file")
    words: list[Child] = [f"They are of {classes}. " if dataset.classes else f"They are {classes}. "]
    words.append(f"{left_out} {'is' if len(dataset.left_out) == 1 else 'are'} left out. ")
    if not by_kind:
        words.append("Nothing is wrong with them.")
    else:
        decide = sum(len(found) for kind, found in by_kind.items() if kind not in LEAVES_OUT)
        words.append(f"{wording.count(decide, 'suspicion')} to look at." if decide else "Nothing else was found.")
    return tag(
        "header",
        tag("p", "finegraft check · ", name(dataset.root.resolve().name), class_="eyebrow"),
        tag("h1", f"{_headline(dataset)} can be used"),
        tag("p", *words, class_="lead"),
    )


def _classes(dataset: Dataset) -> Section:
    counts = dataset.counts()
    largest = max(counts.values())
    rows: list[list[Child]] = [[name(label), f"{n:,}", share_bar(n / largest)] for label, n in counts.items()]
    shown = table("Photos of each class", [Column("Class"), Column("Photos", True), Column("Size")], rows)
    return section("classes", "Classes", shown)


def _kind(kind: str, found: Sequence[Finding], thumbnail: Thumbnail) -> Section:
    meaning = KINDS.get(kind, "")
    heading = f"{kind.replace('-', ' ').capitalize()} ({len(found):,})"
    parts = [paragraph(f"{meaning[:1].upper()}{meaning[1:]}.")]
    of_the_set = [finding for finding in found if not finding.key]
    parts += [paragraph(finding.note) for finding in of_the_set]
    files = [finding for finding in found if finding.key]
    pictured = [] if kind in LEAVES_OUT else files[:_PICTURES]
    if pictured:
        style = "photos pairs" if any(finding.other for finding in pictured) else "photos"
        parts.append(tag("ul", *(_pictured(finding, thumbnail) for finding in pictured), class_=style))
    rest = files[len(pictured) :]
    if rest:
        rows: list[list[Child]] = [[_about(finding), finding.note] for finding in rest[:_ROWS]]
        parts.append(table("Files" if not pictured else "More", [Column("File"), Column("What was found")], rows))
    if len(rest) > _ROWS:
        parts.append(nothing(f"{len(rest) - _ROWS:,} more: finegraft check --json lists them all."))
    return section(kind, heading, *parts)


def _pictured(finding: Finding, thumbnail: Thumbnail) -> Html:
    shown = [_shown(finding.key, thumbnail), *([_shown(finding.other, thumbnail)] if finding.other else [])]
    return tag("li", tag("div", *shown, class_="pair"), tag("strong", name(finding.key)), tag("span", finding.note))


def _shown(key: str, thumbnail: Thumbnail) -> Html:
    content = thumbnail(key)
    shown = picture(content, key) if content else None
    return shown or tag("span", "no picture", class_="missing")


def _about(finding: Finding) -> Html:
    if finding.other is None:
        return name(finding.key)
    return tag("span", name(finding.key), " and ", name(finding.other))

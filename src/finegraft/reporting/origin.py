"""What it was made from and how: data by class and part, what was left out, settings, environment, digests, time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from finegraft.data.dataset import Dataset
from finegraft.data.findings import KINDS, LEAVES_OUT
from finegraft.reporting import wording
from finegraft.reporting.balance import words_on_balance
from finegraft.reporting.bars import share_bar
from finegraft.reporting.markup import Child, Html, isolated, join, name, tag
from finegraft.reporting.material import Material
from finegraft.reporting.measures import short
from finegraft.reporting.page import (
    MEANINGS,
    Column,
    Section,
    answer,
    facts,
    nothing,
    paragraph,
    section,
    table,
    term,
    unfolding,
)
from finegraft.targets import Category, Number

_SHOWN, _MOST = 12, 1000  # rows shown at once; rows a folded list holds
_JUDGING = "to judge it by"
_USES = {"train": "to learn from", "validation": "to watch it by", "test": _JUDGING, "held-out": _JUDGING}
_PARTS = {"train": "Train", "validation": "Validation", "test": "Test", "held-out": "Held out"}


def data(material: Material) -> Section:
    """Records per class and part, the files left out with their reasons, and the other findings."""
    if material.dataset is None:
        words = nothing("This report was made from an evaluation alone: it knows nothing of the data behind it.")
        return section("data", "The data", words)
    parts = [_said(material, material.dataset), *_labels(material, material.dataset)]
    return section("data", "The data", *parts, _left_out(material.dataset), *_findings(material))


def _labels(material: Material, dataset: Dataset) -> list[Html]:
    """What the labels are: records of each class or with each tag, or where the numbers lie."""
    target = material.judged.target
    if isinstance(target, Number):
        return [_numbers(dataset)]
    word = "class" if isinstance(target, Category) else "tag"
    of_each = "of each class" if isinstance(target, Category) else "with each tag"
    each = _counts(dataset, f"{material.noun.capitalize()}s {of_each}", word.capitalize())
    return [unfolding(_sizes(material, dataset, word), each), *words_on_balance(material)]


def _numbers(dataset: Dataset) -> Html:
    """Where the numbers of each part lie."""
    rows: list[list[Child]] = []
    for part, called in _PARTS.items():
        found = [r.label for r in dataset.usable if r.split == part and isinstance(r.label, float)]
        if found:
            marks = np.quantile(found, (0, 0.25, 0.5, 0.75, 1)).tolist()
            rows.append([called, f"{len(found):,}", *map(short, marks)])
    heads = ("Records", "Least", "A quarter below", "Half below", "Three quarters below", "Most")
    return table("The numbers of each part", [Column("Part"), *(Column(head, True) for head in heads)], rows)


def _said(material: Material, dataset: Dataset) -> Html:
    """How many records, for what, and how many files were left out."""
    counted: Counter[str] = Counter(record.split or "" for record in dataset.usable)
    uses = [f"{counted[part]:,} {use}" for part, use in _USES.items() if counted[part]]
    gone = len(dataset.left_out)
    words = f"{wording.count(len(dataset.usable), material.noun)} could be used: {', '.join(uses)}" if uses else ""
    left = f"{wording.count(gone, 'file')} {'was' if gone == 1 else 'were'} left out." if gone else ""
    return answer(". ".join(part for part in (words, left) if part) or "No record is listed.")


def _sizes(material: Material, dataset: Dataset, word: str) -> str:
    """Between which sizes the classes or tags lie."""
    counts = dataset.counts()
    if not counts:
        return f"Each {word}"
    least, most = min(counts, key=lambda c: counts[c]), max(counts, key=lambda c: counts[c])
    if counts[least] == counts[most]:
        return f"Each {word} has {material.counted(counts[most])}"
    return f"Each {word} has between {counts[least]:,} ({isolated(least)}) and {counts[most]:,} ({isolated(most)})"


def _counts(dataset: Dataset, caption: str, head: str) -> Html:
    counted: Counter[tuple[str, str]] = Counter((c, r.split or "") for r in dataset.usable for c in r.classes)
    parts = [part for part in _PARTS if any(split == part for _, split in counted)]
    largest = max((sum(counted[c, p] for p in parts) for c in dataset.classes), default=1)
    rows: list[list[Child]] = []
    for label in dataset.classes:
        numbers = [counted[label, part] for part in parts]
        rows.append([name(label), *(f"{n:,}" for n in numbers), f"{sum(numbers):,}", share_bar(sum(numbers) / largest)])
    totals = [sum(record.split == part for record in dataset.usable) for part in parts]
    rows.append([tag("strong", "All"), *(f"{n:,}" for n in totals), tag("strong", f"{sum(totals):,}"), ""])
    columns = [Column(head), *(Column(_PARTS[part], True) for part in parts), Column("All", True), Column("Size")]
    return table(caption, columns, rows)


def _left_out(dataset: Dataset) -> Html:
    gone = dataset.left_out
    if not gone:
        return tag("div", nothing("No file was left out."), id="left-out")
    columns = [Column("File"), Column("Why")]
    rows: list[list[Child]] = [[name(r.key), r.left_out or ""] for r in gone]
    return tag("div", _folded("Left out, and why", columns, rows, "files"), id="left-out")


def _findings(material: Material) -> list[Html]:
    """The suspicions that left nothing out: counted by kind, listed where asked for."""
    counts = {kind: number for kind, number in material.part("findings").items() if kind not in LEAVES_OUT}
    if not counts:
        return []
    rows: list[list[Child]] = [[kind, f"{number:,}", KINDS.get(kind, "")] for kind, number in counts.items()]
    columns = [Column("Finding"), Column("How many", True), Column("What it means")]
    many = sum(counts.values())
    summary = f"{wording.count(many, 'finding')} about what was used, of {wording.count(len(counts), 'kind')}"
    parts = [table("Findings about the data", columns, rows)]
    recorded = material.settings.get("finding_rows")
    listed = [row for row in recorded if row.get("kind") not in LEAVES_OUT] if isinstance(recorded, list) else []
    if listed:
        each: list[list[Child]] = [
            [_about(row), str(row.get("kind", "")), str(row.get("note", ""))] for row in listed[:_MOST]
        ]
        columns = [Column("Record"), Column("Finding"), Column("Note")]
        parts += [table(f"Every finding ({len(listed):,})", columns, each), *_cut(len(listed), "run.json")]
    return [unfolding(summary, *parts)]


def _about(row: Mapping[str, Any]) -> Html:
    parts = [name(str(row[key])) for key in ("key", "other") if row.get(key)]
    return join(parts, " and ") if parts else Html("the whole set")


def _folded(caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Child]], what: str) -> Html:
    first = table(caption, columns, rows[:_SHOWN])
    if len(rows) <= _SHOWN:
        return first
    more = table(f"{caption}, continued", columns, rows[_SHOWN:_MOST])
    return join([first, unfolding(f"{len(rows) - _SHOWN:,} more {what}", more, *_cut(len(rows), "manifest.jsonl"))])


def _cut(number: int, where: str) -> list[Html]:
    return [paragraph(f"The rest of the {number:,} are in {where}.")] if number > _MOST else []


def making(material: Material) -> Section:
    """Time, settings, model, environment and digests, as run.json has them."""
    preprocess = dict(material.part("preprocess"))
    decoder = preprocess.pop("decoder", {})
    groups = {
        "Settings": {**_top(material, ("command", "modality")), **_chosen(material)},
        "Backbone": material.part("backbone"),
        f"{material.noun.capitalize()}s as the model sees them": preprocess,
        "Decoder": decoder,
        "Answers": _top(material, ("temperature", "unsure_below", "half_width")),
        "Environment": {**_top(material, ("finegraft", "engine", "threads")), **material.part("environment")},
        "Files": _top(material, ("data", "created", "model_digest")),
    }
    tables = [facts(caption, _rows(group)) for caption, group in groups.items() if group]
    folded = unfolding("Settings, environment and digests", tag("div", *tables, class_="columns"))
    return section("making", "How it was made", _seconds(material), folded)


def _top(material: Material, keys: Sequence[str]) -> dict[str, Any]:
    return {key: material.settings[key] for key in keys if material.settings.get(key) is not None}


def _chosen(material: Material) -> dict[str, Any]:
    """The settings that were used; those left to the program are told where what it chose stands."""
    settings = {key: value for key, value in material.part("settings").items() if value is not None}
    if material.settings.get("lr") is not None:
        settings["lr"] = material.settings["lr"]
    if "lr" in settings:
        settings["learning rate"] = settings.pop("lr")
    return settings


def _seconds(material: Material) -> Html:
    seconds = {k: float(v) for k, v in material.part("seconds").items() if isinstance(v, int | float)}
    total = seconds.pop("total", sum(seconds.values()))
    if not total:
        return nothing("How long it took was not recorded.")
    longest = max(seconds, key=lambda stage: seconds[stage], default="")
    rows: list[list[Child]] = [
        [stage.replace("_", " "), wording.duration(s), share_bar(s / total)] for stage, s in seconds.items()
    ]
    columns = [Column("Stage"), Column("Time", True), Column("Share")]
    words = f"It took {wording.duration(total)}"
    if longest:
        words += f"; the longest stage, {longest.replace('_', ' ')}, took {wording.duration(seconds[longest])}"
    return join([answer(f"{words}."), unfolding("Stage by stage", table("Time of each stage", columns, rows))])


def _rows(group: Mapping[str, Any]) -> list[tuple[Child, Child]]:
    return [(_word(key), _value(value)) for key, value in _flat(group)]


def _flat(group: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in group.items():
        called = f"{before}{key}".replace("_", " ")
        found += _flat(value, f"{called} ") if isinstance(value, Mapping) else [(called, value)]
    return found


def _word(key: str) -> Child:
    return term(key) if key.lower() in MEANINGS else key


def _value(value: Any) -> Child:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(str(_value(v)) for v in value)
    return name(str(value))

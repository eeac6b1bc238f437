"""Bears with forty broken files among them: every one is named everywhere, and no other answer changes."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.promise import Measured, Promise, at_most
from benchmarks.workshop import Workshop, json_of, rows_of
from tests.hostile import BROKEN
from tests.hostile.kind import Kind

COUNT = 40
COMMAND = "finegraft check DIRTY --json; train DIRTY -o RUN; predict RUN DIRTY --json (and without the broken files)"
Row = dict[str, Any]


@dataclass(frozen=True)
class Dirt:
    """What the three commands said of a folder with broken files in it.

    `broken` are the kinds by key. `asked` are the keys of all files in the order they were asked for, `answers` the
    rows that came, `alone` those of a second asking without the broken files.
    """

    broken: Mapping[str, Kind]
    checked: Sequence[Row]
    settings: Row
    report: str
    asked: Sequence[str]
    answers: Sequence[Row]
    alone: Sequence[Row]


def _dirt(workshop: Workshop) -> Dirt:
    def measure() -> Dirt:
        dirty, run = workshop.scratch / "dirty-bears", workshop.empty("dirty-run")
        broken = _laid(workshop, dirty)
        checked = json_of(workshop.cli("check", dirty, "--json", cache="dirty"))["findings"]
        workshop.cli("train", dirty, "-o", run, "--json", cache="dirty")
        asked = sorted(path.relative_to(dirty).as_posix() for path in dirty.rglob("*") if not path.is_dir())
        answers, alone = (
            rows_of(workshop.cli("predict", run, "-", "--json", "--top", "3", stdin=_listed(dirty, keys)))
            for keys in (asked, [key for key in asked if key not in broken])
        )
        settings = json.loads((run / "run.json").read_text(encoding="utf-8"))
        report = plain_text((run / "report.html").read_text(encoding="utf-8"))
        return Dirt(broken, checked, settings, report, asked, _by_key(answers, dirty), _by_key(alone, dirty))

    return workshop.once("dirt", measure)


def _laid(workshop: Workshop, dirty: Path) -> dict[str, Kind]:
    """Copy bears to `dirty` and lay broken files of forty kinds in its class folders by turns."""
    bears = workshop.data("bears")
    shutil.rmtree(dirty, ignore_errors=True)
    shutil.copytree(bears, dirty)
    folders = sorted(path for path in dirty.iterdir() if path.is_dir())
    laid: dict[str, Kind] = {}
    for kind in spread([kind for kind in BROKEN if kind.name.isprintable()]):
        folder = folders[len(laid) % len(folders)]
        if len(laid) < COUNT and (path := kind.put(folder)):
            laid[path.relative_to(dirty).as_posix()] = kind
    return laid


def spread(kinds: Sequence[Kind]) -> list[Kind]:
    """`kinds` in another order: the first of each code, then every third, then the others by threes likewise."""
    firsts = [next(kind for kind in kinds if kind.code == code) for code in dict.fromkeys(kind.code for kind in kinds)]
    return [*firsts, *(kind for start in range(3) for kind in kinds[start::3] if kind not in firsts)]


def plain_text(page: str) -> str:
    """The text of an HTML page, without its tags."""
    return html.unescape(re.sub(r"<[^>]*>", "", page))


def _listed(dirty: Path, keys: Iterable[str]) -> str:
    return "\n".join(os.fspath(dirty / key) for key in keys) + "\n"


def _by_key(rows: Iterable[Row], dirty: Path) -> list[Row]:
    return [{**row, "path": Path(row["path"]).relative_to(dirty).as_posix()} for row in rows]


def unnamed(dirt: Dirt) -> list[str]:
    """Where a broken file is not named with its reason: "key: place" for each."""
    places: dict[str, Iterable[Row]] = {"check": dirt.checked, "run.json": dirt.settings["finding_rows"]}
    missing = [
        f"{key}: {place}"
        for place, rows in places.items()
        for key, kind in dirt.broken.items()
        if not any(row["key"] == key and row["kind"] == kind.code and kind.words in row["note"] for row in rows)
    ]
    missing += [f"{key}: report" for key, kind in dirt.broken.items() if not _is_told(dirt.report, key, kind)]
    counted = dirt.settings["findings"]
    told = [row["kind"] for row in dirt.settings["finding_rows"]]
    missing += [f"{kind}: count in run.json" for kind in sorted(set(told)) if counted.get(kind) != told.count(kind)]
    errors = {row["path"]: row["error"] for row in dirt.answers if "error" in row}
    for key, kind in dirt.broken.items():
        error = errors.get(key, {"code": "", "message": ""})
        if error["code"] != kind.code or kind.words not in error["message"]:
            missing.append(f"{key}: predict")
    return missing


def _is_told(report: str, key: str, kind: Kind) -> bool:
    """Whether the words stand close behind the key, as in the row of a table."""
    return any(kind.words in report[found.end() : found.end() + 400] for found in re.finditer(re.escape(key), report))


def changed(dirt: Dirt) -> list[str]:
    """The files answered out of their order, or not as they are answered without the broken ones."""
    moved = [f"{key}: order" for key, row in zip(dirt.asked, dirt.answers, strict=False) if row["path"] != key]
    together = {row["path"]: row for row in dirt.answers}
    differing = [row["path"] for row in dirt.alone if together.get(row["path"]) != row]
    absent = set(dirt.asked) - set(together) | (
        set(dirt.asked) - set(dirt.broken) - {row["path"] for row in dirt.alone}
    )
    return [*moved, *differing, *sorted(absent)]


def _named(workshop: Workshop) -> Measured:
    dirt = _dirt(workshop)
    missing = unnamed(dirt)
    kinds = sorted({kind.code or "" for kind in dirt.broken.values()})
    words = f"{len(missing)} places of {4 * len(dirt.broken)}; {len(dirt.broken)} files: {', '.join(kinds)}"
    return Measured(len(missing), f"{words} {'; '.join(missing[:3])}".strip(), {"missing": missing})


def _answered(workshop: Workshop) -> Measured:
    dirt = _dirt(workshop)
    wrong = changed(dirt)
    words = f"{len(wrong)} of {len(dirt.alone)} {'; '.join(wrong[:3])}".strip()
    accuracy = dirt.settings["metrics"]["accuracy"]["value"]
    return Measured(len(wrong), f"{words}; it trains: accuracy {accuracy:.4f}", {"changed": wrong})


ROWS = [
    Promise(
        "dirt-1-named",
        "bears and 40 broken files: places in check, run.json, report and predict where one goes without its reason",
        at_most(0),
        COMMAND,
        _named,
    ),
    Promise(
        "dirt-1-answers",
        "the same: other photos answered out of order, or not as without the broken files",
        at_most(0),
        COMMAND,
        _answered,
    ),
]

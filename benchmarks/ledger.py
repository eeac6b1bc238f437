"""What was measured last: acceptance.json is the truth, ACCEPTANCE.md is made from it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.promise import Verdict

HEAD = """# Promises, measured

Made by `make accept` from `acceptance.json`; do not edit. `make accept ONLY=name` measures the rows whose name begins
so; the others keep the date and the figures they had. Commands are typed in the project's root; `$DATA` is
`../shared/data`, `RUN` any new folder. Times are of whole processes, start-up included, on two processors.

| promise | what | wanted | measured | command | verdict | date |
|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Row:
    """One promise as it was last measured."""

    id: str
    what: str
    wanted: str
    measured: str
    command: str
    verdict: Verdict
    date: str
    figures: dict[str, object] = field(default_factory=dict)


def read(path: Path) -> dict[str, Row]:
    """The rows kept at `path`, by id; none when there is no file."""
    if not path.exists():
        return {}
    return {kept["id"]: Row(**kept) for kept in json.loads(path.read_text(encoding="utf-8"))}


def merge(old: dict[str, Row], new: Iterable[Row], order: list[str]) -> list[Row]:
    """`old` with `new` put over it, in `order`; rows of promises no longer made are dropped.

    A skipped row never hides figures: it replaces nothing but another skipped row.
    """
    merged = dict(old)
    for row in new:
        if row.verdict != "skipped" or merged.get(row.id, row).verdict == "skipped":
            merged[row.id] = row
    return [merged[name] for name in order if name in merged]


def write(rows: list[Row], path: Path) -> None:
    """Write `path` (JSON) and ACCEPTANCE.md beside it, each whole or not at all."""
    _replace(path, json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False) + "\n")
    _replace(path.with_name("ACCEPTANCE.md"), table(rows))


def table(rows: list[Row]) -> str:
    """The text of ACCEPTANCE.md."""
    lines = (
        (row.id, row.what, row.wanted, row.measured, f"`{row.command}`", row.verdict, row.date)  # as in HEAD
        for row in rows
    )
    return HEAD + "".join("| " + " | ".join(_cell(text) for text in line) + " |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)

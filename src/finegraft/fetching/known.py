"""What can be said of a row without asking anybody: it is broken, a copy, or was settled in an earlier run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from finegraft.fetching.lists import Listed, Row
from finegraft.fetching.manifest import Line, Manifest
from finegraft.fetching.reasons import Trouble, outcome_of
from finegraft.fetching.settings import Settings
from finegraft.fetching.urls import Url, parse

# What a robots.txt or an option said may be said otherwise next time, and asking costs next to nothing.
_ASKED_ANEW = frozenset({"robots", "private"})


@dataclass
class Asked:
    """A row that must be asked for. `index` is its place in the list, `tries` how often it was asked for already."""

    index: int
    row: Row
    url: Url
    tries: int = 0


@dataclass
class Known:
    """The `lines` of settled rows by their place in the list, the rows `to_ask`, the saved `photos` by digest."""

    lines: dict[int, Line] = field(default_factory=dict)
    to_ask: list[Asked] = field(default_factory=list)
    photos: dict[str, Line] = field(default_factory=dict)


def what_is_known(listed: Listed, manifest: Manifest, settings: Settings, again: bool) -> Known:
    """Sort the rows of `listed` into settled ones and ones to ask for.

    A saved row is settled while its file is there, a copy while the file it is a copy of is, a failed one where it
    failed for good; `again` asks for those once more.
    """
    folder = manifest.path.parent
    saved = [line for line in manifest.before.values() if line.outcome == "saved" and _is_there(folder, line.path)]
    known = Known(photos={line.digest: line for line in saved if line.digest})
    elsewhere = {line.url: line for line in saved}
    first: dict[str, Row] = {}
    for index, row in enumerate(listed.rows):
        try:
            url = _address(row)
        except Trouble as trouble:
            known.lines[index] = line_of(row, listed.name, row.url, trouble)
            continue
        copy = _copied(row, str(url), listed.name, first, elsewhere)
        before = manifest.before.get((row.label, str(url), None))
        if copy is not None:
            known.lines[index] = copy
            continue
        first[str(url)] = row
        if before is not None and _is_settled(before, folder, settings, again):
            known.lines[index] = replace(before, row=row.number, list=listed.name)
        else:
            known.to_ask.append(Asked(index, row, url))
    return known


def line_of(row: Row, name: str, url: str, trouble: Trouble, tries: int = 0, same_as: str | None = None) -> Line:
    """The line of a row of the list `name` that is not saved."""
    return Line(
        row.number,
        name,
        row.label,
        url,
        outcome_of(trouble.kind),
        kind=trouble.kind,
        reason=trouble.reason,
        retry=trouble.passing or trouble.kind in _ASKED_ANEW,
        same_as=same_as,
        bytes=trouble.size,
        tries=tries,
    )


def _address(row: Row) -> Url:
    if row.problem is not None:
        raise Trouble("bad-row", row.problem)
    return parse(row.url)


def _copied(row: Row, url: str, name: str, first: dict[str, Row], elsewhere: dict[str, Line]) -> Line | None:
    """The line of a row whose address another row has, in this list or in the folder."""
    saved = elsewhere.get(url)
    if saved is not None and saved.label != row.label:
        reason = f"This address is saved already under the label {saved.label!r}, as {saved.path}."
        return line_of(row, name, url, Trouble("two-labels", reason), same_as=saved.path)
    other = first.get(url)
    if other is None:
        return None
    if other.label == row.label:
        return line_of(row, name, url, Trouble("same-url", f"The same address as line {other.number}."))
    reason = f"The same address as line {other.number}, where it has the label {other.label!r}."
    return line_of(row, name, url, Trouble("two-labels", reason))


def _is_settled(before: Line, folder: Path, settings: Settings, again: bool) -> bool:
    if before.outcome == "saved":
        return _is_there(folder, before.path)
    if before.same_as is not None:
        return _is_there(folder, before.same_as)
    if before.kind == "too-large" and before.bytes is not None and before.bytes <= settings.max_bytes:
        return False
    return before.outcome == "failed" and not before.retry and not again


def _is_there(folder: Path, path: str | None) -> bool:
    """Whether `path`, which may be anything since a manifest can be edited, is a file of the folder."""
    try:
        return path is not None and (folder / path).is_file()
    except (OSError, ValueError):
        return False

"""Which column of a table is the address and which the label: by their names, else by what they hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from finegraft.errors import DataError
from finegraft.fetching.plain import has_address, is_address, is_label
from finegraft.fetching.records import Record, cells_of

DELIMITERS = ("\t", ",", ";", "|")
# In order of preference: iNaturalist's exports have `url` (a page) beside `image_url`, Open Images has `OriginalURL`
# beside `Thumbnail300KURL`.
_ADDRESSES = (
    *("imageurl", "imgurl", "photourl", "pictureurl", "mediaurl", "originalurl", "downloadurl", "contenturl"),
    *("url", "urls", "link", "links", "href", "uri", "src", "image", "img", "photo", "picture", "address", "source"),
)
_LABELS = ("label", "labels", "class", "classname", "labelname", "category", "categoryname", "target", "species", "tag")
_SAMPLE = 200


@dataclass(frozen=True)
class Columns:
    """The places of address and label, and how many cells a record has; `label` is None where there is no column."""

    address: int
    label: int | None
    count: int


def delimiter_of(lines: Sequence[str]) -> str | None:
    """What separates the cells in `lines` (none empty); None where they are no table."""
    for delimiter in DELIMITERS:
        names = [_plain(cell) for cell in cells_of(lines[0], delimiter)]
        if len(names) > 1 and set(names) & set(_ADDRESSES):
            return delimiter
    sample = [line for line in lines[:_SAMPLE] if has_address(line)]
    tables = {d: sum(_is_row(cells_of(line, d), d) for line in sample) for d in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: tables[delimiter])
    return best if sample and 2 * tables[best] > len(sample) else None


def is_header(cells: Sequence[str]) -> bool:
    """Whether a first record names columns: it holds no address."""
    return not any(map(has_address, cells))


def are_names(words: Sequence[str]) -> bool:
    """Whether all `words` are usual names of columns: the first line of a list without columns may be such."""
    return bool(words) and {_plain(word) for word in words} <= {*_ADDRESSES, *_LABELS}


def columns_of(
    header: Sequence[str] | None,
    records: Sequence[Record],
    name: str,
    target: str | None = None,
    url: str | None = None,
    labelled: bool = False,
) -> Columns:
    """The columns of the list called `name`, whose `records` come without the `header`.

    `target` and `url` choose label and address; with `labelled`, the label comes from elsewhere. Raises `DataError`
    where it cannot be told which is which, or there is no such column.
    """
    sizes = Counter(len(record.cells) for record in records)
    count = len(header) if header is not None else max(sizes, key=sizes.__getitem__, default=0)
    names = list(header) if header is not None else [str(number) for number in range(1, count + 1)]
    held = [sum(is_address(cell) for cell in _column(records, place)) for place in range(count)]
    address = _chosen(url, names, name, "--url") if url is not None else _address(names, held, name)
    if labelled:
        return Columns(address, None, count)
    if target is not None:
        return Columns(address, _chosen(target, names, name, "--target"), count)
    others = [place for place in range(count) if place != address]
    named = _first_named(names, others, _LABELS)
    if named is None and len(others) > 1:
        raise DataError(
            f"It cannot be told which column of {name} is the label: {_listed(names, others)}.",
            "Say it with --target, or give every row the same one with --label.",
        )
    return Columns(address, named if named is not None else next(iter(others), None), count)


def _address(names: Sequence[str], held: Sequence[int], name: str) -> int:
    """The column with addresses; where several have about as many, the one whose name comes first among the usual."""
    most = max(held, default=0)
    places = [place for place, number in enumerate(held) if 2 * number >= most]
    if len(places) == 1:
        return places[0]
    named = _first_named(names, places, _ADDRESSES)
    if named is None and most:
        raise DataError(f"Several columns of {name} hold addresses: {_listed(names, places)}.", "Choose with --url.")
    return named or 0


def _first_named(names: Sequence[str], places: Sequence[int], usual: Sequence[str]) -> int | None:
    plain = {_plain(names[place]): place for place in reversed(places)}
    return next((plain[word] for word in usual if word in plain), None)


def _chosen(given: str, names: Sequence[str], name: str, option: str) -> int:
    for place, column in enumerate(names):
        if column.casefold() == given.strip().casefold():
            return place
    if given.isdecimal() and 1 <= int(given) <= len(names):
        return int(given) - 1
    raise DataError(f"{name} has no column {given!r}, as {option} asks.", f"It has: {_listed(names)}.")


def _listed(names: Sequence[str], places: Sequence[int] | None = None) -> str:
    shown = [names[place] for place in places] if places is not None else list(names)
    return ", ".join(shown[:12]) + (", …" if len(shown) > 12 else "")


def _column(records: Sequence[Record], place: int) -> list[str]:
    return [record.cells[place] for record in records[:_SAMPLE] if place < len(record.cells)]


def _is_row(cells: Sequence[str], delimiter: str) -> bool:
    """Whether one cell is an address and the others may be something else: addresses can hold commas themselves."""
    places = [place for place, cell in enumerate(cells) if is_address(cell)]
    if len(cells) < 2 or not places:
        return False
    alone = places[0] == 0 and delimiter in ",;"
    return not alone or all(is_label(cell) or is_address(cell) or not cell for cell in cells[1:])


def _plain(name: str) -> str:
    return re.sub(r"[\s_.#-]", "", name).casefold()

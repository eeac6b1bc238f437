"""Class and split of files in folders, once it is known which of them are photos."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import replace

from finegraft.data.record import Split
from finegraft.vision.layout import Layout
from finegraft.vision.listing import Found, Listing

_NO_CLASS = "This photo lies in no class folder. Move it into the folder of its class."
_NO_SPLIT = "This photo lies outside the given splits. Move it below the train folder, or take those splits away."

# A file, and the source it was found in.
Owned = tuple[Found, Listing]


def placed(owned: Sequence[Owned], bad: Container[int]) -> Iterator[Found]:
    """Every file with its class and split: those of its folders, or what its table says; `bad` are those no photos.

    All of a test source is the test part, whatever its folders are called.
    """
    inside: dict[int, list[str]] = {}
    for at, (found, listing) in enumerate(owned):
        photos = inside.setdefault(id(listing), [])
        if listing.by_folder and at not in bad:
            photos.append(found.key[len(listing.prefix) :])
    layouts = {listing: Layout.of(keys) for listing, keys in inside.items()}
    for found, listing in owned:
        if listing.by_folder:
            yield _in_folders(found, layouts[id(listing)], listing)
        else:
            yield found if listing.part is None else replace(found, split=listing.part)


def _in_folders(found: Found, layout: Layout, listing: Listing) -> Found:
    place = layout.place(found.key[len(listing.prefix) :])
    split: Split | None = listing.part or place.split
    if found.code is not None:
        return replace(found, split=split)
    if place.label is None:
        return replace(found, split=split, code="misplaced", reason=_NO_CLASS)
    if place.outside and listing.part is None:
        return replace(found, label=place.label, split=split, code="misplaced", reason=_NO_SPLIT)
    return replace(found, label=place.label, split=split)

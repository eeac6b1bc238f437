"""Traits of photos: what their looks, their folders and the rows of a table tell of them besides the class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from finegraft.data.traits import MOST_TEXTS, Traits, merged
from finegraft.vision.layout import SPLITS
from finegraft.vision.listing import Found, Listing
from finegraft.vision.placing import Owned

_LUMA = np.array((0.299, 0.587, 0.114), dtype=np.float32)  # as Pillow makes grey (ITU-R BT.601)


def traits_of(owned: Sequence[Owned], looks: np.ndarray) -> Traits:
    """The traits of n files with these `looks` (n,) of `finegraft.vision.looks.LOOK`: those below, and table columns.

    A column of a table comes before a trait of the same name.
    """
    return {**of_looks(looks), **of_folders(folders_of(*one) for one in owned), **_of_rows(owned)}


def of_looks(looks: np.ndarray) -> Traits:
    """What the looks (n,) of photos tell, each float32 (n,), nan for a file that is no photo:

    - brightness: the mean grey, from 0 for black to 1 for white
    - shorter side: its pixels
    - blur: see `finegraft.vision.sharpness`; above 0.55 a photo is a finding
    - elongation: how many times as long the longer side is as the shorter one
    """
    seen = looks["width"] > 0
    shorter, longer = (pick(looks["width"], looks["height"]).astype(np.float32) for pick in (np.minimum, np.maximum))
    found = {
        "brightness": looks["colours"].mean(axis=(1, 2), dtype=np.float32) @ _LUMA / 255,
        "shorter side": shorter,
        "blur": looks["blur"].min(axis=1, initial=1),
        "elongation": longer / np.maximum(shorter, 1),
    }
    return {name: np.where(seen, values, np.nan).astype(np.float32) for name, values in found.items()}


def folders_of(found: Found, listing: Listing) -> tuple[str, ...]:
    """The folders of a file that name neither its class nor a given split, outermost first.

    Of photos/test/phone/rose/1.jpg that is phone.
    """
    folders = found.key.removeprefix(listing.prefix).split("/")[:-1]
    if listing.by_folder:
        folders = folders[:-1]
    return tuple(f for f in folders if f.lower() not in SPLITS and f not in ("", ".", "..", found.label))


def of_folders(folders: Iterable[tuple[str, ...]]) -> Traits:
    """The trait "folder": all folders of each file, or the outermost alone where they are more than 50 different ones.

    There is none where all of them are one, or where the outermost are too many as well.
    """
    known: dict[tuple[str, ...], tuple[str, ...]] = {}
    each = [known.setdefault(one, one) for one in folders]
    for depth in (None, 1):
        names = {one: "/".join(one[:depth]) for one in known}
        texts = {name: name for name in names.values()}  # of equal texts, one object
        if 1 < len(texts.keys() - {""}) <= MOST_TEXTS:
            return {"folder": np.array([texts[names[one]] for one in each], dtype=object)}
    return {}


def _of_rows(owned: Sequence[Owned]) -> Traits:
    """The traits that tables give, for files that may come from two of them."""
    parts = []
    for rows in {id(listing): listing.rows for _, listing in owned}.values():
        if rows.traits:
            places = rows.places([found if listing.rows is rows else Found("") for found, listing in owned])
            parts.append((rows.traits, places))
    return merged(parts)

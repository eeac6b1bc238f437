"""What is wrong with good photos: dark, light, blurred, tiny, of an odd shape, stretched, animated.

A trait that most photos share is one finding about the set: drawings on black are not each too dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from finegraft.data.copies import NearCopy
from finegraft.data.findings import Finding
from finegraft.data.record import Record
from finegraft.vision.looks import JUDGED_AT

# Of 1,640 photos of clothes, bears, pets and of ImageNet none is dark or blurred by these, two are light, and four of
# an odd shape. Blurred as with a radius of 3 pixels of 256, 95 of 100 are found.
_DARK, _LIGHT = 45, 225  # of 255: what 95 % of the pixels are below, or above
_BLURRED = 0.55  # see finegraft.vision.sharpness; the blurriest of those photos has 0.45
_TINY = 64  # pixels of the shorter side; a model looks at 224 and more
_LONG = 3.0  # times as long as wide: the middle square, which a model sees, is a third of it
_PULLED = 1.2  # times another shape than a copy; a crop of 5 % on two sides makes 1.11 of it
_TRAIT = 0.5  # the share of the photos above which a flaw is one of the set
_FEWEST = 10  # photos of which a share says something


def flaws(records: Sequence[Record], looks: np.ndarray) -> list[Finding]:
    """Findings about n good photos with these `looks` (n,), kind by kind, each in the order of `records`."""
    width, height = looks["width"].astype(np.int64), looks["height"].astype(np.int64)
    shorter, longer = np.minimum(width, height), np.maximum(width, height)
    blur = looks["blur"].min(axis=1, initial=1)
    tiny = shorter < _TINY
    return [
        *_found(records, "dark", looks["light"] <= _DARK, 1 - looks["light"] / 255, looks),
        *_found(records, "light", looks["dark"] >= _LIGHT, looks["dark"] / 255, looks),
        *_found(records, "blurred", (blur >= _BLURRED) & ~tiny, blur, looks),
        *_found(records, "tiny", tiny, 1 - shorter / _TINY, looks),
        *_found(records, "odd-shape", longer >= _LONG * shorter, 1 - shorter / np.maximum(longer, 1), looks),
        *_found(records, "animated", looks["frames"] > 1, np.ones(len(looks)), looks),
    ]


def stretched(records: Sequence[Record], looks: np.ndarray, near: Iterable[NearCopy]) -> list[Finding]:
    """A finding for each near copy in another shape than its earlier record."""
    shape = looks["width"] / np.maximum(looks["height"], 1)
    found = []
    for pair in near:
        ratio = max(shape[pair.first], shape[pair.second]) / max(min(shape[pair.first], shape[pair.second]), 1e-9)
        if ratio >= _PULLED:
            here, there = (_size(looks[at]) for at in (pair.second, pair.first))
            note = f"The same photo as {records[pair.first].key}, but {here} pixels instead of {there}: one was pulled."
            score = round(float(1 - 1 / ratio), 3)
            found.append(Finding(records[pair.second].key, "stretched", score, note, records[pair.first].key))
    return found


def _found(
    records: Sequence[Record], kind: str, flawed: np.ndarray, scores: np.ndarray, looks: np.ndarray
) -> list[Finding]:
    """One finding for each flawed photo, or one for the set where most of it is."""
    places = np.flatnonzero(flawed)
    if len(records) >= _FEWEST and len(places) > _TRAIT * len(records):
        note = f"{len(places):,} of {len(records):,} photos: {_TRAITS[kind]}"
        return [Finding("", kind, round(len(places) / len(records), 3), note)]
    return [
        Finding(records[at].key, kind, round(float(np.clip(scores[at], 0, 1)), 3), _note(kind, looks[at]))
        for at in places.tolist()
    ]


_TRAITS = {
    "dark": "nearly all black. Fine if all photos will be so; else take lighter ones.",
    "light": "nearly all white. Fine if all photos will be so; else take darker ones.",
    "blurred": "no fine detail. Fine if all photos will be so; what hangs on detail cannot be learned.",
    "tiny": f"fewer than {_TINY} pixels wide or high. Fine if all photos will be so; larger ones would show more.",
    "odd-shape": "far longer than wide. A model sees the middle square: consider --resize pad or squish.",
    "animated": "more than one picture in a file. Only the first one is used.",
}


def _note(kind: str, look: np.ndarray) -> str:
    match kind:
        case "dark":
            return f"95 % of it is darker than {look['light']} of 255. Take it again, or leave it out."
        case "light":
            return f"95 % of it is lighter than {look['dark']} of 255. Take it again, or leave it out."
        case "blurred":
            return f"No fine detail at {JUDGED_AT} pixels, where a model looks. Take it again, or leave it out."
        case "tiny":
            return f"Only {_size(look)} pixels. Find a larger copy, or leave it out."
        case "odd-shape":
            return f"{_size(look)} pixels: a model sees the middle square. Crop it, or use --resize pad or squish."
        case _:
            return "More than one picture in the file. Only the first one is used."


def _size(look: np.ndarray) -> str:
    return f"{look['width']:,} × {look['height']:,}"

"""Near copies among many photos: resized, recompressed, cropped a little, mirrored.

Near hashes make candidates, few and without comparing all with all; the colours of 16 patches rule most of them out;
the rest are decoded again and laid over each other. So low detail alone makes no copies: by hashes, 71 % of the
handwritten digits look like copies of others.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from finegraft.data.copies import NearCopy
from finegraft.data.hamming import near
from finegraft.vision.alignment import agreement
from finegraft.vision.hashing import MIRRORED, WHOLE

# Bits of 64. Of 500 planted copies 498 are within it of one of the windows (see finegraft.vision.hashing), and two
# different clothing photos in 1,000 pairs.
_DISTANCE = 12
# Mean difference of the 4 × 4 patches, in grey levels, and correlation of their lightness: 99.5 % of planted copies lie
# inside both, and one in three of the other candidates.
_PATCHES_APART, _PATCHES_ALIKE = 24.0, 0.8
_AT_ONCE = 256  # pairs compared together
_KEPT = 2048  # decoded pictures kept at hand: 8 MB

# Grey pictures uint8 (64, 64) of the photos at these places; None for one that cannot be had any more.
Show = Callable[[Sequence[int]], Sequence[np.ndarray | None]]


def near_copies(looks: np.ndarray, show: Show) -> list[NearCopy]:
    """The near copies found among n photos with these `looks` (n,), sorted by their places.

    `score` of each is the correlation of the details of the two.
    """
    pairs = _candidates(looks)
    shown = _Shown(show)
    found: dict[tuple[int, int], NearCopy] = {}
    for mirrored in (False, True):
        likely = pairs[_alike(looks["colours"], pairs, mirrored)]
        for part in _parts(likely):
            for copy in _confirmed(part, shown, mirrored):
                known = found.get((copy.first, copy.second))
                if known is None or known.score < copy.score:
                    found[copy.first, copy.second] = copy
    return [found[pair] for pair in sorted(found)]


def _candidates(looks: np.ndarray) -> np.ndarray:
    hashes = looks["hashes"]
    # Copies have nearly the same colours: where hashes tell nothing apart, neighbours by these are compared.
    order = looks["colours"].mean(axis=(1, 2), dtype=np.float32)
    return near(hashes[:, :MIRRORED], hashes[:, [WHOLE, MIRRORED]], order, _DISTANCE)


def _alike(colours: np.ndarray, pairs: np.ndarray, mirrored: bool) -> np.ndarray:
    """Which pairs (m, 2) have patches uint8 (n, 4, 4, 3) that a copy could have: bool (m,)."""
    return np.concatenate(
        [np.zeros(0, bool), *(_alike_part(colours, part, mirrored) for part in _parts(pairs, 65_536))]
    )


def _alike_part(colours: np.ndarray, pairs: np.ndarray, mirrored: bool) -> np.ndarray:
    first = colours[pairs[:, 0]].astype(np.float32)
    second = colours[pairs[:, 1]].astype(np.float32)
    second = second[:, :, ::-1] if mirrored else second
    apart = np.abs(first - second).mean(axis=(1, 2, 3))
    a, b = (lightness - lightness.mean(axis=(1, 2), keepdims=True) for lightness in (first.mean(3), second.mean(3)))
    alike = (a * b).sum(axis=(1, 2)) / np.sqrt((a * a).sum(axis=(1, 2)) * (b * b).sum(axis=(1, 2)) + 1e-3)
    return np.asarray((apart < _PATCHES_APART) & (alike > _PATCHES_ALIKE))


def _parts(pairs: np.ndarray, size: int = _AT_ONCE) -> Iterator[np.ndarray]:
    return (pairs[start : start + size] for start in range(0, len(pairs), size))


def _confirmed(pairs: np.ndarray, shown: _Shown, mirrored: bool) -> Iterator[NearCopy]:
    pictures = shown.of(np.unique(pairs).tolist())
    there = np.array([first in pictures and second in pictures for first, second in pairs.tolist()], dtype=bool)
    pairs = pairs[there]
    if not len(pairs):
        return
    first, second = (np.stack([pictures[at] for at in pairs[:, side].tolist()]).astype(np.float32) for side in (0, 1))
    found = agreement(first, second[:, :, ::-1] if mirrored else second)
    for at in np.flatnonzero(found.same):
        score = min(float(found.correlation[at]), 1.0)
        yield NearCopy(int(pairs[at, 0]), int(pairs[at, 1]), score, "mirrored" if mirrored else "")


class _Shown:
    """Pictures by place, the latest of them kept: candidates of one photo lie together."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._kept: OrderedDict[int, np.ndarray | None] = OrderedDict()

    def of(self, places: Sequence[int]) -> dict[int, np.ndarray]:
        missing = [place for place in places if place not in self._kept]
        fresh = dict(zip(missing, self._show(missing), strict=True))
        wanted = {place: self._kept[place] if place in self._kept else fresh[place] for place in places}
        self._kept.update(fresh)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return {place: picture for place, picture in wanted.items() if picture is not None}

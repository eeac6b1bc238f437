"""Pairs of 64-bit hashes that differ in few bits, found without comparing all with all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

# Draws of bits that are sorted by. Two hashes 4 bits apart agree on 20 given bits in one draw of four; in one of
# twelve in 97 of 100 cases.
_DRAWS = 12
# Neighbours looked at in a sorted order among those that agree. It bounds the work where a whole set looks alike:
# then those beside each other in `order` are compared, of which true copies are some.
_NEIGHBOURS = 64
_SEED = 0


def near(hashes: np.ndarray, probes: np.ndarray, order: np.ndarray, distance: int) -> np.ndarray:
    """Pairs (i, j), i < j, of which a probe of one differs from a hash of the other in `distance` bits at the most.

    `hashes` uint64 (n, h) and `probes` uint64 (n, p) are what each of n items is found by and searched with; `order`
    float (n, k) holds k numbers that are nearly equal for copies, such as mean colours. Returns int64 (m, 2), sorted,
    no pair twice. Sorted by some of the bits, near hashes lie side by side (multi-index hashing, Norouzi et al.,
    2012): the work grows as n log n. Not all pairs are found, see `_DRAWS`.
    """
    n = len(hashes)
    if n < 2:
        return np.empty((0, 2), dtype=np.int64)
    entries = np.concatenate([*hashes.T, *probes.T])
    search = _Search(n, hashes.size, distance)
    found = [
        search.neighbours(entries, part, mask, order[:, draw % order.shape[1]])
        for draw, mask in enumerate(_masks(len(entries)))
        for part in _parts(entries, mask)
    ]
    pairs = np.unique(np.concatenate(found))
    return np.stack([pairs // n, pairs % n], axis=1)


def _parts(entries: np.ndarray, mask: np.uint64) -> Iterator[np.ndarray]:
    """The places of the entries, int32, in eight parts that share no masked value: each needs an eighth of the room."""
    kinds = np.zeros(len(entries), np.uint8)
    for bit in [bit for bit in range(64) if int(mask) >> bit & 1][:3]:
        kinds = kinds * np.uint8(2) + (entries & np.uint64(1 << bit) != 0)
    return (np.flatnonzero(kinds == kind).astype(np.int32) for kind in range(8))


@dataclass(frozen=True)
class _Search:
    """Place p of the entries belongs to item p % n; places from `probes` on are probes."""

    n: int
    probes: int
    distance: int

    def neighbours(self, entries: np.ndarray, part: np.ndarray, mask: np.uint64, order: np.ndarray) -> np.ndarray:
        """Pairs, each as one number i * n + j, among neighbours of `part` in the order by masked bits, then `order`."""
        keys = entries[part] & mask
        by = np.lexsort((order[part % self.n], keys))
        keys, places = keys[by], part[by]
        at = np.flatnonzero(keys[:-1] == keys[1:])
        found = [np.empty(0, dtype=np.int64)]
        for step in range(1, _NEIGHBOURS + 1):
            at = at[at + step < len(keys)]
            at = at[keys[at] == keys[at + step]]
            if not len(at):
                break
            found.append(self._near(entries, places[at], places[at + step]))
        return np.concatenate(found)

    def _near(self, entries: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        wanted = (a >= self.probes) != (b >= self.probes)
        wanted &= np.bitwise_count(entries[a] ^ entries[b]) <= self.distance
        i, j = a[wanted].astype(np.int64) % self.n, b[wanted].astype(np.int64) % self.n
        return np.unique((np.minimum(i, j) * self.n + np.maximum(i, j))[i != j])


def _masks(entries: int) -> list[np.uint64]:
    """Masks of so many bits that each of their values is shared by about one entry, were the bits random."""
    width = int(np.clip(np.ceil(np.log2(entries)), 12, 24))
    rng = np.random.default_rng(_SEED)
    bits = np.concatenate([rng.permutation(64) for _ in range(-(-width * _DRAWS // 64))])
    return [_mask(bits[k * width : (k + 1) * width]) for k in range(_DRAWS)]


def _mask(bits: np.ndarray) -> np.uint64:
    return np.uint64(sum(1 << int(bit) for bit in set(bits.tolist())))

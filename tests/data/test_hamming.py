from __future__ import annotations

import numpy as np

from finegraft.data.hamming import near


def flipped(value: np.uint64, bits: list[int]) -> np.uint64:
    for bit in bits:
        value ^= np.uint64(1) << np.uint64(bit)
    return value


def test_all_near_pairs_and_no_far_one_are_found_among_random_hashes() -> None:
    rng = np.random.default_rng(0)
    base = rng.integers(0, 2**64, 2000, dtype=np.uint64)
    copies = np.array([flipped(base[i], rng.permutation(64)[: i % 5].tolist()) for i in range(200)])
    hashes = np.concatenate([base, copies])[:, None]
    pairs = near(hashes, hashes, np.zeros((len(hashes), 1)), 4)
    everything = {(i, 2000 + i) for i in range(200)}
    assert len(set(map(tuple, pairs.tolist())) & everything) >= 196
    distances = np.bitwise_count(hashes[pairs[:, 0], 0] ^ hashes[pairs[:, 1], 0])
    assert distances.max() <= 4


def test_a_probe_finds_any_of_the_hashes_of_another() -> None:
    rng = np.random.default_rng(1)
    hashes = rng.integers(0, 2**64, (500, 3), dtype=np.uint64)
    probes = rng.integers(0, 2**64, (500, 1), dtype=np.uint64)
    probes[10, 0] = hashes[400, 2]
    assert near(hashes, probes, np.zeros((500, 1)), 0).tolist() == [[10, 400]]


def test_the_same_whatever_the_scale_of_the_order() -> None:
    rng = np.random.default_rng(2)
    hashes = rng.integers(0, 2**8, (300, 1), dtype=np.uint64)
    order = rng.random((300, 2))
    assert (near(hashes, hashes, order, 1) == near(hashes, hashes, 100 * order, 1)).all()


def test_where_all_hashes_are_equal_neighbours_in_order_are_pairs_and_the_work_is_bounded() -> None:
    n = 5000
    hashes = np.zeros((n, 1), np.uint64)
    order = np.random.default_rng(3).permutation(n).astype(float)[:, None]
    pairs = near(hashes, hashes, order, 0)
    assert len(pairs) < 100 * n
    apart = np.abs(order[pairs[:, 0], 0] - order[pairs[:, 1], 0])
    assert apart.max() <= 64
    assert np.unique(pairs).size == n, "each has a neighbour"


def test_fewer_than_two_hashes_have_no_pairs() -> None:
    for n in (0, 1):
        hashes = np.zeros((n, 1), np.uint64)
        assert near(hashes, hashes, np.zeros((n, 1)), 64).shape == (0, 2)

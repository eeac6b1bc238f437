from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.faults.moments import moments, positions, shares, spread

weights = st.dictionaries(st.text(min_size=1), st.floats(0, 1e6), min_size=1, max_size=12)


@given(weights, st.integers(0, 200))
def test_all_is_given_and_nobody_is_left_out(lengths: dict[str, float], count: int) -> None:
    given_out = shares(lengths, count)
    assert sum(given_out.values()) == count
    assert given_out.keys() == lengths.keys()
    assert min(given_out.values()) >= (1 if count >= len(lengths) else 0)


def test_half_goes_by_weight() -> None:
    assert shares({"long": 9.0, "short": 1.0}, 100) == {"long": 70, "short": 30}
    assert shares({}, 5) == {}
    assert shares({"a": 0.0, "b": 0.0}, 4) == {"a": 2, "b": 2}


@given(st.integers(0, 50), st.integers())
def test_one_number_in_each_equal_part(count: int, seed: int) -> None:
    numbers = spread(count, random.Random(seed))
    assert [int(number * count) for number in numbers] == list(range(count))


def test_moments_lie_in_their_phases_and_are_repeatable() -> None:
    lengths = {"check": 0.5, "features": 8.0, "bundle": 0.25}
    drawn = moments(lengths, 60, random.Random(3))
    assert drawn == moments(lengths, 60, random.Random(3))
    assert drawn != moments(lengths, 60, random.Random(4))
    assert Counter(name for name, _ in drawn) == shares(lengths, 60)
    assert all(0 <= after < lengths[name] for name, after in drawn)


@given(st.lists(st.sampled_from("abcd"), max_size=60), st.integers(0, 30), st.integers())
def test_positions_are_of_all_kinds(names: list[str], count: int, seed: int) -> None:
    drawn = positions(names, count, random.Random(seed))
    assert drawn == sorted(set(drawn))
    assert len(drawn) == min(count, len(names))
    if count >= len(set(names)):
        assert {names[position] for position in drawn} == set(names)

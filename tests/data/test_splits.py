from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finegraft.data.record import Record
from finegraft.data.splits import folds, hold_out, strata
from finegraft.errors import DataError, UsageError


def rows(counts: dict[str, int]) -> list[Record]:
    return [Record(f"{label}/{i}", f"{label}{i}", label) for label, count in counts.items() for i in range(count)]


# Few digests on purpose: many exact copies, also across labels.
crowded = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 25)), min_size=1, max_size=60).map(
    lambda pairs: [Record(f"{i}", f"d{digest}", label) for i, (label, digest) in enumerate(pairs)]
)


@pytest.mark.parametrize(("valid", "wanted"), [(0.2, {"a": 20, "b": 2, "c": 1}), (0.5, {"a": 50, "b": 5, "c": 1})])
def test_a_part_of_every_class_is_held_out(valid: float, wanted: dict[str, int]) -> None:
    records = rows({"a": 100, "b": 10, "c": 2})
    held = hold_out(records, valid, seed=0)
    assert Counter(key[0] for key in held) == wanted


@given(crowded, st.floats(0.01, 0.99), st.integers(-5, 5))
@settings(max_examples=200, deadline=None)
def test_promises_of_holding_out(records: list[Record], valid: float, seed: int) -> None:
    try:
        held = hold_out(records, valid, seed)
    except DataError:
        return
    digests = {r.key: r.digest for r in records}
    outside = {r.digest for r in records if r.key not in held}
    assert not outside & {digests[key] for key in held}, "copies stay on one side"
    labels = {d: {r.label for r in records if r.digest == d} for d in digests.values()}
    for label in {r.label for r in records}:
        mine = {d for d, names in labels.items() if label in names}
        judged = {digests[key] for key in held} & mine
        assert len(mine - judged) >= 1, "every class keeps something to learn from"
        if len(mine) >= 2 and any(labels[d] == {label} for d in mine):
            assert judged, "every class with two photos has something to judge"
    assert all(len(labels[digests[key]]) == 1 for key in held)


@given(crowded, st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_the_order_of_records_does_not_matter(records: list[Record], shuffler: random.Random) -> None:
    def outcome(given_rows: list[Record]) -> frozenset[str] | str:
        try:
            return hold_out(given_rows, 0.3, seed=4)
        except DataError as error:
            return str(error)

    shuffled = list(records)
    shuffler.shuffle(shuffled)
    assert outcome(records) == outcome(shuffled)


def test_names_do_not_matter_content_does() -> None:
    records = rows({"a": 30, "b": 30})
    renamed = [Record(f"other-{r.key}", r.digest, r.label) for r in records]
    assert {f"other-{key}" for key in hold_out(records, 0.2, 0)} == hold_out(renamed, 0.2, 0)


def test_seeds_differ_and_repeat() -> None:
    records = rows({"a": 50, "b": 50})
    assert hold_out(records, 0.2, 0) == hold_out(records, 0.2, 0)
    assert len({hold_out(records, 0.2, seed) for seed in range(5)}) == 5


def test_one_more_file_moves_at_most_two_others() -> None:
    records = rows({"a": 100, "b": 100})
    before = hold_out(records, 0.2, 0)
    for i in range(20):
        after = hold_out([*records, Record("a/new", f"new{i}", "a")], 0.2, 0)
        assert len((before ^ after) - {"a/new"}) <= 2


def test_every_record_is_held_out_under_some_seed_about_as_often_as_any_other() -> None:
    records = rows({"a": 20, "b": 20})
    counted = Counter(key for seed in range(400) for key in hold_out(records, 0.25, seed))
    assert len(counted) == 40
    assert 60 < min(counted.values()) <= max(counted.values()) < 145  # 100 expected; 5 standard deviations are 43


def test_left_out_records_and_records_without_label_are_not_held_out() -> None:
    records = [*rows({"a": 5, "b": 5}), Record("bad", "", "a", None, "empty"), Record("stray", "s", None)]
    assert not {"bad", "stray"} & hold_out(records, 0.9, 0)


@pytest.mark.parametrize("valid", [0, 1, -0.1, 1.5, float("nan")])
def test_the_part_must_lie_between_0_and_1(valid: float) -> None:
    with pytest.raises(UsageError, match=r"must lie between 0 and 1, got .*\. A fifth is 0\.2\."):
        hold_out(rows({"a": 5, "b": 5}), valid, 0)


@pytest.mark.parametrize(
    ("records", "text"),
    [
        ([], "There is nothing to learn from: no record is usable. See what `finegraft check` says."),
        (rows({"rose": 9}), "All 9 records are of one class, 'rose'. Add a second class"),
        (rows({"a": 1, "b": 1}), "Each class has one photo; none could be held out .* Add photos: at least two"),
        ([Record("a/1", "x", "a"), Record("a/2", "x", "a"), Record("b/1", "y", "b")], "all photos of each class stay"),
        (
            [Record(f"{c}/{i}", f"{c}{i}", c, group=c) for c in "ab" for i in range(3)],
            "Nothing could be held out: all photos of each class stay together, as copies or by their group. Add",
        ),
        (
            [Record(f"{c}/{g}", f"{c}{g}", c, group=g) for c, g in ("a1", "b1", "a2", "c2")],
            "what stays together holds all photos of a class, or some .* divide them into more groups",
        ),
        ([Record(f"{c}/{d}", d, c) for c in "ab" for d in "xy"], "every photo lies under two labels. Keep the right"),
    ],
)
def test_what_cannot_be_split_is_said(records: list[Record], text: str) -> None:
    with pytest.raises(DataError, match=text):
        hold_out(records, 0.2, 0)


@given(crowded, st.integers(2, 6), st.integers(0, 3))
@settings(max_examples=100, deadline=None)
def test_promises_of_folds(records: list[Record], k: int, seed: int) -> None:
    labels = np.array(["abcd".index(str(r.label)) for r in records])
    digests = [r.digest for r in records]
    if len(set(digests)) < k:
        with pytest.raises(DataError, match=f"{k} folds need {k} different records or more, got "):
            folds(labels, digests, k, seed)
        return
    chosen = folds(labels, digests, k, seed)
    assert chosen.shape == labels.shape
    assert set(chosen) == set(range(k)), "no fold is empty"
    assert all(len(set(chosen[[d == digest for d in digests]])) == 1 for digest in digests), "copies share a fold"
    order = np.random.default_rng(0).permutation(len(labels))
    assert (folds(labels[order], [digests[i] for i in order], k, seed) == chosen[order]).all()


def test_folds_of_distinct_records_are_as_even_as_can_be() -> None:
    counts = [53, 7, 20, 4]
    labels = np.repeat(np.arange(4), counts)
    chosen = folds(labels, [str(i) for i in range(84)], k=5, seed=0)
    for label, count in enumerate(counts):
        per_fold = np.bincount(chosen[labels == label], minlength=5)
        assert per_fold.max() - per_fold.min() <= 1, (label, count)
    whole = np.bincount(chosen)
    assert whole.max() - whole.min() <= 1


def test_a_much_copied_photo_does_not_unbalance_the_folds() -> None:
    digests = [*["copied"] * 8, *(str(i) for i in range(32))]
    chosen = folds(np.zeros(40, dtype=int), digests, k=5, seed=0)
    assert np.bincount(chosen).tolist() == [8] * 5


def test_folds_depend_on_the_seed_and_on_nothing_else() -> None:
    labels, digests = np.repeat([0, 1], 20), [str(i) for i in range(40)]
    assert (folds(labels, digests, 5, 0) == folds(labels, digests, 5, 0)).all()
    assert (folds(labels, digests, 5, 0) != folds(labels, digests, 5, 1)).any()


def test_one_fold_is_refused() -> None:
    with pytest.raises(UsageError, match="at least two folds, got 1"):
        folds(np.zeros(3, dtype=int), ["a", "b", "c"], 1, 0)


def in_groups(sizes: dict[str, list[int]]) -> list[Record]:
    """Records of each class in groups of these sizes."""
    return [
        Record(f"{label}/{g}/{i}", f"{label}{g}.{i}", label, group=f"{label}-{g}")
        for label, counts in sizes.items()
        for g, count in enumerate(counts)
        for i in range(count)
    ]


@given(
    st.dictionaries(st.sampled_from("abc"), st.lists(st.integers(1, 9), min_size=2, max_size=12), min_size=2),
    st.floats(0.05, 0.6),
    st.integers(0, 3),
)
@settings(max_examples=100, deadline=None)
def test_groups_stay_on_one_side_and_every_class_on_both(sizes: dict[str, list[int]], valid: float, seed: int) -> None:
    records = in_groups(sizes)
    held = hold_out(records, valid, seed)
    sides: dict[str | None, set[bool]] = {}
    for record in records:
        sides.setdefault(record.group, set()).add(record.key in held)
    assert all(len(side) == 1 for side in sides.values())
    for label in sizes:
        mine = {r.key in held for r in records if r.label == label}
        assert mine == {True, False}


def test_about_the_wanted_part_is_held_out_of_groups_of_many_sizes() -> None:
    rng = np.random.default_rng(0)
    records = in_groups({label: rng.integers(1, 12, 60).tolist() for label in "ab"})
    for seed in range(10):
        held = hold_out(records, 0.2, seed)
        for label in "ab":
            total = sum(r.label == label for r in records)
            assert abs(sum(key[0] == label for key in held) - 0.2 * total) <= 12


def test_a_group_of_several_classes_can_be_held_out() -> None:
    records = [
        Record(f"{label}/{g}/{i}", f"{label}{g}{i}", label, group=f"g{g}")
        for label in "ab"
        for g in range(10)
        for i in range(3)
    ]
    held = hold_out(records, 0.2, 0)
    assert len(held) == 12
    assert len({key.split("/")[1] for key in held}) == 2


def test_the_only_group_of_a_class_stays_to_learn_from() -> None:
    held = hold_out(in_groups({"a": [5], "b": [2, 2, 2, 2, 2]}), 0.2, 0)
    assert {key[0] for key in held} == {"b"}


def test_contested_records_are_never_held_out() -> None:
    records = rows({"a": 20, "b": 20})
    contested = {f"a/{i}" for i in range(15)}
    for seed in range(10):
        held = hold_out(records, 0.2, seed, contested)
        assert not held & contested
        assert sum(key[0] == "a" for key in held) == 4


def test_tags_are_spread_by_the_rarest_and_numbers_by_fifths() -> None:
    tagged = [Record(f"{i}", f"d{i}", ("common", "rare") if i < 10 else ("common",)) for i in range(100)]
    assert strata(tagged) == ["rare"] * 10 + ["common"] * 90
    held = hold_out(tagged, 0.2, 0)
    assert sum(int(key) < 10 for key in held) == 2
    numbers = [Record(f"{i}", f"d{i}", float(i)) for i in range(100)]
    assert Counter(strata(numbers)) == dict.fromkeys("01234", 20)
    held = hold_out(numbers, 0.2, 0)
    assert Counter(int(key) // 20 for key in held) == dict.fromkeys(range(5), 4)

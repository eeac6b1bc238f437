from __future__ import annotations

import numpy as np

from finegraft.evaluation.cuts import parts_of


def words_and_counts(trait: str, values: np.ndarray, fewest: int = 20) -> list[tuple[str, int]]:
    return [(part.words, int(part.inside.sum())) for part in parts_of(trait, values, fewest)]


def test_every_text_is_a_part_and_unknown_is_none() -> None:
    values = np.array(["right", "left", "", "left"], dtype=object)
    assert words_and_counts("camera", values) == [("camera is left", 2), ("camera is right", 1)]


def test_numbers_are_cut_into_quarters_with_bounds_that_are_said_as_they_are() -> None:
    values = np.random.default_rng(0).random(1000)
    parts = parts_of("brightness", values, 20)
    a, b, c = (round(float(cut), 2) for cut in np.quantile(values, (0.25, 0.5, 0.75)))
    assert [part.words for part in parts] == [
        f"brightness below {a:.2f}",
        f"brightness {a:.2f} to {b:.2f}",
        f"brightness {b:.2f} to {c:.2f}",
        f"brightness {c:.2f} or more",
    ]
    assert (parts[0].inside == (values < a)).all()
    assert (parts[2].inside == ((values >= b) & (values < c))).all()
    assert (np.sum([part.inside for part in parts], axis=0) == 1).all()
    assert all(abs(part.inside.sum() - 250) < 30 for part in parts)


def test_bounds_are_as_fine_as_the_numbers_need() -> None:
    wide, narrow = np.arange(1000, 5000.0), 0.3 + np.arange(400) / 400_000
    assert words_and_counts("shorter side", wide)[0] == ("shorter side below 2,000", 1000)
    assert words_and_counts("blur", narrow)[1] == ("blur 0.30025 to 0.30050", 100)


def test_few_different_numbers_are_names() -> None:
    values = np.array([1.0, 5, 5, np.nan, 2.5])
    assert words_and_counts("stars", values) == [("stars is 1", 1), ("stars is 2.5", 1), ("stars is 5", 2)]


def test_fewer_records_make_fewer_parts() -> None:
    values = np.arange(100.0) ** 2
    assert [len(parts_of("x", values, fewest)) for fewest in (25, 30, 45, 60)] == [4, 3, 2, 1]
    assert words_and_counts("x", values, 60) == [("x known", 100)]
    assert words_and_counts("x", np.full(10, np.nan)) == []


def test_numbers_that_heap_up_are_not_torn_apart() -> None:
    values = np.concatenate([np.zeros(600), np.arange(1, 401)])
    parts = words_and_counts("age", values)
    assert parts == [("age below 150", 749), ("age 150 or more", 251)]


def test_unknown_numbers_are_in_no_part() -> None:
    values = np.random.default_rng(2).random(400)
    values[::4] = np.nan
    assert sum(count for _, count in words_and_counts("x", values)) == 300


def test_what_was_saved_with_six_digits_is_cut_the_same() -> None:
    values = np.random.default_rng(3).random(3000).astype(np.float32)
    values[:1000] = np.round(values[:1000], 2)
    saved = np.array([float(f"{value:.6g}") for value in values])
    for ours, theirs in zip(parts_of("x", values, 20), parts_of("x", saved, 20), strict=True):
        assert ours.words == theirs.words
        assert (ours.inside == theirs.inside).all()

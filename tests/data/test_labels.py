from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from finegraft.data.labels import Reading, composed, labels_of, reading_of, tag_separator, tags_of_columns
from finegraft.errors import DataError

SKY = ["clear", "haze", "cloudy"]
GROUND = ["primary", "agriculture", "road", "water", "habitation", "cultivation"]


def scenes(n: int, separator: str) -> list[str]:
    """Cells as of a satellite's photos: one word for the sky, none to four for the ground."""
    rng = random.Random(0)
    return [
        separator.join([rng.choice(SKY), *sorted(rng.sample(GROUND, rng.choice([0, 1, 2, 3, 4])))]) for _ in range(n)
    ]


def test_classes_are_as_written_but_for_spaces_and_composition() -> None:
    assert labels_of([" rose", "Mo\u0308we", "M\u00f6we", "", "Rose "]) == ["rose", "Möwe", "Möwe", None, "Rose"]
    assert composed("e\u0301") == "é"


def test_equal_labels_are_one_object() -> None:
    for cells in (["ro" + "se"] * 3, ["a|b", "b|a", "a |b"], ["0.5", "0.5", "0.50"]):
        found = labels_of(cells)
        assert len({id(label) for label in found}) == 1
        assert found[0] is not None


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (["red|round", "red", "", "round|red|red"], [("red", "round"), ("red",), (), ("red", "round")]),
        (["red; round", "red", " ; "], [("red", "round"), ("red",), ()]),
        (["a;b|c", "d|e", "f|g"], [("a;b", "c"), ("d", "e"), ("f", "g")]),
        ([("x", "y"), (), "", "z"], [("x", "y"), (), (), ("z",)]),
        ([("b", " a ", "b", "")], [("a", "b")]),
    ],
)
def test_tags(cells: Sequence[str | tuple[str, ...]], labels: list[tuple[str, ...]]) -> None:
    assert labels_of(cells) == labels


@pytest.mark.parametrize("separator", [",", " ", ", "])
def test_commas_and_spaces_divide_where_the_parts_recur(separator: str) -> None:
    cells = scenes(200, separator)
    assert tag_separator(cells) == separator.strip() or " "
    labels = labels_of([*cells, ""])
    assert labels[0] == tuple(sorted(cells[0].split(separator)))
    assert labels[-1] == ()
    assert {tag for label in labels if isinstance(label, tuple) for tag in label} == {*SKY, *GROUND}


@pytest.mark.parametrize(
    "cells",
    [
        ["tench, Tinca tinca", "goldfish, Carassius auratus", "great white shark, white shark, man-eater"],
        ["golden retriever", "labrador retriever", "german shepherd", "cat"],
        [f"{a} {b}" for a in ("red", "blue", "green", "black") for b in ("shirt", "dress", "shoe", "hat", "coat")],
        [f"{a} {b}".strip() for a in ("", "small", "big") for b in ("cat", "dog", "cow", "pig", "hen")],
        ["Paris, France", "Lyon, France", "Rome, Italy", "Milan, Italy"],
        scenes(8, " "),
        ["rose", "tulip"],
        [],
        ["", ""],
    ],
)
def test_names_with_commas_and_spaces_stay_whole(cells: list[str]) -> None:
    assert tag_separator(cells) is None
    assert labels_of(cells) == [cell or None for cell in cells]


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (["0.5", "3", "", "-1e2", "nan", "NA"], [0.5, 3.0, None, -100.0, None, None]),
        ([str(i * i) for i in range(50)], [float(i * i) for i in range(50)]),
        (["1.0", "2.0", "2.5"], [1.0, 2.0, 2.5]),
    ],
)
def test_numbers(cells: list[str], labels: list[float | None]) -> None:
    assert labels_of(cells) == labels


@pytest.mark.parametrize(
    "cells",
    [
        ["0", "1", "1", "0"],
        ["3.0", "7.0", "3.0"],
        [str(i) for i in range(37)],  # a gapless run from 0, one record each
        [str(i) for i in range(1, 103)],
        [str(i * 7) for i in range(20)],
        [str(i * 7) for i in range(100)] * 10,
        ["007", "010", "100"] * 30,
        ["n01440764", "5"],
        ["0x10", "5.5"],
        ["1_000", "5.5"],
        ["inf", "5.5"],
    ],
)
def test_codes_are_classes(cells: list[str]) -> None:
    assert labels_of(cells) == cells


def test_a_decimal_comma_counts_where_the_table_says_so() -> None:
    assert labels_of(["3,14", "2", "", "-0,5"], decimal_comma=True) == [3.14, 2.0, None, -0.5]
    assert labels_of(["3,14", "2,5"]) == ["3,14", "2,5"]
    assert labels_of(["3,14,1", "2,5"], decimal_comma=True) == ["3,14,1", "2,5"]
    assert labels_of(["3", "2"], decimal_comma=True) == ["3", "2"]


def test_other_cells_are_read_as_those_that_decided() -> None:
    numbers = reading_of([str(i * i) for i in range(50)])
    assert numbers == Reading("numbers")
    assert numbers.labels(["4", "", "many", "1e999"]) == [4.0, None, None, None]
    assert reading_of(scenes(200, " ")).labels(["clear road", "great white shark"]) == [
        ("clear", "road"),
        ("great", "shark", "white"),
    ]
    assert reading_of(["a", "b"]).labels(["1", "2", "x|y"]) == ["1", "2", "x|y"]


def test_tags_of_columns() -> None:
    rows = [("1", "0", "true"), ("0.0", "-1", "False"), ("", "yes", "no"), ("True", "1.0", "YES")]
    assert tags_of_columns(["b", "a", "c"], rows) == [("b", "c"), (), ("a",), ("a", "b", "c")]
    with pytest.raises(
        DataError, match=r"The column 'a' holds '2', 'maybe'; a column that is one of several tags holds 0"
    ):
        tags_of_columns(["b", "a"], [("1", "2"), ("0", "maybe"), ("0", "1")])

from __future__ import annotations

import sys
import tracemalloc

import numpy as np
import pytest

from finegraft.data.traits import MOST_COLUMNS, Gathering, merged, taken


def gathered(*cells: str, names: tuple[str, ...] = (), decimal_comma: bool = False) -> list[object] | None:
    """The trait that one column of these cells becomes, None for none."""
    gathering = Gathering(["column"], names, decimal_comma)
    for cell in cells:
        gathering.add((cell,))
    found = gathering.traits().get("column")
    return None if found is None else found.tolist()


@pytest.mark.parametrize(
    ("cells", "trait"),
    [
        (["left", "right", "left", ""], ["left", "right", "left", ""]),
        (["1.5", "2", "NA", "1.5"], [1.5, 2.0, None, 1.5]),
        (["1", "0", "1", "0"], [1.0, 0.0, 1.0, 0.0]),
        (["1", "0", "1", "yes"], ["1", "0", "1", "yes"]),
        (["", "", ""], None),
        ([f"photo of day {i}" for i in range(60)], None),
        ([f"{i / 7:.4f}" for i in range(1000)], [round(i / 7, 4) for i in range(1000)]),
        (["inf", "1e5", "1_000", "3", "nan", *["4"] * 50], [None, 1e5, None, 3.0, None, *[4.0] * 50]),
        ([str(i) for i in range(500)], None),
        ([str(i * i) for i in range(500)], [float(i * i) for i in range(500)]),
        ([], None),
    ],
)
def test_what_a_column_becomes(cells: list[str], trait: list[object] | None) -> None:
    found = gathered(*cells)
    if trait is None or isinstance(trait[0], str):
        assert found == trait
    else:
        numbers = [np.nan if value is None else value for value in trait]
        np.testing.assert_allclose(np.array(found, dtype=float), np.array(numbers, dtype=float), rtol=1e-6)


def test_slips_among_many_numbers_are_unknown_and_many_slips_make_it_no_number() -> None:
    numbers = [f"{i / 8}" for i in range(1000)]
    found = gathered(*numbers, *["about 3"] * 20)
    assert found is not None
    assert np.isnan(np.array(found[-20:], dtype=float)).all()
    assert gathered(*numbers, *["about 3"] * 100) is None


def test_texts_that_become_too_many_keep_the_numbers_that_came_before() -> None:
    cells = [*["n/a"] * 3, *[str(i / 4) for i in range(100)]]
    found = gathered(*cells)
    assert found is not None
    assert found[3:7] == [0.0, 0.25, 0.5, 0.75]
    assert np.isnan(found[0])  # type: ignore[call-overload]


def test_a_column_of_names_is_never_numbers() -> None:
    assert gathered("1", "2", "1", names=("column",)) == ["1", "2", "1"]
    assert gathered(*[str(i / 4) for i in range(100)], names=("column",)) is None


def test_decimal_commas_count_where_the_table_has_them() -> None:
    assert gathered("0,5", "1", "0,5", decimal_comma=True) == [0.5, 1.0, 0.5]
    assert gathered("0,5", "1", "0,5") == ["0,5", "1", "0,5"]


def test_lists_in_a_cell_are_one_text() -> None:
    gathering = Gathering(["tags"])
    for cell in (("red", "round"), ("red",), ("red", "round")):
        gathering.add((cell,))
    assert gathering.traits()["tags"].tolist() == ["red; round", "red", "red; round"]


def test_equal_texts_are_one_object_and_numbers_take_four_bytes() -> None:
    gathering = Gathering(["camera", "distance"])
    for i in range(400):
        gathering.add((f"camera {i % 3}", str(i / 7)))
    traits = gathering.traits()
    assert len({id(text) for text in traits["camera"]}) == 3
    assert traits["distance"].dtype == np.float32


def test_only_the_first_columns_are_taken() -> None:
    assert Gathering([str(i) for i in range(500)]).columns == tuple(str(i) for i in range(MOST_COLUMNS))


def test_a_row_costs_a_few_bytes() -> None:
    n = 20_000
    cells = [(f"camera {i % 4}", str(i / 3), f"a remark that is long and different {i}") for i in range(n)]
    tracemalloc.start()
    gathering = Gathering(["camera", "distance", "remark"])
    for row in cells:
        gathering.add(row)
    traits = gathering.traits()
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert set(traits) == {"camera", "distance"}
    assert sum(sys.getsizeof(values) for values in traits.values()) / n < 13
    assert kept / n < 30
    assert peak / n < 60


def test_taken_keeps_the_kind_of_each_trait() -> None:
    traits = {"camera": np.array(["a", "b"], dtype=object), "size": np.array([1, 2], dtype=np.float32)}
    found = taken(traits, np.array([1, -1, 0]))
    assert found["camera"].tolist() == ["b", "", "a"]
    assert found["size"].dtype == np.float32
    np.testing.assert_array_equal(found["size"], [2, np.nan, 1])


def test_two_sources_are_merged_and_what_they_disagree_on_is_left_out() -> None:
    ours = {"camera": np.array(["a", "b"], dtype=object), "day": np.array([1, 2], dtype=np.float32)}
    theirs = {"camera": np.array(["c"], dtype=object), "day": np.array(["Monday"], dtype=object)}
    found = merged([(ours, np.array([0, -1, 1])), (theirs, np.array([-1, 0, -1]))])
    assert {name: values.tolist() for name, values in found.items()} == {"camera": ["a", "c", "b"]}

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.promises.broken_files import Dirt, changed, plain_text, spread, unnamed
from tests.hostile.kind import Kind

KIND = Kind("cut.jpg", None, "unreadable", "is cut off")
FINDING = {"key": "a/cut.jpg", "kind": "unreadable", "note": "The JPEG is cut off."}
ERROR = {"path": "a/cut.jpg", "error": {"code": "unreadable", "message": "The JPEG is cut off."}}
GOOD = {"path": "b/good.jpg", "label": "bear", "probability": 0.9}
ALL_WELL = Dirt(
    broken={"a/cut.jpg": KIND},
    checked=[FINDING],
    settings={"findings": {"unreadable": 1}, "finding_rows": [FINDING]},
    report="Left out, and why a/cut.jpg The JPEG is cut off.",
    asked=["a/cut.jpg", "b/good.jpg"],
    answers=[ERROR, GOOD],
    alone=[GOOD],
)


def test_where_all_is_well_nothing_is_missing() -> None:
    assert unnamed(ALL_WELL) == []
    assert changed(ALL_WELL) == []


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"checked": []}, "a/cut.jpg: check"),
        ({"checked": [{**FINDING, "kind": "empty"}]}, "a/cut.jpg: check"),
        ({"settings": {"findings": {}, "finding_rows": []}}, "a/cut.jpg: run.json"),
        ({"settings": {"findings": {"unreadable": 2}, "finding_rows": [FINDING]}}, "unreadable: count in run.json"),
        ({"report": "a/cut.jpg was left out"}, "a/cut.jpg: report"),
        ({"report": "The JPEG is cut off. a/other.jpg"}, "a/cut.jpg: report"),
        ({"answers": [GOOD]}, "a/cut.jpg: predict"),
        ({"answers": [{**GOOD, "path": "a/cut.jpg"}, GOOD]}, "a/cut.jpg: predict"),
    ],
)
def test_each_place_is_looked_at(change: dict[str, Any], place: str) -> None:
    assert unnamed(replace(ALL_WELL, **change)) == [place]


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"answers": [GOOD, ERROR]}, ["a/cut.jpg: order", "b/good.jpg: order"]),
        ({"answers": [ERROR, {**GOOD, "probability": 0.8}]}, ["b/good.jpg"]),
        ({"answers": [ERROR]}, ["b/good.jpg", "b/good.jpg"]),
        ({"alone": []}, ["b/good.jpg"]),
    ],
)
def test_each_change_of_an_answer_is_found(change: dict[str, Any], names: list[str]) -> None:
    assert changed(replace(ALL_WELL, **change)) == names


def test_kinds_are_taken_from_all_over_the_list_and_every_code_comes_early() -> None:
    kinds = [Kind(str(number), code="empty" if number > 4 else "unreadable") for number in range(7)]
    assert [kind.name for kind in spread(kinds)] == ["0", "5", "3", "6", "1", "4", "2"]


def test_the_text_of_a_page() -> None:
    assert plain_text("<td>a/<wbr>b &amp; c</td> <b>why</b>") == "a/b & c why"

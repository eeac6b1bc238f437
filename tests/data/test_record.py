from __future__ import annotations

import json

import pytest

from finegraft.data.findings import KINDS, LEAVES_OUT, Finding
from finegraft.data.record import Label, Record


@pytest.mark.parametrize("label", ["ä", ("cat", "dog"), (), 2.5, None])
def test_a_record_survives_json(label: Label | None) -> None:
    record = Record("ä/b c.jpg", "0" * 32, label, "held-out", None, "patient 3")
    assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record


IMPOSSIBLE = [
    {"key": 1},
    {"digest": None},
    {"label": True},
    {"label": [1]},
    {"label": float("nan")},
    {"group": 1},
    {"left_out": []},
    {"split": "somewhere"},
    {"split": 1},
]


@pytest.mark.parametrize("change", IMPOSSIBLE)
def test_what_a_record_cannot_hold_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"a record holds texts|a label is a text|no split is called"):
        Record.from_json({**Record("k", "d").to_json(), **change})


def test_a_line_of_the_first_format_has_no_group() -> None:
    line = Record("k", "d", "rose").to_json()
    del line["group"]
    assert Record.from_json(line) == Record("k", "d", "rose")


@pytest.mark.parametrize(
    ("label", "classes"), [("cat", ("cat",)), (("cat", "dog"), ("cat", "dog")), (2.5, ()), (None, ())]
)
def test_the_classes_a_record_counts_for(label: Label | None, classes: tuple[str, ...]) -> None:
    assert Record("k", "d", label).classes == classes


def test_equal_content_stays_together_and_a_group_too() -> None:
    assert Record("k", "d").together == "d"
    assert Record("k", "d", group="patient 3").together == "patient 3"


def test_a_missing_name_is_refused() -> None:
    with pytest.raises(KeyError):
        Record.from_json({"key": "k"})


def test_a_finding_is_one_entry_of_check() -> None:
    finding = Finding("a/2.jpg", "exact-copy", 1.0, "The same bytes.", "a/1.jpg")
    assert finding.to_json() == {
        "key": "a/2.jpg",
        "other": "a/1.jpg",
        "kind": "exact-copy",
        "score": 1.0,
        "note": "The same bytes.",
    }


def test_what_leaves_out_is_a_known_kind() -> None:
    assert set(KINDS) >= LEAVES_OUT

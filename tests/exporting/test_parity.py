"""What the gate lets through, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from finegraft.errors import ExportError
from finegraft.exporting.parity import Expected, Parity, asked, compared


def expected(*rows: list[float] | str) -> list[Expected]:
    return [
        Expected(f"{number}.jpg", Path("nowhere"), None, row)
        if isinstance(row, str)
        else Expected(f"{number}.jpg", Path("nowhere"), np.array(row))
        for number, row in enumerate(rows)
    ]


def test_equal_answers_agree() -> None:
    found = compared(expected([0.7, 0.3], "unreadable"), [{"values": [0.7004, 0.2996]}, {"error": "unreadable"}])
    assert (found.photos, found.agreement, found.differing) == (2, 1.0, ())
    assert found.max_difference == pytest.approx(4e-4)
    found.must_hold("it")


@pytest.mark.parametrize(
    ("wanted", "answer", "words"),
    [
        ([0.7, 0.3], {"values": [0.69, 0.31]}, "0.6900 instead of 0.7000"),
        ([0.7, 0.3], {"values": [float("nan"), 0.3]}, "nan instead of 0.7000"),
        ([0.7, 0.3], {"error": "too-large"}, "unreadable (too-large) instead of an answer"),
        ("too-large", {"values": [0.7, 0.3]}, "an answer instead of unreadable (too-large)"),
        ("too-large", {"error": "empty"}, "unreadable (empty) instead of unreadable (too-large)"),
    ],
)
def test_another_answer_is_named_with_its_photo(
    wanted: list[float] | str, answer: dict[str, object], words: str
) -> None:
    found = compared(expected([0.5, 0.5], wanted), [{"values": [0.5, 0.5]}, answer])
    assert [row.words for row in found.differing] == [words]
    with pytest.raises(ExportError, match=r"it answers 1 of 2 photos otherwise, by up to .*: 1\.jpg: ") as caught:
        found.must_hold("it")
    assert words in str(caught.value)


def test_the_worst_come_first_and_are_counted() -> None:
    rows = [[0.5 + 0.01 * n, 0.5 - 0.01 * n] for n in range(1, 6)]
    found = compared(expected(*[[0.5, 0.5]] * 5), [{"values": row} for row in rows])
    assert [row.name for row in found.differing] == ["4.jpg", "3.jpg", "2.jpg", "1.jpg", "0.jpg"]
    with pytest.raises(ExportError, match="and 2 more"):
        found.must_hold("it")


def test_numbers_are_counted_in_spreads() -> None:
    assert compared(expected([1000.0]), [{"values": [1000.4]}], spread=1000.0).differing == ()
    assert compared(expected([1000.0]), [{"values": [1000.4]}], spread=100.0).differing


def test_what_cannot_be_asked_says_why(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    with pytest.raises(ExportError, match="The export cannot be asked: "):
        asked(tmp_path / "broken.onnx", [])


def test_the_figures_are_told_in_the_words_of_the_target() -> None:
    found = Parity(30, 0.9, 0.00123, ())
    assert found.words(numbers=False) == "the same first answer for 90.0 %, no probability off by more than 0.001"
    assert found.words(numbers=True) == "no number off by more than 0.001 of the spread of those learned from"

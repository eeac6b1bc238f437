from __future__ import annotations

import math

import pytest

from finegraft.reporting import wording


@pytest.mark.parametrize(
    ("share", "written"),
    [(0.9342, "93.4 %"), (1.0, "100.0 %"), (0.99999, "99.9 %"), (0.0, "0.0 %"), (1e-9, "0.1 %"), (math.nan, "–")],
)
def test_percent_never_rounds_to_perfect(share: float, written: str) -> None:
    assert wording.percent(share).replace("\u00a0", " ") == written


def test_ranges_and_counts() -> None:
    assert wording.percent_range((0.9153, 0.951)).replace("\u00a0", " ") == "91.5–95.1 %"
    assert wording.count(3068, "photo").replace("\u00a0", " ") == "3,068 photos"
    assert wording.count(1, "class").replace("\u00a0", " ") == "1 class"
    assert wording.count(2, "class").replace("\u00a0", " ") == "2 classes"


@pytest.mark.parametrize(
    ("rate", "written"),
    [
        (0.0032, "0.0032"),
        (0.1, "0.1"),
        (1.0, "1"),
        (10.0, "10"),
        (1e-4, "0.0001"),
        (3.16e-6, "3.2 × 10⁻⁶"),
        (9.99e-5, "1.0 × 10⁻⁴"),
        (0.0, "–"),
        (math.nan, "–"),
    ],
)
def test_rates_have_two_figures(rate: float, written: str) -> None:
    assert wording.rate(rate).replace("\u00a0", " ") == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.25, "0.2 s"), (9.96, "10 s"), (59.6, "1 min 0 s"), (73.2, "1 min 13 s"), (7260, "2 h 1 min")],
)
def test_durations(seconds: float, written: str) -> None:
    assert wording.duration(seconds).replace("\u00a0", " ") == written

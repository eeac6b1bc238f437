from __future__ import annotations

import pytest

from finegraft.fetching.patience import asked_to_wait, before_try
from finegraft.fetching.settings import Settings

NOW = 1_736_157_600.0  # Mon, 06 Jan 2025 10:00:00 GMT


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("9" * 400, None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("Mon, 06 Jan 2025 10:01:00 GMT", 60.0),
        ("Mon, 06 Jan 2025 09:00:00 GMT", 0.0),
        ("Mon, 99 Jan 2025 09:00:00 GMT", None),
    ],
)
def test_what_retry_after_says(header: str | None, seconds: float | None) -> None:
    assert asked_to_wait(header, NOW) == seconds


def test_waits_double_and_differ_by_chance() -> None:
    settings = Settings(backoff=0.5)
    assert [before_try(number, settings, lambda: 0.5) for number in (1, 2, 3)] == [0.5, 1.0, 2.0]
    assert [before_try(1, settings, chance) for chance in (lambda: 0.0, lambda: 1.0)] == [0.25, 0.75]
    assert 0.25 <= before_try(1, settings) <= 0.75

"""Times as they are typed."""

from __future__ import annotations

import click
import pytest

from finegraft.cli.durations import Duration
from finegraft.cli.fine_tuning import FineTune


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [("90s", 90), ("6m", 360), ("1h", 3600), ("1h30m", 5400), ("1.5h", 5400), (" 2M ", 120), ("1h0m5s", 3605)],
)
def test_times_with_units_are_read(typed: str, seconds: float) -> None:
    assert Duration().convert(typed, None, None) == seconds


@pytest.mark.parametrize("typed", ["6", "m", "", "6 minutes", "-6m", "6x", "1e3s", "nan", "6m,"])
def test_what_is_no_time_is_refused_with_what_to_write(typed: str) -> None:
    with pytest.raises(click.BadParameter, match="is no time: write 90s, 6m or 1h30m"):
        Duration().convert(typed, None, None)


@pytest.mark.parametrize("typed", ["0s", "0m0s", "9" * 400 + "h"])
def test_no_time_at_all_is_refused(typed: str) -> None:
    with pytest.raises(click.BadParameter, match="is no time to do anything in"):
        Duration().convert(typed, None, None)


def test_fine_tuning_is_a_word_or_epochs() -> None:
    assert [FineTune().convert(typed, None, None) for typed in ("auto", "no", "4", 4)] == ["auto", "no", 4, 4]


@pytest.mark.parametrize("typed", ["yes", "0", "-1", "4.5", "", "1001", "٤x"])
def test_other_words_are_refused(typed: str) -> None:
    with pytest.raises(click.BadParameter, match="is neither 'auto' nor 'no' nor a number of epochs"):
        FineTune().convert(typed, None, None)

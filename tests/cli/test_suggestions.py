from __future__ import annotations

import pytest

from finegraft.cli.suggestions import did_you_mean, nearest


@pytest.mark.parametrize(
    ("word", "known", "wanted"),
    [("rsoe", ["rose", "tulip"], "rose"), ("RÖSE", ["Röse"], "Röse"), ("oak", ["rose"], None), ("x", [], None)],
)
def test_the_nearest_whatever_the_case(word: str, known: list[str], wanted: str | None) -> None:
    assert nearest(word, known) == wanted


def test_where_nothing_is_near_something_else_is_said() -> None:
    assert did_you_mean("tulpi", ["tulip"], "There are no others.") == "Did you mean 'tulip'?"
    assert did_you_mean("oak", ["tulip"], "There are no others.") == "There are no others."
    assert did_you_mean("oak", ["tulip"]) == ""
    assert did_you_mean("tulpi", ["tulip"], cutoff=0.95) == ""

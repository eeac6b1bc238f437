from __future__ import annotations

import pytest

from finegraft.fetching.reasons import Trouble
from finegraft.fetching.silence import DEAF, Silence
from finegraft.fetching.urls import parse

URL, OTHER = parse("http://example.org/a"), parse("http://example.net/a")


def gone() -> Trouble:
    return Trouble("timeout", "example.org gave no connection within 10 s.", passing=True, dead=URL.origin)


def test_a_host_that_is_gone_is_left_alone() -> None:
    silence = Silence()
    for _ in range(DEAF):
        silence.must_not_hold(URL)
        silence.heard(URL, gone())
    silence.must_not_hold(OTHER)
    assert (silence.holds(URL), silence.holds(OTHER)) == (True, False)
    with pytest.raises(Trouble) as raised:
        silence.must_not_hold(URL)
    assert (raised.value.kind, raised.value.passing) == ("timeout", True)
    assert raised.value.reason == (
        "example.org is left alone until the next run. It failed 8 times in a row, at last so: "
        "example.org gave no connection within 10 s."
    )


@pytest.mark.parametrize(
    "between",
    [None, Trouble("status", "404"), Trouble("unreachable", "a redirect leads nowhere", dead=OTHER.origin)],
)
def test_any_answer_in_between_counts(between: Trouble | None) -> None:
    silence = Silence()
    for _ in range(3):
        for _ in range(DEAF - 1):
            silence.heard(URL, gone())
        silence.heard(URL, between)
    silence.must_not_hold(URL)


def test_one_failure_that_many_rows_share_is_one() -> None:
    silence, shared = Silence(), gone()
    for _ in range(DEAF * 3):
        silence.heard(URL, shared)
    silence.must_not_hold(URL)


def test_a_host_that_asks_for_it() -> None:
    silence = Silence()
    silence.leave_alone(URL, "status", "It asks to wait for 3,600 s.")
    with pytest.raises(Trouble, match=r"left alone until the next run\. It asks to wait for 3,600 s\."):
        silence.must_not_hold(URL)

from __future__ import annotations

import pytest

from tests.faults.phases import Phase, phases


@pytest.mark.parametrize(
    ("err", "out", "now"),
    [
        ("", "", Phase("starting")),
        ("The cache /c cannot be used (locked); nothing will be remembered.\n", "", Phase("starting")),
        ("\rchecked 12 of 40", "", Phase("checked", "12 of 40")),
        ("\rchecked 12 of 40\rchecked 1,200 of 3,783", "", Phase("checked", "1,200 of 3,783")),
        ("check …\n", "", Phase("check")),
        ("check …\r\n\rchecked 3 of 40", "", Phase("check", "3 of 40")),
        ("check …\n\rchecked 40 of 40\r\x1b[2Kstart …\n", "", Phase("start")),
        ("fit …\n epoch  train loss\n     1      0.68\n", "", Phase("fit")),
        ("judge …\nbundle …\nreport …\n", "90.0 % right\n", Phase("ending")),
    ],
)
def test_the_phase_is_what_was_said_last(err: str, out: str, now: Phase) -> None:
    assert phases(err, out)[-1] == now


def test_phases_passed_at_once_are_all_there() -> None:
    said = phases("head …\nrate …\nfit …\n", "done")
    assert [phase.name for phase in said] == ["starting", "head", "rate", "fit", "ending"]


def test_counting_is_no_phase_of_its_own_within_a_stage() -> None:
    said = phases("features …\n\rfeatures of 1 of 40\rfeatures of 40 of 40\r\x1b[2K")
    assert said == [Phase("starting"), Phase("features", "40 of 40")]

"""The short form: every scenario a few times. `make faults` is the long one."""

from __future__ import annotations

import random

import pytest

from tests.faults.ground import Ground
from tests.faults.scenarios import ALL, Scenario
from tests.faults.sitting import stopped


@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.name)
def test_what_is_left_after_a_stop_is_whole_and_the_next_command_works(
    ground: Ground, rng: random.Random, scenario: Scenario
) -> None:
    sitting = stopped(ground, scenario, kills=3, changes=4 if scenario.how == "kill" else 0, rng=rng)
    assert sitting.faults == []
    assert sitting.at_random > 0
    assert len(sitting.hits) > sitting.at_random or scenario.how != "kill"

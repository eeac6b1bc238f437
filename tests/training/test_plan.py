"""What is done in the time there is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from finegraft.errors import UsageError
from finegraft.training.plan import FEWEST, FROM_SCRATCH_MOST, FROM_SCRATCH_USUAL, MOST, USUAL, Cost, planned, spoken

COST = Cost(view=20, learn=30, rest=10, views=8)


def test_a_budget_holds_as_many_epochs_as_fit_with_some_room() -> None:
    plan = planned(COST, left=300)
    assert plan.epochs == 5
    assert plan.seconds == COST.of(5) == 10 + 5 * 50
    assert plan.seconds <= 0.95 * 300 < COST.of(6)
    assert plan.reason == "as many epochs as fit into 5.0 minutes"


def test_a_view_that_is_seen_again_costs_nothing() -> None:
    twice = replace(COST, views=2)
    assert twice.of(6) == 10 + 6 * 30 + 2 * 20
    assert planned(twice, left=300).epochs > planned(COST, left=300).epochs


def test_smaller_photos_cost_less() -> None:
    growing = replace(COST, efforts=lambda epochs: [0.25] * (epochs - 1) + [1.0])
    assert growing.of(4) == 10 + 1.75 * 30 + 4 * 20
    assert growing.each(3) == [27.5, 27.5, 50]
    assert replace(COST, views=2).each(3) == [50, 50, 30]


def test_too_little_time_is_said() -> None:
    plan = planned(COST, left=60)
    assert plan.epochs == 0
    assert plan.reason == f"{FEWEST} epochs would take about 1.8 minutes, and 60 seconds are left"
    assert planned(COST, left=-5).epochs == 0


def test_no_budget_is_filled_for_its_own_sake() -> None:
    assert planned(COST, left=1e6).epochs == MOST


def test_random_weights_take_longer() -> None:
    assert planned(COST, pretrained=False).epochs == FROM_SCRATCH_USUAL > USUAL
    assert planned(COST, left=1e6, pretrained=False).epochs == FROM_SCRATCH_MOST > MOST


def test_what_is_asked_for_is_done() -> None:
    assert planned(COST, epochs=12, left=1.0).epochs == 12
    assert planned(COST).epochs == USUAL


@pytest.mark.parametrize("epochs", [0, -1])
def test_no_epochs_at_all_are_refused(epochs: int) -> None:
    with pytest.raises(UsageError, match="must be at least 1, got"):
        planned(COST, epochs=epochs)


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 seconds"), (89, "89 seconds"), (90, "1.5 minutes")])
def test_times_are_said_in_words(seconds: float, words: str) -> None:
    assert spoken(seconds) == words


def test_what_is_going_to_happen_is_said() -> None:
    assert planned(COST, left=300).sentence == (
        "Fine-tuning for 5 epochs, about 4.3 minutes: as many epochs as fit into 5.0 minutes."
    )
    assert planned(COST, left=60).sentence == (
        "No fine-tuning: 2 epochs would take about 1.8 minutes, and 60 seconds are left."
    )

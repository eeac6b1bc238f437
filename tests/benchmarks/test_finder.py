"""How the rate finder is measured."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.choices_rate import Seed, of_seed, over, rows
from benchmarks.finding import subset
from finegraft.training.lr_rules import RULES
from tests.training.making import dataset, table


def test_over_is_measured_from_the_best_mean_of_the_grid() -> None:
    """The best rate of each seed alone would be another one, and lower."""
    seeds = [
        Seed({0.1: (1.0, 4.0), 0.2: (2.0, 2.0)}, {"half": (0.15, (1.8, 3.0))}),
        Seed({0.1: (2.0, 4.0), 0.2: (1.2, 2.0)}, {"half": (0.16, (1.5, 3.0))}),
    ]
    assert over(seeds)["half"] == pytest.approx((1.65 / 1.5 - 1, 3.0 / 2.0 - 1))
    assert list(rows(seeds)) == [
        "| rate | loss | over | raw | over |",
        "|---|---|---|---|---|",
        "| 0.1 | 1.5000 | +0.0% | 4.0000 | +100.0% |",
        "| 0.2 | 1.6000 | +6.7% | 2.0000 | +0.0% |",
        "| half, 0.15 to 0.16 | 1.6500 | +10.0% | 3.0000 | +50.0% |",
    ]


def test_every_rule_is_tried_beside_the_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.choices_rate.GRID", (1e-3, 1e-1))
    found = of_seed(0, "linear", table(60), 3)
    assert (set(found.grid), set(found.rules)) == ({1e-3, 1e-1}, set(RULES))
    assert all(np.isfinite(losses).all() for _, losses in found.rules.values())
    loss, raw = found.grid[1e-3]
    assert loss <= raw + 1e-9, "the best temperature is at least as good as none"


def test_photos_are_taken_from_a_few_classes_in_turn() -> None:
    data = dataset([number % 6 for number in range(60)], ["train"] * 60)
    few = subset(data, 20)
    assert sorted(record.label for record in few.usable) == sorted("abcd" * 5)
    assert {record.split for record in few.usable} == {None}
    assert len(subset(data, 3000).usable) == 60

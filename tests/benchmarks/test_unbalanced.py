from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import unbalanced_sets
from benchmarks.promises.unbalanced import KEPT, Trained, cut, told
from benchmarks.unbalanced_sets import Unbalanced, as_mixed, drawn, figures
from finegraft.evaluation.intervals import wilson
from finegraft.training.recipe import Table


def test_cut_keeps_fifteen_teddies_of_the_seed_and_puts_the_others_aside(tmp_path: Path) -> None:
    photos = [f"{bear}/{i:02}.jpg" for bear, count in (("black", 5), ("teddys", 40)) for i in range(count)]
    for key in photos:
        (tmp_path / "bears" / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "bears" / key).write_text(key)
    kept = {}
    for seed in (0, 1):
        cut(tmp_path / "bears", photos, seed, tmp_path / f"kept{seed}", tmp_path / f"rest{seed}")
        kept[seed] = {path.name for path in (tmp_path / f"kept{seed}" / "teddys").iterdir()}
        rest = {path.name for path in (tmp_path / f"rest{seed}" / "teddys").iterdir()}
        assert (len(kept[seed]), len(rest), kept[seed] & rest) == (KEPT, 25, set())
        assert len(list((tmp_path / f"kept{seed}" / "black").iterdir())) == 5
        assert not (tmp_path / f"rest{seed}" / "black").exists()
    assert kept[0] != kept[1]


def test_told_pools_what_was_held_out_and_gives_the_mean_the_interval_of_one_seed() -> None:
    runs = [Trained(0.9, 100, (2, 3), 0.95, 0.9), Trained(1.0, 100, (3, 3), 0.97, 0.8)]
    low, high = wilson(95, 100)
    few, many = wilson(5, 6)
    assert told(runs) == (
        f"0.950 (95 %: {low:.3f}–{high:.3f}) of 100, held out 5 of 6 ({few:.2f}–{many:.2f}), accuracy 0.9600, "
        "macro F1 0.8500"
    )


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Features that are their own row numbers, of classes of 50, 40 and 10."""
    truth = np.repeat([0, 1, 2], [50, 40, 10])
    features = np.arange(100, dtype=np.float32)[:, None]
    monkeypatch.setattr(unbalanced_sets, "_labelled", lambda _: (features, truth, ("dress", "t-shirt", "hat")))


@pytest.mark.usefixtures("shelf")
def test_a_set_is_cut_as_its_name_says_and_the_rest_is_judged() -> None:
    bears = drawn("bears/3", 0)
    assert bears.counts.tolist() == np.bincount(bears.learn.truth).tolist() == [40, 32, 3]
    assert np.bincount(bears.judged.truth).tolist() == [10, 8, 7]
    assert bears.rare.tolist() == [2]
    both = torch.cat([bears.learn.features, bears.judged.features]).flatten()
    assert sorted(both.tolist()) == list(range(100))
    two = drawn("two/hat/4", 1)
    assert two.counts.tolist() == [32, 4]
    assert two.learn.features[-4:].min() >= 90, "hats are the last ten rows"


def test_figures_count_every_class_by_its_share_of_what_was_learned_from() -> None:
    """Four in five of the first and half of the second found: of nine to one, 0.77 are right."""
    truth = torch.tensor([0] * 5 + [1] * 10)
    judged = Unbalanced(Table(truth, truth), Table(truth, truth), np.array([90, 10]), np.array([1]), 0)
    predicted = np.array([0, 0, 0, 0, 1] + [0, 1] * 5)
    accuracy, macro_recall, macro_f1, rare = figures(judged, predicted)
    assert (accuracy, macro_recall, rare) == pytest.approx((0.77, 0.65, 0.5))
    assert macro_f1 == pytest.approx(np.mean([1.44 / (0.9 + 0.77), 0.1 / (0.1 + 0.23)]))
    assert (truth.numpy()[as_mixed(judged)] == 1).mean() == pytest.approx(0.1, abs=0.02)

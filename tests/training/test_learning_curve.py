from __future__ import annotations

import numpy as np
import pytest
import torch

from finegraft.data.splits import folds
from finegraft.errors import UsageError
from finegraft.evaluation.growth import LearningCurve
from finegraft.training import learning_curve as module
from finegraft.training.class_weights import weights_of
from finegraft.training.confidence import calibrate
from finegraft.training.learning_curve import Trainer, learning_curve
from finegraft.training.objective import of_categories
from finegraft.training.recipe import Fit, Recipe, Table
from finegraft.training.schedule import one_cycle
from tests.training.making import learner, table

RECIPE = Recipe(3, of_categories(), 16, seed=0)
FITS = [Fit(one_cycle(0.1), 6)]


def names(n: int) -> list[str]:
    return [f"digest {i}" for i in range(n)]


def trainer(train: Table, recipe: Recipe = RECIPE) -> Trainer:
    return Trainer(recipe, "linear", FITS, train)


def curve(train: Table, groups: list[str] | None = None, recipe: Recipe = RECIPE, labels: str = "abc") -> LearningCurve:
    together = groups or names(len(train.truth))
    found = calibrate(recipe, "linear", FITS, train, together, seed=0)
    return learning_curve(trainer(train, recipe), together, labels, found.probabilities, seed=0)


def only(train: Table, which: np.ndarray) -> Table:
    return train.rows(np.flatnonzero(which))


def test_it_foretells_the_accuracy_of_a_training_on_twice_the_records() -> None:
    train = table(300, width=60, spread=3.5)
    more, rest = table(600, width=60, spread=3.5, seed=5), table(3000, width=60, spread=3.5, seed=6)
    both = Table(torch.cat([more.features, rest.features]), torch.cat([more.truth, rest.truth]))
    answers = trainer(both).answers(np.arange(600), np.arange(600, 3600))
    measured = float((answers == rest.truth.numpy()).mean())
    twice = curve(train).twice
    assert twice is not None
    assert twice.interval[0] < measured < twice.interval[1]
    assert twice.interval[1] - twice.interval[0] < 0.2


def test_the_last_point_is_what_calibration_found_out_of_fold() -> None:
    train = table(200, spread=2.5)
    found = calibrate(RECIPE, "linear", FITS, train, names(200), seed=0)
    last = curve(train).points[-1]
    assert (last.photos, last.judged) == (160, 200)
    assert last.right == int((found.probabilities.argmax(1) == train.truth.numpy()).sum())


def test_no_head_is_asked_about_what_it_or_a_copy_of_it_learned_from(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[np.ndarray, np.ndarray]] = []
    plain = Trainer.answers

    def watched(self: Trainer, learn: np.ndarray, asked: np.ndarray) -> np.ndarray:
        seen.append((learn, asked))
        return plain(self, learn, asked)

    monkeypatch.setattr(Trainer, "answers", watched)
    together = [f"digest {i // 3}" for i in range(240)]
    curve(table(240), together)
    assert len(seen) > 10
    for learn, asked in seen:
        assert len(set(learn.tolist())) == len(learn)
        assert not {together[row] for row in learn} & {together[row] for row in asked}


def test_smaller_parts_lie_within_larger_ones_and_hold_every_class_evenly() -> None:
    truth = np.array([0] * 100 + [1] * 40 + [2] * 10)
    ((learn, _), *_) = module._turns(truth, names(150), 0)
    for size in (12, 30, 60):
        counts = np.bincount(truth[learn[:size]], minlength=3)
        expected = size * np.array([100, 40, 10]) / 150
        assert (np.abs(counts - expected) <= 1.5).all()
        assert counts.min() >= 1


def test_a_table_of_few_records_tells_which_classes_had_fewer() -> None:
    rows = np.concatenate([np.arange(0, 180, 3), np.arange(1, 180, 3), np.arange(2, 36, 3)])  # 60, 60 and 12
    few = {row.each: row for row in curve(table(180).rows(rows), recipe=weighed(60, 60, 12)).few}
    assert set(few) == {5, 10, 20}  # 48 of 60 records are left in a fold: none has 50
    assert (few[5].short, few[5].point.photos) == (0, 15)
    assert few[20].short == 1
    assert few[20].point.photos in (49, 50)
    assert few[5].point.judged == 132


def weighed(*counts: int) -> Recipe:
    values = weights_of(np.array(counts))
    return Recipe(len(counts), of_categories(weights=torch.from_numpy(values).float()), 16, 0, values)


def test_a_part_is_weighed_by_its_own_classes() -> None:
    train = table(180).rows(np.concatenate([np.arange(0, 180, 3), np.arange(1, 180, 3), np.arange(2, 36, 3)]))
    way = trainer(train, weighed(60, 60, 12))
    alike, lopsided = way._recipe(np.repeat([0, 1, 2], 5)), way._recipe(np.repeat([0, 1, 2], [20, 20, 4]))
    assert alike.weights is None
    assert lopsided.weights is not None
    np.testing.assert_allclose(lopsided.weights, weights_of(np.array([20, 20, 4])))


@pytest.mark.parametrize("n", [3, 12, 30])
def test_of_very_few_records_nothing_is_said_and_why(n: int) -> None:
    found = curve(table(n))
    assert found.twice is None
    assert found.reason == (
        f"{n} photos are too few to tell what more would bring; it takes about 40 of these 3 classes."
    )
    assert found.photos == n
    assert curve(table(40)).twice is not None


def test_records_that_are_copies_of_a_few_are_too_few() -> None:
    found = curve(table(60), [f"digest {i % 6}" for i in range(60)])
    assert found.reason == (
        "The 60 photos are 6 when copies and groups count once, too few to tell what more would bring; it takes 10."
    )
    assert found.points == ()


def test_two_classes_and_a_class_of_one_record_have_a_curve() -> None:
    two = only(table(90), table(90).truth.numpy() < 2)
    assert curve(two, recipe=Recipe(2, of_categories(), 16, 0), labels="ab").twice is not None
    single = table(90).rows(np.array([i for i in range(90) if i % 3 < 2 or i == 2]))
    found = curve(single)
    assert found.twice is not None
    assert {row.label: row.photos for row in found.classes} == {"a": 30, "b": 30, "c": 1}


def test_all_right_leaves_a_little_doubt() -> None:
    twice = curve(table(90, spread=0.01)).twice
    assert twice is not None
    assert 0.97 < twice.accuracy < 1
    assert twice.interval[0] < 0.995


def test_many_classes_of_eight_have_a_curve() -> None:
    train = table(37 * 8, classes=37, width=30, spread=1.5)
    found = curve(train, recipe=Recipe(37, of_categories(), 16, 0), labels=[f"class {i}" for i in range(37)])  # type: ignore[arg-type]
    assert found.twice is not None
    assert [row.each for row in found.few] == [5]


def test_what_a_curve_costs_stops_growing_with_the_records(monkeypatch: pytest.MonkeyPatch) -> None:
    learned: list[int] = []

    def counted(self: Trainer, learn: np.ndarray, asked: np.ndarray) -> np.ndarray:
        learned.append(len(learn))
        return self.train.truth.numpy()[asked]

    monkeypatch.setattr(Trainer, "answers", counted)
    for name, value in (("_MOST_LEARNED", 150), ("_MOST_ASKED", 400), ("_ENOUGH_ASKED", 300)):
        monkeypatch.setattr(module, name, value)
    n = 5_000
    truth = torch.arange(n) % 10
    right = np.eye(10)[truth.numpy()]
    way = trainer(Table(torch.zeros(n, 1), truth), Recipe(10, of_categories(), 16, 0))
    found = learning_curve(way, names(n), [str(i) for i in range(10)], right, seed=0)
    assert learned == [50, 150, 50, 100, 200]  # not 500, with 50 of each class
    assert [(point.photos, point.judged) for point in found.points] == [(50, 400), (150, 400), (4000, 5000)]


def test_the_same_seed_gives_the_same_curve() -> None:
    assert curve(table(120, spread=2.0)) == curve(table(120, spread=2.0))


def test_the_learners_curve_is_of_its_training_part_whatever_the_judged_part_holds() -> None:
    one, other = learner(n=150, judged=50, spread=2.0), learner(n=150, judged=20, spread=2.0)
    for each in (one, other):
        each.fit_one_cycle(3, 0.05)
    assert one.learning_curve().photos == 100
    assert other.learning_curve().photos == 130


def test_the_judged_part_plays_no_role() -> None:
    """Two learners of the same training part, whose judged parts hold other features and labels."""
    curves = []
    for change in (0.0, 50.0):
        made = learner(n=150, judged=50, spread=2.0)
        made._judged._table.features.add_(change)
        made.fit_one_cycle(3, 0.05)
        curves.append(made.learning_curve())
    assert curves[0] == curves[1]
    assert curves[0].twice is not None


def test_the_folds_are_those_of_the_calibration() -> None:
    truth = table(90).truth.numpy()
    fold_of = folds(truth, names(90), 5, seed=3)
    for fold, (learn, asked) in enumerate(module._turns(truth, names(90), 3)):
        assert set(asked.tolist()) == set(np.flatnonzero(fold_of == fold).tolist())
        assert set(learn.tolist()) == set(np.flatnonzero(fold_of != fold).tolist())


def test_before_any_training_there_is_none() -> None:
    with pytest.raises(UsageError, match=r"There is no learning curve before a training\. Call fit_one_cycle first\."):
        learner().learning_curve()

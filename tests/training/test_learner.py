from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from finegraft.data.record import Split
from finegraft.errors import DataError, TrainingError, UsageError
from finegraft.targets import softmax
from finegraft.training.callbacks import EarlyStop, KeepBest, State
from finegraft.training.learner import Learner
from finegraft.training.recipe import scores_of
from tests.training.making import Nowhere, blobs, dataset, learner


def given(splits: list[Split | None], features: np.ndarray, truth: np.ndarray, **options: Any) -> Learner:
    return Learner(dataset(truth.tolist(), splits), features, Nowhere(), show=False, **options)


def test_fit_one_cycle_learns_and_evaluate_judges_the_held_out_part() -> None:
    taught = learner(n=240, judged=60, spread=0.6)
    taught.fit_one_cycle(6)
    evaluation = taught.evaluate()
    assert evaluation.keys == tuple(record.key for record in taught.data.part("held-out"))
    assert evaluation.labels == ("a", "b", "c")
    assert evaluation.truth.tolist() == [int(key[:4]) % 3 for key in evaluation.keys]
    assert evaluation.accuracy.value > 0.85
    assert taught.evaluate("train").keys == tuple(record.key for record in taught.data.part("train"))


def test_probabilities_are_the_scores_over_the_temperature() -> None:
    taught = learner(head="mlp")
    taught.fit(2, lr=0.05)
    scores = scores_of(taught.network, taught._judged.opened(1))
    np.testing.assert_allclose(taught.evaluate().probabilities, softmax(scores, taught.calibration.temperature))


def test_the_finders_rate_is_used_where_none_is_given() -> None:
    told, found = learner(head="linear"), learner(head="linear")
    curve = found.find_lr()
    assert found.curve is curve
    found.fit_one_cycle(2)
    told.fit_one_cycle(2, lr=curve.suggestion)
    assert found.lr == told.lr == curve.suggestion
    assert torch.equal(found.network[-1].weight, told.network[-1].weight)


def test_a_fit_without_a_curve_finds_one() -> None:
    taught = learner(head="linear")
    taught.fit(1)
    assert taught.curve is not None
    assert taught.lr == taught.curve.suggestion


def test_fits_go_on_from_each_other_and_so_do_the_folds() -> None:
    taught = learner(head="linear")
    taught.fit_one_cycle(2, lr=0.1)
    first, weights = taught.calibration, taught.network[-1].weight.detach().clone()
    assert taught.calibration is first, "computed once"
    taught.fit(3, lr=0.01)
    assert not torch.equal(taught.network[-1].weight, weights)
    assert taught.calibration is not first
    assert [row.epoch for row in taught.history.rows] == [1, 2, 1, 2, 3]
    assert taught.calibration.probabilities.shape == (60, 3)


def test_appended_callbacks_hear_of_the_fit() -> None:
    class Counter:
        steps = 0

        def on_batch_end(self, state: State) -> None:
            assert state.batches == 3
            self.steps += 1

    taught, counter = learner(head="linear", batch_size=20), Counter()
    taught.callbacks.append(counter)
    taught.fit_one_cycle(2, lr=0.1)
    assert counter.steps == 6


def test_the_head_is_chosen_on_first_use_and_only_when_asked() -> None:
    auto, told = learner(), learner(head="mlp")
    assert auto.trials == ()
    assert auto.head in ("linear", "mlp")
    assert [trial.kind for trial in auto.trials] == ["linear", "mlp"]
    assert min(auto.trials, key=lambda trial: trial.loss).kind == auto.head
    assert (told.head, told.trials) == ("mlp", ())


def chosen(taught: Learner) -> dict[str, Any]:
    """Everything that a training chooses, as bytes."""
    taught.fit_one_cycle(2)
    calibration = taught.calibration
    return {
        "trials": taught.trials,
        "head": taught.head,
        "curve": taught.curve,
        "rate": taught.lr,
        "weights": {name: value.numpy().tobytes() for name, value in taught.network.state_dict().items()},
        "temperature": calibration.temperature,
        "threshold": calibration.unsure_below,
        "out of fold": calibration.probabilities.tobytes(),
        "epochs and batches": (taught.default_epochs, taught.batch_size),
    }


@pytest.mark.parametrize(
    "splits",
    [
        ["train"] * 60 + ["held-out"] * 30,
        ["train"] * 60 + ["validation"] * 30,
        ["train"] * 60 + ["test"] * 30,
        ["train"] * 40 + ["validation"] * 20 + ["test"] * 30,
    ],
    ids=["held-out", "validation", "test", "validation and test"],
)
def test_the_judged_part_chooses_nothing(splits: list[Split | None]) -> None:
    """Nonsense takes the place of the judged features, labels and mirror images: every bit of every choice stays."""
    features, truth = blobs(90)
    wrong_features, wrong_truth = features.copy(), truth.copy()
    wrong_features[60:] = np.random.default_rng(5).normal(0, 100, (30, 8))
    wrong_truth[60:] = (truth[60:] + 1) % 3
    right = given(splits, features, truth, mirrored=features + 0.1)
    wrong = given(splits, wrong_features, wrong_truth, mirrored=wrong_features + 0.1)
    assert chosen(right) == chosen(wrong)
    assert not np.array_equal(right.evaluate().probabilities, wrong.evaluate().probabilities), (
        "it is judged all the same"
    )


def test_with_validation_and_test_given_validation_chooses_the_head() -> None:
    features, truth = blobs(90)
    splits: list[Split | None] = ["train"] * 40 + ["validation"] * 20 + ["test"] * 30
    changed = truth.copy()
    changed[40:60] = (truth[40:60] + 1) % 3
    right, wrong = given(splits, features, truth), given(splits, features, changed)
    assert (right.head, wrong.head) != (None, None)
    assert right.trials != wrong.trials
    assert right.trials[0].lr == wrong.trials[0].lr, "the rate comes from the training part"


@pytest.mark.parametrize(
    ("splits", "watched", "judged"),
    [
        (["train"] * 60 + ["held-out"] * 30, "held-out", "held-out"),
        (["train"] * 60 + ["validation"] * 30, "validation", "validation"),
        (["train"] * 60 + ["test"] * 30, "test", "test"),
        (["train"] * 40 + ["validation"] * 20 + ["test"] * 30, "validation", "test"),
    ],
)
def test_what_is_watched_and_what_is_judged(splits: list[Split | None], watched: str, judged: Split) -> None:
    taught = given(splits, *blobs(90), head="linear")
    assert taught.watched == watched
    taught.fit_one_cycle(1, lr=0.1)
    assert taught.evaluate().keys == tuple(record.key for record in taught.data.part(judged))


def test_the_same_seed_repeats_everything_bit_for_bit_and_another_does_not() -> None:
    torch.manual_seed(5)
    first = chosen(learner(seed=1))
    torch.manual_seed(6)
    assert chosen(learner(seed=1)) == first
    assert chosen(learner(seed=2))["weights"] != first["weights"]


def test_one_photo_of_each_class_to_learn_from_is_enough() -> None:
    taught = given(["train"] * 3 + ["held-out"] * 3, *blobs(6))
    taught.fit_one_cycle(2)
    assert (taught.head, taught.trials) == ("linear", ())
    assert len(taught.evaluate()) == 3


@pytest.mark.parametrize("head", ["linear", "mlp", "auto"])
def test_two_photos_to_learn_from_are_enough(head: Any) -> None:
    features, truth = blobs(4, classes=2)
    taught = given(["train"] * 2 + ["held-out"] * 2, features, truth, head=head)
    taught.fit_one_cycle(2)
    assert taught.calibration.unsure_below == 1.0


def test_a_class_only_to_be_judged_is_refused() -> None:
    features, truth = blobs(9)
    splits: list[Split | None] = ["test" if kind == 2 else "train" for kind in truth]
    with pytest.raises(DataError, match=r"have records to judge but none to learn from: c\. Add records of them"):
        given(splits, features, truth)


def test_one_class_is_refused() -> None:
    features, truth = blobs(9, classes=1)
    with pytest.raises(DataError, match=r"classes or more to learn from, got \['a'\]\. Put the photos of each class"):
        given(["train"] * 6 + ["held-out"] * 3, features, truth)


@pytest.mark.parametrize("splits", [[None] * 9, ["train"] * 9])
def test_nothing_to_judge_on_is_refused(splits: list[Split | None]) -> None:
    with pytest.raises(DataError, match=r"no part to judge on\. Call \.split\(valid=0\.2, seed=0\) first"):
        given(splits, *blobs(9))


@pytest.mark.parametrize("rate", [0, -1.0, float("nan")])
@pytest.mark.parametrize("method", ["fit", "fit_one_cycle"])
def test_a_rate_must_be_above_zero(method: str, rate: float) -> None:
    with pytest.raises(UsageError, match=rf"^A learning rate must be above 0, got {rate!r}\.$"):
        getattr(learner(head="linear"), method)(1, lr=rate)


@pytest.mark.parametrize("epochs", [0, -3])
@pytest.mark.parametrize("method", ["fit", "fit_one_cycle"])
def test_there_must_be_an_epoch(method: str, epochs: int) -> None:
    with pytest.raises(UsageError, match=rf"^The number of epochs must be at least 1, got {epochs}\.$"):
        getattr(learner(head="linear"), method)(epochs, lr=0.1)


@pytest.mark.parametrize("size", [0, -8])
def test_a_batch_must_hold_something(size: int) -> None:
    with pytest.raises(UsageError, match=rf"^The batch size must be at least 1, got {size}\.$"):
        learner(batch_size=size)


def test_a_part_that_is_not_there_cannot_be_judged() -> None:
    with pytest.raises(DataError, match=r"^The part 'validation' has no records\. There are: held-out, train\.$"):
        learner(head="linear").evaluate("validation")


def test_a_training_that_diverges_ends_with_what_to_do() -> None:
    with pytest.raises(TrainingError, match=r"no longer finite at epoch 1, step 3, rate 1e\+30. Try a lower --lr"):
        learner(head="linear").fit(3, lr=1e30)


def unbalanced(judged: int = 60, spread: float = 1.2) -> tuple[list[Split | None], np.ndarray, np.ndarray]:
    """Splits, features and truth: 90, 90 and 6 records to learn from, then `judged` with as many of each class."""
    features, truth = blobs(3 * (90 + judged), spread=spread)
    rows = [np.flatnonzero(truth == label)[:n] for label, n in enumerate((90, 90, 6))]
    learned = np.concatenate(rows)
    held_out = np.arange(270, 270 + judged)
    splits: list[Split | None] = ["train"] * len(learned) + ["held-out"] * judged
    order = np.concatenate([learned, held_out])
    return splits, features[order], truth[order]


def test_class_weights_come_from_the_training_part_and_reach_every_step() -> None:
    splits, features, truth = unbalanced()
    taught = given(splits, features, truth)
    assert taught.class_weights.values is not None
    np.testing.assert_allclose(taught.class_weights.values, 186 / 3 / np.array([90, 90, 6]))
    assert taught._recipe.weights is taught.class_weights.values
    plain = given(splits, features, truth, class_weights="no")
    assert (plain.class_weights.values, plain.class_weights.unbalanced) == (None, True)
    for one in (taught, plain):
        one.fit_one_cycle(6)
    assert taught.find_lr().losses != plain.find_lr().losses
    assert taught.calibration.temperature != plain.calibration.temperature
    found = taught.evaluate().metrics()["macro_recall"].value
    assert found > plain.evaluate().metrics()["macro_recall"].value


def test_balanced_classes_are_learned_bit_for_bit_as_without_weights() -> None:
    assert chosen(learner()) == chosen(learner(class_weights="no"))


def test_a_judged_part_of_another_mix_changes_no_weight() -> None:
    features, truth = blobs(90)
    splits: list[Split | None] = ["train" if i < 60 or kind == 0 else "held-out" for i, kind in enumerate(truth)]
    assert given(splits, features, truth).class_weights.values is None


def test_another_word_for_class_weights_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^Class weights are 'auto' or 'no', got 'yes'\.$"):
        learner(class_weights="yes")


def test_no_table_that_chooses_holds_a_judged_record() -> None:
    splits: list[Split | None] = ["train"] * 40 + ["validation"] * 20 + ["test"] * 30
    taught = given(splits, *blobs(90))
    assert {split: len(table.truth) for split, table in taught._tables.items()} == {"train": 40, "validation": 20}
    assert len(taught._judged) == 30


def test_a_look_is_counted_once_for_each_training_that_was_judged() -> None:
    taught = learner(head="linear")
    taught.fit_one_cycle(1, lr=0.1)
    assert taught.evaluate().looks == 1
    assert taught.evaluate().looks == 1, "nothing was trained in between"
    assert taught.evaluate("train").looks == 1
    taught.fit_one_cycle(1, lr=0.1)
    taught.fit_one_cycle(1, lr=0.1)
    assert taught.evaluate().looks == 2


def test_a_schedule_by_name_moves_the_rate_and_an_unknown_one_is_refused() -> None:
    def learned(**options: Any) -> np.ndarray:
        made = learner(head="linear")
        made.fit(3, lr=0.05, **options)
        return made.evaluate().probabilities  # type: ignore[union-attr]

    constant, flat = learned(), learned(schedule="flat_cosine")
    assert np.array_equal(constant, learned(schedule="constant"))
    assert not np.array_equal(constant, flat)
    with pytest.raises(UsageError, match="flat_cosin"):
        learned(schedule="flat_cosin")


def test_a_rule_by_name_reads_the_curve() -> None:
    made = learner(head="linear")
    assert made.find_lr(rule="steep").rule == "steep"
    assert made.find_lr().rule == "half"


@pytest.mark.parametrize("callback", [KeepBest(), EarlyStop(2)])
def test_nothing_chooses_by_the_part_that_gives_the_headline(callback: object) -> None:
    taught = learner(head="linear")
    taught.callbacks.append(callback)
    with pytest.raises(UsageError, match=r"would choose by the held-out part, which gives the headline number"):
        taught.fit_one_cycle(1)
    assert (taught.lr, taught.epochs, taught._stretches) == (None, 0, 0)
    features, truth = blobs(90)
    splits: list[Split | None] = ["train"] * 40 + ["validation"] * 20 + ["test"] * 30
    watched = given(splits, features, truth)
    watched.callbacks.append(callback)
    watched.fit_one_cycle(2)


@pytest.mark.parametrize("callback", [KeepBest("train_loss"), EarlyStop(2, "train_loss")])
def test_what_goes_by_the_training_alone_chooses_by_no_part(callback: object) -> None:
    taught = learner(head="linear")
    taught.callbacks.append(callback)
    taught.fit_one_cycle(2)
    assert taught.epochs == 2


def test_weights_that_do_not_fit_change_nothing(tmp_path: Path) -> None:
    taught, other = learner(head="linear"), given_wider()
    for one in (taught, other):
        one.fit_one_cycle(2)
    other.save(tmp_path / "wider.safetensors")
    before, rate, network = taught.evaluate().probabilities, taught.lr, taught.network
    with pytest.raises(DataError, match="These weights are of another network"):
        taught.load(tmp_path / "wider.safetensors")
    assert np.array_equal(taught.evaluate().probabilities, before)
    assert (taught.lr, taught.network) == (rate, network)


def given_wider() -> Learner:
    """One whose features have another width."""
    features, truth = blobs(90, width=9)
    return given(["train"] * 60 + ["held-out"] * 30, features, truth, head="linear")


def test_a_hidden_layer_keeps_the_size_it_was_saved_with(tmp_path: Path) -> None:
    taught, other = learner(head="mlp"), learner(head="mlp")
    taught._recipe = replace(taught._recipe, hidden=17)
    taught.fit_one_cycle(2)
    taught.save(tmp_path / "head.safetensors")
    other.load(tmp_path / "head.safetensors")
    assert np.array_equal(other.evaluate().probabilities, taught.evaluate().probabilities)

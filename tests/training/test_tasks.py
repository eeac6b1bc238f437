"""Each row of the table of tasks against a second way: torch's own losses, scikit-learn, and plain arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import hamming_loss, log_loss, mean_absolute_error
from torch.nn import functional

from finegraft.data.record import Record
from finegraft.data.splits import strata
from finegraft.evaluation.platt import fit_each
from finegraft.evaluation.tag_thresholds import probabilities_of
from finegraft.models.heads import folded
from finegraft.targets import Category, Number, Tags
from finegraft.training import objective, tasks
from finegraft.training.recipe import Fit, Recipe, Table, scores_of
from finegraft.training.schedule import one_cycle
from finegraft.training.span import train_in_span

RNG = np.random.default_rng(0)
FEATURES = torch.from_numpy(RNG.normal(size=(120, 8)).astype(np.float32))
TAGS = torch.from_numpy((FEATURES.numpy()[:, :3] + RNG.normal(0, 0.5, (120, 3)) > [0.0, 1.0, 2.0]).astype(np.float32))
NUMBERS = torch.from_numpy(100 + 20 * FEATURES.numpy()[:, 0].astype(np.float64) + RNG.normal(0, 2, 120))


def recipe(task: tasks.Task, table: Table, outputs: int) -> Recipe:
    return Recipe(outputs, task.objective(table.truth, None), 16, 0, task=task)


def test_the_loss_of_tags_is_torchs_mean_times_their_number() -> None:
    scores = torch.from_numpy(RNG.normal(0, 3, TAGS.shape).astype(np.float32)).requires_grad_()
    ours = objective.of_tags()(scores, TAGS)
    torchs = functional.binary_cross_entropy_with_logits(scores, TAGS) * 3
    assert ours.item() == pytest.approx(torchs.item(), rel=1e-6)
    first, second = (torch.autograd.grad(loss, scores)[0] for loss in (ours, torchs))
    torch.testing.assert_close(first, second, atol=1e-7, rtol=1e-5)


def test_the_loss_of_numbers_is_hubers_in_units_of_their_spread() -> None:
    scores = (NUMBERS + torch.from_numpy(RNG.normal(0, 30, 120))).float()[:, None]
    ours = objective.of_numbers(7.0)(scores, NUMBERS)
    torchs = functional.huber_loss(scores[:, 0].double() / 7, NUMBERS / 7)
    assert ours.item() == pytest.approx(torchs.item(), rel=1e-6)


def test_errors_are_scikit_learns() -> None:
    scores = torch.from_numpy(RNG.normal(0, 3, TAGS.shape).astype(np.float32))
    assert tasks.TAGS.error(scores, TAGS) == pytest.approx(hamming_loss(TAGS.numpy() > 0, scores.numpy() > 0))
    answers = NUMBERS.float()[:, None] + 3
    assert tasks.NUMBER.error(answers, NUMBERS) == pytest.approx(mean_absolute_error(NUMBERS, answers), rel=1e-5)


def test_heads_are_compared_by_the_loss_after_calibration() -> None:
    scores = RNG.normal(0, 3, TAGS.shape)
    truth = TAGS.numpy()
    probabilities = probabilities_of(scores, fit_each(scores, truth.astype(int)))
    wanted = sum(log_loss(truth[:, tag], probabilities[:, tag]) for tag in range(3))
    assert tasks.TAGS.loss(scores, truth) == pytest.approx(wanted)
    assert tasks.NUMBER.loss(np.array([[1.0], [5.0]]), np.array([2.0, 2.0])) == 2.0


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_an_untrained_head_of_tags_answers_with_their_shares(kind: str) -> None:
    head = recipe(tasks.TAGS, Table(FEATURES, TAGS), 3).fresh(kind, Table(FEATURES, TAGS))  # type: ignore[arg-type]
    share = (TAGS.sum(0) + 1) / 122
    torch.testing.assert_close(head[-1].bias.detach().sigmoid(), share)


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_the_folded_head_answers_in_the_users_unit(kind: str) -> None:
    table = Table(FEATURES, NUMBERS)
    way = recipe(tasks.NUMBER, table, 1)
    head = way.fresh(kind, table)  # type: ignore[arg-type]
    way.train(head, table, Fit(one_cycle(0.05), 5))
    *hidden, last = folded(head)
    x = FEATURES.numpy().astype(np.float64)
    for weight, bias in hidden:
        x = np.maximum(x @ weight.T + bias, 0)
    np.testing.assert_allclose(x @ last[0].T + last[1], scores_of(head, table), rtol=1e-4)
    assert tasks.NUMBER.error(head(FEATURES), NUMBERS) < tasks.NUMBER.error(NUMBERS.mean().expand(120, 1), NUMBERS)


def test_another_unit_gives_the_same_answers_in_it() -> None:
    answers = []
    for scale, shift in ((1.0, 0.0), (1e-3, 5.0), (-40.0, 1e4)):
        table = Table(FEATURES, NUMBERS * scale + shift)
        way = recipe(tasks.NUMBER, table, 1)
        head = way.fresh("linear", table)
        way.train(head, table, Fit(one_cycle(0.02), 5))
        answers.append((scores_of(head, table)[:, 0] - shift) / scale)
    np.testing.assert_allclose(answers[1], answers[0], rtol=1e-2)
    np.testing.assert_allclose(answers[2], answers[0], rtol=1e-2)


@pytest.mark.parametrize(("task", "truth", "outputs"), [(tasks.TAGS, TAGS, 3), (tasks.NUMBER, NUMBERS, 1)])
@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_training_in_the_span_gives_the_same_head(
    task: tasks.Task, truth: torch.Tensor, outputs: int, kind: str
) -> None:
    wide = torch.from_numpy(RNG.normal(size=(60, 200)).astype(np.float32))
    table = Table(wide, truth[:60])
    way = recipe(task, table, outputs)
    plain, short = way.fresh(kind, table), way.fresh(kind, table)  # type: ignore[arg-type]
    way.train(plain, table, Fit(one_cycle(0.01), 3))
    train_in_span(way, short, table, [Fit(one_cycle(0.01), 3)])
    np.testing.assert_allclose(scores_of(short, table), scores_of(plain, table), rtol=1e-3, atol=1e-3)


def test_strata_are_those_of_the_split() -> None:
    names = np.array(["a", "b", "c"])
    records = [Record(str(i), str(i), tuple(names[row > 0].tolist())) for i, row in enumerate(TAGS.numpy())]
    ours = tasks.TAGS.strata(TAGS.numpy())
    told = np.array([*names, ""])[ours]
    assert told.tolist() == strata(records)
    fifths = tasks.NUMBER.strata(NUMBERS.numpy())
    assert np.bincount(fifths).tolist() == [24] * 5
    assert fifths.tolist() == [
        int(s) for s in strata([Record(str(i), str(i), n) for i, n in enumerate(NUMBERS.tolist())])
    ]
    assert tasks.NUMBER.strata(np.array([0.0, 0.0, 0.0, 0.0, 1.0])).max() <= 2


def test_a_target_finds_its_row_and_its_number_of_scores() -> None:
    assert tasks.of(Category(("a", "b"))) is tasks.CATEGORY
    assert (tasks.of(Tags(("a",))), tasks.outputs_of(Tags(("a",)))) == (tasks.TAGS, 1)
    assert (tasks.of(Number()), tasks.outputs_of(Number())) == (tasks.NUMBER, 1)
    assert tasks.outputs_of(Category(("a", "b", "c"))) == 3

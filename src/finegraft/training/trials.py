"""Which kind of head: tried on an inner split that the result is not judged on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from finegraft.models.heads import HeadKind
from finegraft.training.lr_finder import find_lr
from finegraft.training.recipe import Fit, Recipe, Table, scores_of
from finegraft.training.schedule import one_cycle
from finegraft.training.span import train_in_span


@dataclass(frozen=True)
class HeadTrial:
    """One kind of head on the inner split: the rate it was trained with, its mean loss there after the best single
    temperature (raw losses would only compare how sure the two are), and its mean error, called `measure`.
    """

    kind: HeadKind
    lr: float
    loss: float
    error: float
    measure: str = "error_rate"

    def to_json(self) -> dict[str, Any]:
        """A row of `trials` in run.json."""
        return {"kind": self.kind, "lr": self.lr, "loss": self.loss, self.measure: self.error}


def try_heads(recipe: Recipe, learn: Table, choose: Table, epochs: int) -> tuple[HeadTrial, HeadTrial]:
    """The linear head and the one with a hidden layer, trained on `learn` and compared on `choose`."""
    return _trial("linear", recipe, learn, choose, epochs), _trial("mlp", recipe, learn, choose, epochs)


def better(linear: HeadTrial, mlp: HeadTrial) -> HeadKind:
    """The kind with the lower loss; the linear head where they tie."""
    return "mlp" if mlp.loss < linear.loss else "linear"


def _trial(kind: HeadKind, recipe: Recipe, learn: Table, choose: Table, epochs: int) -> HeadTrial:
    network = recipe.fresh(kind, learn)
    lr = find_lr(network, recipe.batches(learn), recipe.objective).suggestion
    train_in_span(recipe, network, learn, [Fit(one_cycle(lr), epochs)])
    scores, truth = scores_of(network, choose), choose.truth.cpu().numpy()
    task = recipe.task
    _, error = recipe.judge(network, choose)
    return HeadTrial(kind, lr, task.loss(scores, truth), error, task.error_name)

"""Is the network that learned better than the head on the frozen backbone? Asked of records that neither learned from.

Fine-tuning changes what features are, so nothing can be told out of fold any more: every training record has been seen
by the layers below. What must be chosen or measured (the epoch, temperature and thresholds, whether to fine-tune at
all) is therefore asked of records that are kept aside from the start: the validation part where another one gives the
headline, else a tenth of the training part. The part that gives the headline number chooses nothing here either.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from finegraft.data.record import Record
from finegraft.models.heads import HeadKind
from finegraft.models.novelty import Novelty
from finegraft.training.confidence import FEWEST_GROUPS
from finegraft.training.folds import OutOfFold
from finegraft.training.ground import Examples, Ground
from finegraft.training.lr_finder import find_lr
from finegraft.training.novelty import novelty_aside, some_of
from finegraft.training.plan import Plan
from finegraft.training.recipe import Fit, Recipe, Table, default_epochs, scores_of
from finegraft.training.schedule import one_cycle
from finegraft.training.span import train_in_span
from finegraft.training.tasks import AnyCalibration
from finegraft.training.trunks import Grafting
from finegraft.training.tuning import BATCH_SIZE, Manner, Tuning

# The part of the training records that is kept aside. Of 3,000 photos these are 300: enough for a temperature.
ASIDE = 0.1
# By fewer records nobody can say that a network is better.
FEWEST_ASKED = 10


@dataclass(frozen=True, eq=False)
class Trial:
    """One network on the m records kept aside: `losses` float64 (m,) after the best single temperature, and its mean
    `error`.
    """

    losses: np.ndarray
    error: float

    @property
    def loss(self) -> float:
        """The mean loss."""
        return float(self.losses.mean())

    def to_json(self) -> dict[str, float]:
        """`loss` and `error`."""
        return {"loss": self.loss, "error": self.error}


@dataclass(frozen=True, eq=False)
class Settled:
    """A network that has learned, frozen again: a backbone, a head on its features, and how sure answers may be."""

    origin: Grafting
    head: nn.Sequential
    calibration: AnyCalibration
    _known: dict[tuple[str, ...], Tensor] = field(default_factory=dict, repr=False)

    def table(self, records: Sequence[Record], truth: Tensor) -> Table:
        """What the backbone says of `records` with their `truth`, as the graph says it; of the same ones once."""
        keys = tuple(record.key for record in records)
        if keys not in self._known:
            self._known[keys] = torch.from_numpy(self.origin.features(records))
        return Table(self._known[keys], truth.cpu())


@dataclass(frozen=True, eq=False)
class Tuned:
    """What came of a fine-tuning: `head` alone on the frozen backbone and the whole `network`, asked the same.

    Both learned from `learned` records and were asked about `asked` others. `better` is whether the network is used.
    `best_epoch` is the one whose weights were kept. `network` is None where it was not trained, `head` where nobody
    could have told which is better.
    """

    plan: Plan
    head: Trial | None
    network: Trial | None
    learned: int
    asked: int
    best_epoch: int | None = None

    @classmethod
    def not_asked(cls, reason: str, learned: int, asked: int) -> Tuned:
        """Where nothing was tried, and why."""
        return cls(Plan(0, 0.0, reason), None, None, learned, asked)

    @property
    def better(self) -> bool:
        """Whether the network's loss is lower by more than the standard error of the difference.

        A tenth of a few hundred records is soon better by chance: then the head alone is the simpler answer (the rule
        of one standard error, Breiman et al., 1984, "Classification and Regression Trees", section 3.4.3).
        """
        if self.network is None or self.head is None:
            return False
        gain = self.head.losses - self.network.losses
        return bool(gain.mean() > gain.std() / np.sqrt(len(gain)))

    @property
    def sentence(self) -> str:
        """What came of it, in words."""
        if self.network is None or self.head is None:
            return self.plan.sentence
        losses = f"loss {self.network.loss:.3f} against {self.head.loss:.3f} of the head alone"
        asked = f"on {self.asked:,} records that neither learned from"
        if self.better:
            return f"Fine-tuned: {losses}, {asked}."
        return f"Fine-tuning was not surely better and is not used: {losses}, {asked}."

    def to_json(self) -> dict[str, Any]:
        """The key `fine_tuning` of run.json."""
        return {
            **self.plan.to_json(),
            "better": self.better,
            "head": None if self.head is None else self.head.to_json(),
            "network": None if self.network is None else self.network.to_json(),
            "learned": self.learned,
            "asked": self.asked,
            "best_epoch": self.best_epoch,
        }


def head_alone(recipe: Recipe, kind: HeadKind, ground: Ground) -> tuple[nn.Sequential, Trial]:
    """A head on the frozen features of the records to learn from, and what it says of those kept aside."""
    head = recipe.fresh(kind, ground.learned)
    lr = find_lr(head, recipe.batches(ground.learned), recipe.objective).suggestion
    train_in_span(recipe, head, ground.learned, [Fit(one_cycle(lr), default_epochs(len(ground.learned.truth)))])
    return head, trial(recipe, scores_of(head, ground.asked), ground.asked.truth)


def tuned_from(
    origin: Grafting,
    recipe: Recipe,
    head: nn.Sequential,
    ground: Ground,
    manner: Manner,
    n: int | None = None,
) -> Tuning:
    """The network of `origin` with `head` on it, of which the groups from `n` on (default: the usual ones) learn."""
    n = origin.usual if n is None else n
    trunk, below = origin.trunk(n)
    tuning = Tuning(
        trunk,
        head,
        recipe.objective,
        recipe.task,
        ground.learn,
        ground.aside,
        batch_size=min(BATCH_SIZE, recipe.batch_size),
        seed=recipe.seed,
        below=below,
        manner=manner,
    )
    tuning.freeze_to(n)
    return tuning


def trial(recipe: Recipe, scores: np.ndarray, truth: torch.Tensor) -> Trial:
    """What `scores` float (n, k) of records kept aside are worth."""
    error = recipe.task.error(torch.from_numpy(scores), truth.cpu())
    return Trial(recipe.task.losses(scores, truth.cpu().numpy()), error)


def compared(plan: Plan, alone: Trial, tuning: Tuning, recipe: Recipe) -> Tuned:
    """What came of `plan`: the head `alone`, and the network of `tuning` where it was trained."""
    network, truth = None, tuning.aside.truth
    if tuning.fits:
        network = trial(recipe, tuning.scores(tuning.aside.records).cpu().numpy(), truth)
    return Tuned(plan, alone, network, len(tuning.learn.records), len(truth), tuning.best.epoch)


def settled(tuning: Tuning, recipe: Recipe, groups: Sequence[str], wanted_error: float) -> Settled:
    """`tuning` frozen again, and what the records kept aside say of how sure it may be.

    `groups` say which of these belong together; fewer than three tell nothing, and every answer counts as unsure.
    Features are those of the frozen graph, by the engine that answers.
    """
    origin = tuning.trunk.settled()
    head = copy.deepcopy(tuning.network.head).cpu().eval()
    aside = _table(origin, tuning.aside)
    if len(set(groups)) < FEWEST_GROUPS:
        return Settled(origin, head, recipe.task.unknown(aside.truth.numpy(), recipe.classes, groups))
    scores = scores_of(head, aside)
    known, novel = _novelty(origin, recipe, tuning, aside, scores)
    found = OutOfFold(scores, aside.truth.numpy(), groups, known, novel)
    return Settled(origin, head, recipe.task.calibration(found, wanted_error))


def _novelty(
    origin: Grafting, recipe: Recipe, tuning: Tuning, aside: Table, scores: np.ndarray
) -> tuple[Novelty | None, np.ndarray | None]:
    """What is unlike the training data, by some of the records learned from; its limit is set on those kept aside."""
    task, learn = recipe.task, tuning.learn
    kinds = task.strata(learn.truth.cpu().numpy())
    some = some_of(kinds, recipe.seed)
    learned = _table(origin, learn.rows(some))
    features = aside.features.numpy()
    return novelty_aside(learned, kinds[some], features, scores, recipe.seed, task.doubts_by_score) or (None, None)


def _table(origin: Grafting, examples: Examples) -> Table:
    return Table(torch.from_numpy(origin.features(examples.records)), examples.truth.cpu())

"""The Learner: trains a head on a backbone's features. The only mutable object of a training."""

from __future__ import annotations

from collections import Counter
from typing import Literal, cast, get_args

import numpy as np
import torch
from torch import Tensor, nn

from finegraft.data.dataset import Dataset
from finegraft.data.groups import clusters
from finegraft.data.record import Split
from finegraft.data.splits import hold_out
from finegraft.errors import DataError, UsageError
from finegraft.evaluation.growth import LearningCurve
from finegraft.evaluation.kinds import AnyEvaluation
from finegraft.inference.predictor import Predictor
from finegraft.models import heads
from finegraft.models.heads import HeadKind
from finegraft.targets import Category, Target
from finegraft.training import class_weights as weighing
from finegraft.training import judging, tasks
from finegraft.training.callbacks import History
from finegraft.training.category_calibration import Calibration
from finegraft.training.confidence import WANTED_ERROR, calibrate
from finegraft.training.learnable import encode, target_of
from finegraft.training.learning_curve import Trainer, learning_curve
from finegraft.training.lr_finder import LRCurve, find_lr
from finegraft.training.origin import Origin
from finegraft.training.progress import LiveTable
from finegraft.training.recipe import Fit, Recipe, Table, default_batch_size, default_epochs, default_hidden, scores_of
from finegraft.training.schedule import constant, one_cycle
from finegraft.training.sealed import Sealed
from finegraft.training.tasks import AnyCalibration
from finegraft.training.trials import HeadTrial, better, try_heads

# The part of the training records that the kind of head is chosen by, where no validation part is free for it.
INNER_PART = 0.2
_PARTS = get_args(Split)


class Learner:
    """Learns the classes, the tags or the number of `data` from `features`.

    `features` float32 (n, d): row i belongs to `data.usable[i]`; `mirrored`, of the same shape, holds the features of
    the mirrored photos, to be learned from as well. `head` is "linear", "mlp", or "auto" to choose by
    the loss on an inner split. Nothing that chooses (head, rate, temperature, threshold) ever sees the part that the
    result is judged on. `class_weights` is "auto", to let every class count the same where some have far fewer records
    than others (`finegraft.training.class_weights`), or "no". `wanted_error`, in 0..1, is how often answers that are no
    close calls may be wrong: it sets the threshold below which an answer is unsure. `callbacks` may be appended to
    (`finegraft.training.callbacks`).

    Raises `DataError` where nothing is there to judge on, or a class has records to judge but none to learn from, and
    `UsageError` for a batch size below 1 or another word for `class_weights`.
    """

    def __init__(
        self,
        data: Dataset,
        features: np.ndarray,
        origin: Origin,
        *,
        head: HeadKind | Literal["auto"] = "auto",
        seed: int = 0,
        batch_size: int | None = None,
        class_weights: weighing.Wanted = "auto",
        wanted_error: float = WANTED_ERROR,
        mirrored: np.ndarray | None = None,
        device: str = "cpu",
        show: bool = True,
    ) -> None:
        self.data = data
        self.seed = seed
        self.wanted_error = wanted_error
        self.origin = origin
        self.target = target_of(data)
        self.history = History()
        self.callbacks: list[object] = [self.history]
        self.curve: LRCurve | None = None
        self.lr: float | None = None
        self.trials: tuple[HeadTrial, ...] = ()
        task = tasks.of(self.target)
        truth = encode(self.target, data.usable)
        views = [None if view is None else torch.from_numpy(view).to(device) for view in (features, mirrored)]
        table = Table(cast(Tensor, views[0]), torch.from_numpy(truth).to(device), views[1])
        # The judged part lies in an envelope; everything that chooses is given tables, and finds the others only.
        self._tables = {split: table.rows(_rows(data, split)) for split in _PARTS if split in data.given_splits}
        self._judged = Sealed(self._tables.pop(data.judged_on))
        n_train = len(data.part("train"))
        self.default_epochs = default_epochs(n_train)
        self.batch_size = default_batch_size(n_train) if batch_size is None else batch_size
        if self.batch_size < 1:
            raise UsageError(f"The batch size must be at least 1, got {batch_size!r}.")
        self.class_weights = _weights(data, self.target, class_weights)
        values = self.class_weights.values
        weights = None if values is None else torch.from_numpy(values).to(device, torch.float32)
        objective = task.objective(self._part("train").truth, weights)
        outputs = tasks.outputs_of(self.target)
        self._recipe = Recipe(outputs, objective, self.batch_size, seed, values, default_hidden(n_train), task)
        self._show = show
        self._head: HeadKind | None = None if head == "auto" else head
        self._network: nn.Sequential | None = None
        self._fits: list[Fit] = []
        self._calibration: AnyCalibration | None = None

    @property
    def head(self) -> HeadKind:
        """The kind of head; for "auto", chosen on first use. What was tried is in `trials`."""
        if self._head is None:
            self._head = self._chosen_head()
        return self._head

    @property
    def network(self) -> nn.Sequential:
        """The head as it stands, a torch module from features to scores; made on first use."""
        if self._network is None:
            self._network = self._recipe.fresh(self.head, self._part("train"))
        return self._network

    def find_lr(self) -> LRCurve:
        """Sweep the learning rate on the training part. Changes nothing but `curve`, which keeps the result."""
        self.curve = find_lr(self.network, self._recipe.batches(self._part("train")), self._recipe.objective)
        return self.curve

    def fit(self, epochs: int, lr: float | None = None) -> None:
        """Train for `epochs` at a constant rate (default: the finder's suggestion)."""
        lr = self._rate(lr)
        self._fit(Fit(constant(lr), _positive(epochs)), lr)

    def fit_one_cycle(self, epochs: int, lr: float | None = None) -> None:
        """Train for `epochs` with the one-cycle policy up to the rate `lr` (default: the finder's suggestion)."""
        lr = self._rate(lr)
        self._fit(Fit(one_cycle(lr), _positive(epochs)), lr)

    @property
    def watched(self) -> Split:
        """The part whose loss and error the table shows: validation where given, else the judged one, by its envelope.

        It is only shown: nothing automatic reads it.
        """
        return "validation" if "validation" in self.data.given_splits else self.data.judged_on

    @property
    def calibration(self) -> AnyCalibration:
        """How sure answers may be, from out-of-fold scores of the training part; computed on first use."""
        if self._calibration is None:
            groups = [record.together for record in self.data.part("train")]
            self._calibration = calibrate(
                self._recipe, self.head, self._fits, self._part("train"), groups, self.seed, self.wanted_error
            )
        return self._calibration

    def learning_curve(self) -> LearningCurve | None:
        """How accuracy grows with the photos learned from, and what more of them would bring; None where the target is
        no class.

        Measured within the training part: smaller heads are trained just as this one was, which takes about as long
        as `calibration`. Raises `UsageError` before any training.
        """
        if not self._fits:
            raise UsageError("There is no learning curve before a training.", "Call fit_one_cycle first.")
        calibration = self.calibration
        if not isinstance(self.target, Category) or not isinstance(calibration, Calibration):
            return None
        groups = [record.together for record in self.data.part("train")]
        trainer = Trainer(self._recipe, self.head, self._fits, self._part("train"))
        return learning_curve(trainer, groups, self.target.labels, calibration.probabilities, self.seed)

    def evaluate(self, split: Split | None = None) -> AnyEvaluation:
        """Judge the records of `split` (default: `data.judged_on`), with calibrated probabilities.

        An `Evaluation`, for tags a `TagsEvaluation`, for numbers a `NumberEvaluation`.

        The result knows how many differently trained networks were judged on `data.judged_on` so far (`looks`).
        Raises `DataError` where that part has no records.
        """
        wanted = split or self.data.judged_on
        records = self.data.part(wanted)
        if not records:
            raise DataError(
                f"The part {wanted!r} has no records.", f"There are: {', '.join(sorted(self.data.given_splits))}."
            )
        table = self._judged.opened(len(self._fits)) if wanted == self.data.judged_on else self._part(wanted)
        scores, known = scores_of(self.network, table), self.calibration.novelty
        return judging.evaluation(
            self.target,
            self.calibration,
            judging.Judged(
                keys=tuple(record.key for record in records),
                truth=table.truth.cpu().numpy(),
                scores=scores,
                groups=clusters(records),
                traits=self.data.traits_of(records),
                novelty=None if known is None else known.of(table.features.cpu().numpy(), scores),
                looks=max(self._judged.looks, 1),
            ),
        )

    @property
    def looks(self) -> int:
        """How many differently trained networks were judged on `data.judged_on` so far."""
        return self._judged.looks

    def predictor(self) -> Predictor:
        """What leaves the lab: backbone and head in one graph, with preprocess, classes, metrics and calibration."""
        return self.origin.predictor(heads.folded(self.network), self)

    def _rate(self, lr: float | None) -> float:
        if lr is not None and not lr > 0:
            raise UsageError(f"A learning rate must be above 0, got {lr!r}.")
        return lr if lr is not None else (self.curve or self.find_lr()).suggestion

    def _fit(self, fit: Fit, lr: float) -> None:
        shown = [LiveTable(self.watched)] if self._show else []
        callbacks = [*self.callbacks, *shown]
        self._recipe.train(self.network, self._part("train"), fit, self._watch, callbacks)
        self.lr = lr
        self._fits.append(fit)
        self._calibration = None

    def _part(self, split: Split) -> Table:
        return self._tables[split]

    def _watch(self, network: nn.Module) -> tuple[float, float]:
        if self.watched == self.data.judged_on:
            return self._judged.watched(network, self._recipe)
        return self._recipe.judge(network, self._part(self.watched))

    def _chosen_head(self) -> HeadKind:
        try:
            learn, choose = self._inner_split()
        except DataError:  # one photo of each class: there is nothing to choose by
            return "linear"
        self.trials = try_heads(self._recipe, learn, choose, default_epochs(len(learn.truth)))
        return better(*self.trials)

    def _inner_split(self) -> tuple[Table, Table]:
        """(what to learn from, what to choose by), both free of judged records."""
        train = self._part("train")
        if self.data.judged_on == "test" and "validation" in self.data.given_splits:
            return train, self._part("validation")
        records = self.data.part("train")
        kept = hold_out(records, INNER_PART, self.seed)
        inner = np.array([record.key in kept for record in records])
        return train.rows(np.flatnonzero(~inner)), train.rows(np.flatnonzero(inner))


def _rows(data: Dataset, split: Split) -> np.ndarray:
    return np.array([i for i, record in enumerate(data.usable) if record.split == split], dtype=np.int64)


def _weights(data: Dataset, target: Target, wanted: weighing.Wanted) -> weighing.ClassWeights:
    """What a record of each class counts, by the training records; all the same where the target is no class."""
    if not isinstance(target, Category):
        return weighing.none(wanted)
    counted = Counter(str(record.label) for record in data.part("train"))
    return weighing.choose({label: counted[label] for label in target.labels}, wanted)


def _positive(epochs: int) -> int:
    if epochs < 1:
        raise UsageError(f"The number of epochs must be at least 1, got {epochs!r}.")
    return epochs

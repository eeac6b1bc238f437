"""The Learner: trains a head on a backbone's features. The only mutable object of a training."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np
import torch
from torch import Tensor, nn

from finegraft.data.dataset import Dataset
from finegraft.data.groups import clusters
from finegraft.data.record import Split
from finegraft.data.splits import hold_out
from finegraft.errors import DataError, TrainingError, UsageError
from finegraft.evaluation.growth import LearningCurve
from finegraft.evaluation.kinds import AnyEvaluation
from finegraft.inference.predictor import Predictor
from finegraft.models import heads
from finegraft.models.heads import HeadKind
from finegraft.targets import Category, Target
from finegraft.training import class_weights as weighing
from finegraft.training import judging, tasks, weights
from finegraft.training.callbacks import Deadline, History
from finegraft.training.category_calibration import Calibration
from finegraft.training.confidence import WANTED_ERROR, calibrate
from finegraft.training.fine_tuning import (
    ASIDE,
    Ground,
    Settled,
    Tuned,
    compared,
    default_rate,
    divided,
    ground_of,
    head_alone,
    settled,
    tuned_from,
)
from finegraft.training.learnable import encode, target_of
from finegraft.training.learning_curve import Trainer, learning_curve
from finegraft.training.loaders import generator_of
from finegraft.training.lr_finder import LRCurve, find_lr
from finegraft.training.metric import measured_by
from finegraft.training.mixing import How
from finegraft.training.novelty import MOST
from finegraft.training.origin import Origin
from finegraft.training.plan import planned
from finegraft.training.progress import LiveTable
from finegraft.training.rates import Rates, peak_and_scales
from finegraft.training.recipe import Fit, Recipe, Table, default_batch_size, default_epochs, default_hidden, scores_of
from finegraft.training.schedule import Schedule, constant, one_cycle
from finegraft.training.sealed import Sealed
from finegraft.training.tasks import AnyCalibration
from finegraft.training.trials import HeadTrial, better, try_heads
from finegraft.training.trunks import Grafting
from finegraft.training.tuning import Tuning

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
    close calls may be wrong: it sets the threshold below which an answer is unsure. `metric` names what the table of
    epochs shows (`finegraft.evaluation.kinds.metric_names`; default: how often answers are wrong, or how far off).
    `mix` says how records are mixed in pairs where the network learns: "mixup" or "cutmix". `callbacks` may be appended
    to (`finegraft.training.callbacks`).

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
        metric: str | None = None,
        mix: How | None = None,
        mirrored: np.ndarray | None = None,
        device: str = "cpu",
        show: bool = True,
    ) -> None:
        self.data = data
        self.seed = seed
        self.wanted_error = wanted_error
        self.mix = mix
        self.origin = origin
        self.target = target_of(data)
        self.history = History()
        self.callbacks: list[object] = [self.history]
        self.curve: LRCurve | None = None
        self.lr: float | None = None
        self.trials: tuple[HeadTrial, ...] = ()
        task = measured_by(tasks.of(self.target), self.target, metric)
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
        of_classes = None if values is None else torch.from_numpy(values).to(device, torch.float32)
        objective = task.objective(self._part("train").truth, of_classes)
        outputs = tasks.outputs_of(self.target)
        self._recipe = Recipe(outputs, objective, self.batch_size, seed, values, default_hidden(n_train), task)
        self.device = device
        self._show = show
        self._head: HeadKind | None = None if head == "auto" else head
        self._network: nn.Sequential | None = None
        self._fits: list[Fit] = []
        self._calibration: AnyCalibration | None = None
        self.tuned: Tuned | None = None
        self._ground: Ground | None = None
        self._tuning: Tuning | None = None
        self._settled: Settled | None = None
        self._stretches = 0  # of training, whatever learned

    @property
    def head(self) -> HeadKind:
        """The kind of head; for "auto", chosen on first use. What was tried is in `trials`."""
        if self._head is None:
            self._head = self._chosen_head()
        return self._head

    @property
    def network(self) -> nn.Module:
        """What learns, as it stands: the head, a torch module from features to scores, or all of the network."""
        return self._head_network if self._tuning is None else self._tuning.network

    @property
    def _head_network(self) -> nn.Sequential:
        """The head on the frozen backbone; made on first use."""
        if self._network is None:
            self._network = self._recipe.fresh(self.head, self._part("train"))
        return self._network

    def find_lr(self, rates: Rates = 1.0) -> LRCurve:
        """Sweep the learning rate on the training part. Changes nothing but `curve`, which keeps the result.

        Where all of the network learns, `rates` says in what proportion its groups do: `slice(1, 100)`, say.
        """
        if self._tuning is not None:
            self.curve = self._tuning.find_lr(rates)
        else:
            batches = self._recipe.batches(self._part("train"))
            self.curve = find_lr(self._head_network, batches, self._recipe.objective)
        return self.curve

    def fit(self, epochs: int, lr: Rates | None = None) -> None:
        """Train for `epochs` at a constant rate (default: the finder's suggestion)."""
        self._fit(constant, _positive(epochs), lr)

    def fit_one_cycle(self, epochs: int, lr: Rates | None = None) -> None:
        """Train for `epochs` with the one-cycle policy up to the rate `lr` (default: the finder's suggestion).

        After `unfreeze`, `lr` may be a slice: `slice(a, b)` goes from a for the lowest layers to b for the head
        (`finegraft.training.rates`).
        """
        self._fit(one_cycle, _positive(epochs), lr)

    def unfreeze(self) -> None:
        """Let all of the network learn from now on, from the photos themselves."""
        self.freeze_to(0)

    def freeze(self) -> None:
        """Let only the head learn from now on, on the backbone as it stands."""
        if self._tuning is not None:
            self._tuning.freeze_to(-1)
            self.curve = None

    def freeze_to(self, n: int) -> None:
        """Let the groups of layers from number `n` on learn from now on; the head is the last one, -1.

        The head must have been trained first, or its random scores would tear apart what the backbone knows. From here
        on a tenth of the training part is kept aside to watch by, to keep the best epoch and to calibrate
        (`finegraft.training.fine_tuning`). Raises `UsageError` where there is no such group, where nothing was trained
        yet, or where the backbone cannot learn.
        """
        grafting = self._grafting()
        if not self._fits:
            raise UsageError("The head must learn before the network does.", "Call fit_one_cycle first.")
        self.curve = None
        if self._tuning is not None and self._tuning.holds(n):
            self._tuning.freeze_to(n)
            return
        settled, ground = self._answering(), self._aside()
        if settled is None:
            head, _ = head_alone(self._recipe, "linear", ground)
            self._tuning = tuned_from(grafting, self._recipe, head, ground, n, self.mix)
        else:  # it goes on from where it stands
            head = copy.deepcopy(settled.head).to(self.device)
            self._tuning = tuned_from(settled.origin, self._recipe, head, ground, n, self.mix)
            self._tuning.fits = 1

    def fine_tune(
        self,
        epochs: int | None = None,
        lr: Rates | None = None,
        *,
        left: float | None = None,
        say: Callable[[str], object] | None = None,
    ) -> Tuned:
        """Train the head where it is not, then the upper layers or all of the network; keep it only if it is better.

        `epochs` (default: four, or as many as fit into `left` seconds) see every photo changed another way. Whether the
        network is better than the head alone is asked of records that neither learned from; if not, the head alone
        answers. It starts from the frozen backbone, whatever learned before. `say` hears what is going to happen, with
        the expected minutes, before it does. The result is kept in `tuned`.
        """
        deadline = None if left is None else Deadline(left)
        if not self._fits:
            self.fit_one_cycle(self.default_epochs)
        grafting, ground = self._grafting(), self._aside()
        head, linear = head_alone(self._recipe, "linear", ground)
        alone = linear if self.head == "linear" else head_alone(self._recipe, self.head, ground)[1]
        tuning = tuned_from(grafting, self._recipe, head, ground, mix=self.mix)
        asked = len(self._judged) + min(len(ground.learn.records), MOST)
        plan = planned(tuning.cost(asked), epochs, None if deadline is None else deadline.left)
        if say is not None:
            say(plan.sentence)
        if plan.epochs:
            self._tuning, before = tuning, self.lr
            if deadline is not None:
                deadline.seconds -= plan.after
            rates = default_rate(len(ground.learn.records)) if lr is None else lr
            try:
                self._fit(one_cycle, plan.epochs, rates, [] if deadline is None else [deadline])
            except TrainingError as error:  # the head alone still answers
                tuning.fits, plan = 0, replace(plan, epochs=0, reason=error.what.removesuffix(".").lower())
            self.lr = before  # that of the head
        self.tuned = compared(plan, alone, tuning, self._recipe)
        if not self.tuned.better:
            self._tuning = None
        return self.tuned

    @property
    def epochs(self) -> int:
        """Passes in which the head alone has learned."""
        return sum(fit.epochs for fit in self._fits)

    @property
    def watched(self) -> Split:
        """The part whose loss and error the table shows: validation where given, else the judged one, by its envelope.

        It is only shown: nothing automatic reads it.
        """
        return "validation" if "validation" in self.data.given_splits else self.data.judged_on

    @property
    def calibration(self) -> AnyCalibration:
        """How sure answers may be, from out-of-fold scores of the training part; computed on first use.

        After the whole network learned, from its scores of the records that were kept aside.
        """
        return self._out_of_fold if (settled := self._answering()) is None else settled.calibration

    @property
    def _out_of_fold(self) -> AnyCalibration:
        """That of the head on the frozen backbone."""
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
        calibration = self._out_of_fold
        if not isinstance(self.target, Category) or not isinstance(calibration, Calibration):
            return None
        groups = [record.together for record in self.data.part("train")]
        trainer = Trainer(self._recipe, self.head, self._fits, self._part("train"))
        return learning_curve(trainer, groups, self.target.labels, calibration.probabilities, self.seed)

    def evaluate(self, split: Split | None = None, *, tta: bool = False) -> AnyEvaluation:
        """Judge the records of `split` (default: `data.judged_on`), with calibrated probabilities.

        With `tta` (test-time augmentation) every photo is asked about twice, as it is and mirrored, and the mean of the
        scores answers; a bundle asks once.

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
        table = self._judged.opened(self._stretches) if wanted == self.data.judged_on else self._part(wanted)
        head: nn.Module = self._head_network
        if (settled := self._answering()) is not None:
            table, head = settled.table(records, table.truth), settled.head
        scores, known = scores_of(head, table), self.calibration.novelty
        if tta:
            origin = self._grafting() if settled is None else settled.origin
            mirrored = torch.from_numpy(origin.features(records, mirrored=True)).to(table.truth.device)
            scores = (scores + scores_of(head, Table(mirrored, table.truth))) / 2
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
    def metric(self) -> str:
        """What the table shows of the watched part: "error_rate", "hamming_loss", "mae", or the metric asked for."""
        return self._recipe.task.error_name

    @property
    def looks(self) -> int:
        """How many differently trained networks were judged on `data.judged_on` so far."""
        return self._judged.looks

    def predictor(self) -> Predictor:
        """What leaves the lab: backbone and head in one graph, with preprocess, classes, metrics and calibration."""
        if (settled := self._answering()) is not None:
            return settled.origin.predictor(heads.folded(settled.head), self)
        return self.origin.predictor(heads.folded(self._head_network), self)

    def show_batch(self, path: str | Path, *, changed: bool | None = None) -> None:
        """Write a picture of the first batch, as the model sees it, with its labels: PNG, JPEG or WebP by the suffix.

        The head learns from photos as they are; `changed` shows them as the network learns from them (default: where it
        does). Raises `UsageError` for another suffix.
        """
        records = self.data.part("train") if self._tuning is None else self._tuning.learn.records
        order = torch.randperm(len(records), generator=generator_of(self.seed, 0)).tolist()
        changed = self._tuning is not None if changed is None else changed
        self._grafting().show([records[row] for row in order[: self.batch_size]], Path(path), changed)

    def save(self, path: str | Path) -> None:
        """Write what has learned, as it stands, to `path`: the head, or the network and the head, as safetensors.

        What answers elsewhere is `predictor().save(path)`. Raises `UsageError` before any training.
        """
        if not self._fits:
            raise UsageError("Nothing has learned yet.", "Call fit_one_cycle first.")
        stage = {"head": self.head} if self._tuning is None else {"head": self.head, "below": self._tuning.below}
        learned = {"target": self.target.to_json(), "lr": self.lr, "epochs": self.epochs}
        weights.write(Path(path), self.network, {**stage, **learned})

    def load(self, path: str | Path) -> None:
        """Go on from what `save` wrote: by the same kind of learner, on these data or others of the same classes.

        What is told out of fold or of records kept aside is measured anew, with this learner's records. Raises
        `BackboneError` for a file that is none of ours, and `DataError` where it is of another network.
        """
        tensors, told = weights.read(Path(path))
        if told["target"] != self.target.to_json():
            raise DataError(
                "These weights answer with other labels than the data have.", "Read the data they were learned from."
            )
        self._head = cast(HeadKind, told["head"])
        self.lr = cast(float, told["lr"])
        below = cast(int | None, told.get("below"))
        if below is None:
            self._network, self._tuning = None, None
            weights.put(self._head_network, tensors)
        else:
            head = self._recipe.fresh("linear", self._aside().learned)
            tuning = tuned_from(self._grafting(), self._recipe, head, self._aside(), below, self.mix)
            weights.put(tuning.network, tensors)
            tuning.fits, self._tuning = 1, tuning
        self._stretches += 1
        self._calibration = self._settled = self.curve = None
        # What folds do to tell how sure the head may be.
        self._fits = [Fit(one_cycle(self.lr), cast(int, told["epochs"]))]

    def _fit(
        self, schedule: Callable[[float], Schedule], epochs: int, lr: Rates | None, more: Sequence[object] = ()
    ) -> None:
        rates = lr if lr is not None else (self.curve or self.find_lr()).suggestion
        watched = self.watched if self._tuning is None else "aside"
        callbacks = [*self.callbacks, *more, *([LiveTable(watched, self.metric)] if self._show else [])]
        groups = 1 if self._tuning is None else len(self._tuning.learning)
        peak, scales = peak_and_scales(rates, groups)
        self._stretches += 1
        self.lr = peak
        if self._tuning is not None:
            self._settled = None
            self._tuning.fit(schedule(peak), epochs, scales, callbacks)
            return
        fit = Fit(schedule(peak), epochs)
        self._recipe.train(self._head_network, self._part("train"), fit, self._watch, callbacks)
        self._fits.append(fit)
        self._calibration = None

    def _answering(self) -> Settled | None:
        """The network frozen as it stands, where all of it has learned; None where the head alone answers."""
        if self._tuning is None or not self._tuning.fits:
            return None
        if self._settled is None:
            self._settled = settled(self._tuning, self._recipe, self._aside().groups, self.wanted_error)
        return self._settled

    def _grafting(self) -> Grafting:
        if not hasattr(self.origin, "trunk"):
            raise UsageError("There is no backbone here that could learn, only features.")
        return cast(Grafting, self.origin)

    def _aside(self) -> Ground:
        """The records that the network may learn from, and those that are kept aside; divided once."""
        if self._ground is None:
            records, table = self.data.part("train"), self._part("train")
            if self.data.judged_on == "test" and "validation" in self.data.given_splits:
                self._ground = ground_of(records, table, self.data.part("validation"), self._part("validation"))
            else:
                kept = hold_out(records, ASIDE, self.seed)
                inner = np.array([record.key in kept for record in records])
                self._ground = divided(records, table, inner)
        return self._ground

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

"""The Learner: trains a head on a backbone's features. The only mutable object of a training."""

from __future__ import annotations

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
from finegraft.errors import DataError, TrainingError, UsageError
from finegraft.evaluation.growth import LearningCurve
from finegraft.evaluation.kinds import AnyEvaluation
from finegraft.inference.predictor import Predictor
from finegraft.models import heads
from finegraft.models.heads import HeadKind
from finegraft.targets import Category, Target
from finegraft.training import class_weights as weighing
from finegraft.training import judging, tasks, weights
from finegraft.training.callbacks import Deadline, History, must_not_choose
from finegraft.training.category_calibration import Calibration
from finegraft.training.confidence import WANTED_ERROR, calibrate
from finegraft.training.fine_tuning import FEWEST_ASKED, Tuned, compared
from finegraft.training.ground import divided
from finegraft.training.learnable import encode, target_of
from finegraft.training.learning_curve import Trainer, learning_curve
from finegraft.training.loaders import batches_in_order
from finegraft.training.lr_finder import RULE, LRCurve, find_lr
from finegraft.training.metric import measured_by
from finegraft.training.network_stage import NetworkStage
from finegraft.training.novelty import MOST
from finegraft.training.origin import Origin
from finegraft.training.plan import planned
from finegraft.training.progress import LiveTable
from finegraft.training.rates import Rates, peak_and_scales
from finegraft.training.recipe import Fit, Recipe, Table, default_batch_size, default_epochs, default_hidden, scores_of
from finegraft.training.schedule import Schedule, by_name, one_cycle
from finegraft.training.sealed import Sealed
from finegraft.training.tasks import AnyCalibration
from finegraft.training.trials import HeadTrial, better, try_heads
from finegraft.training.tuning import Manner

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
    `manner` says how the network learns, where it does. `callbacks` may be appended to
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
        metric: str | None = None,
        manner: Manner | None = None,
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
        self._head_lr: float | None = None
        self._calibration: AnyCalibration | None = None
        self.tuned: Tuned | None = None
        self._stage = NetworkStage(origin, data, self._tables, self._recipe, manner or Manner(), wanted_error)
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
        tuning = self._stage.tuning
        return self._head_network if tuning is None else tuning.network

    @property
    def _head_network(self) -> nn.Sequential:
        """The head on the frozen backbone; made on first use."""
        if self._network is None:
            self._network = self._recipe.fresh(self.head, self._part("train"))
        return self._network

    def find_lr(self, rates: Rates = 1.0, rule: str = RULE) -> LRCurve:
        """Sweep the learning rate on the training part. Changes nothing but `curve`, which keeps the result.

        Where all of the network learns, `rates` says in what proportion its groups do: `slice(1, 100)`, say. `rule`
        reads the suggestion off the curve (`finegraft.training.lr_rules`).
        """
        if (tuning := self._stage.tuning) is not None:
            self.curve = tuning.find_lr(rates, rule)
        else:
            batches = self._recipe.batches(self._part("train"))
            self.curve = find_lr(self._head_network, batches, self._recipe.objective, rule=rule)
        return self.curve

    def fit(self, epochs: int, lr: Rates | None = None, schedule: str = "constant") -> None:
        """Train for `epochs` at a constant rate (default: the finder's suggestion).

        `schedule` names another way to move it, `lr` then being its highest (`finegraft.training.schedule.SCHEDULES`).
        """
        self._fit(by_name(schedule), _positive(epochs), lr)

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
        if self._stage.tuning is not None:
            self.freeze_to(-1)

    def freeze_to(self, n: int) -> None:
        """Let the groups of layers from number `n` on learn from now on; the head is the last one, -1.

        The head must have been trained first, or its random scores would tear apart what the backbone knows. From here
        on a tenth of the training part is kept aside to watch by, to keep the best epoch and to calibrate
        (`finegraft.training.fine_tuning`); a linear head that learned from the rest is where the network starts.
        Raises `UsageError` where there is no such group, where nothing was trained yet, or where the backbone cannot
        learn.
        """
        _ = self._stage.grafting
        if not self._fits:
            raise UsageError("The head must learn before the network does.", "Call fit_one_cycle first.")
        self._stage.freeze_to(n)
        self.curve = None

    def fine_tune(
        self,
        epochs: int | None = None,
        lr: Rates | None = None,
        *,
        left: float | None = None,
        say: Callable[[str], object] | None = None,
    ) -> Tuned:
        """Train the head where it is not, then the upper layers or all of the network; keep it only if it is better.

        `epochs` (default: four, 30 where the weights are random, or as many as fit into `left` seconds) see every photo
        changed another way. Whether the network is better than the head alone is asked of records that neither learned
        from; if not, the head alone answers. It starts from the frozen backbone, whatever learned before. `say` hears
        what is going to happen, with the expected minutes, before it does. The result is kept in `tuned`.
        """
        deadline = None if left is None else Deadline(left)
        _ = self._stage.grafting.usual  # a backbone that cannot learn is told first
        self._stage.tuning = None
        if self._network is None or not self._fits:
            self.fit_one_cycle(self.default_epochs)
        self.curve, before = None, self.lr
        try:
            self.tuned = self._tuned(epochs, lr, deadline, say)
        except BaseException:  # nobody asked what had learned so far whether it is any good
            self._stage.tuning = None
            raise
        finally:
            self.lr = before  # that of the head
        if not self.tuned.better:
            self._stage.tuning = None
        return self.tuned

    def _tuned(
        self, epochs: int | None, lr: Rates | None, deadline: Deadline | None, say: Callable[[str], object] | None
    ) -> Tuned:
        say = say or (lambda _: None)
        if (untold := self._untold()) is not None:
            say(untold.sentence)
            return untold
        tuning, alone = self._stage.afresh(self.head)
        n = len(tuning.learn.records)
        cost = tuning.cost(len(self._judged) + min(n, MOST))
        pretrained = tuning.trunk.pretrained
        plan = planned(cost, epochs, None if deadline is None else deadline.left, pretrained)
        say(plan.sentence)
        if plan.epochs:
            self._stage.tuning = tuning
            if deadline is not None:
                deadline.seconds -= plan.after
                deadline.each = cost.each
            try:
                self._fit(
                    one_cycle,
                    plan.epochs,
                    tuning.default_rate() if lr is None else lr,
                    [] if deadline is None else [deadline],
                )
            except TrainingError as error:  # the head alone still answers
                tuning.fits, plan = 0, replace(plan, epochs=0, reason=error.what.removesuffix(".").lower())
        return compared(plan, alone, tuning, self._recipe)

    def _untold(self) -> Tuned | None:
        """Why nobody could tell whether a network is better than the head alone; None where that can be told."""
        try:
            ground = self._stage.ground
        except DataError:  # every record is the only one of its kind
            return Tuned.not_asked("no record can be kept aside to judge by", len(self.data.part("train")), 0)
        learned, asked = len(ground.learn.records), len(ground.aside.records)
        if asked >= FEWEST_ASKED:
            return None
        reason = f"by {asked} records kept aside nobody can tell whether it is better; it takes {FEWEST_ASKED}"
        return Tuned.not_asked(reason, learned, asked)

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
        return self._out_of_fold if (settled := self._stage.answering()) is None else settled.calibration

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
        if (settled := self._stage.answering()) is not None:
            table, head = settled.table(records, table.truth), settled.head
        scores, known = scores_of(head, table), self.calibration.novelty
        if tta:
            origin = self._stage.grafting if settled is None else settled.origin
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
        if (settled := self._stage.answering()) is not None:
            return settled.origin.predictor(heads.folded(settled.head), self)
        return self.origin.predictor(heads.folded(self._head_network), self)

    def show_batch(self, path: str | Path, *, changed: bool | None = None) -> None:
        """Write a picture of the first batch, as the model sees it, with its labels: PNG, JPEG or WebP by the suffix.

        The head learns from photos as they are; `changed` shows them as the network learns from them (default: where it
        does). Raises `UsageError` for another suffix.
        """
        tuning = self._stage.tuning
        records = self.data.part("train") if tuning is None else tuning.learn.records
        first = batches_in_order(len(records), self.batch_size, self.seed, 0)[0].tolist()
        changed = tuning is not None if changed is None else changed
        self._stage.grafting.show([records[row] for row in first], Path(path), changed)

    def save(self, path: str | Path) -> None:
        """Write what has learned, as it stands, to `path`: the head, or the network and the head, as safetensors.

        What answers elsewhere is `predictor().save(path)`. Raises `UsageError` before any training.
        """
        if not self._fits:
            raise UsageError("Nothing has learned yet.", "Call fit_one_cycle first.")
        tuning = self._stage.tuning
        stage = {"head": self.head} if tuning is None else {"head": self.head, "below": tuning.below}
        learned = {"target": self.target.to_json(), "lr": self.lr, "head_lr": self._head_lr, "epochs": self.epochs}
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
        # A file that does not fit changes nothing: all of it is made first.
        below, lr, epochs = cast(int | None, told.get("below")), cast(float, told["lr"]), cast(int, told["epochs"])
        kind, head, recipe = cast(HeadKind, told["head"]), None, self._recipe
        if below is None:
            recipe = recipe.sized_as(kind, tensors)
            head = recipe.fresh(kind, self._part("train"))
            weights.put(head, tensors)
            self._stage.tuning = None
        else:
            self._stage.put(below, tensors)
        self._head, self.lr, self._network, self._recipe = kind, lr, head, recipe
        self._head_lr = cast(float, told.get("head_lr", lr))
        self._stretches += 1
        self._calibration = self.curve = None
        # What folds do to tell how sure the head may be: its own rate, not the network's.
        self._fits = [Fit(one_cycle(self._head_lr), epochs)]

    def _fit(
        self, schedule: Callable[[float], Schedule], epochs: int, lr: Rates | None, more: Sequence[object] = ()
    ) -> None:
        rates = lr if lr is not None else (self.curve or self.find_lr()).suggestion
        tuning = self._stage.tuning
        shown = [LiveTable(self.watched if tuning is None else "aside", self.metric)] if self._show else []
        callbacks = [*self.callbacks, *more, *shown]
        if tuning is None and self.watched == self.data.judged_on:
            must_not_choose(callbacks, self.watched)
        peak, scales = peak_and_scales(rates, 1 if tuning is None else len(tuning.learning))
        self._stretches += 1
        self.lr = peak
        if tuning is not None:
            self._stage.going_on()
            tuning.fit(schedule(peak), epochs, scales, callbacks)
            return
        fit, self._head_lr = Fit(schedule(peak), epochs), peak
        self._recipe.train(self._head_network, self._part("train"), fit, self._watch, callbacks)
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
            inner = divided(self.data, self._tables, INNER_PART, self.seed)
        except DataError:  # one photo of each class: there is nothing to choose by
            return "linear"
        n = len(inner.learned.truth)
        self.trials = try_heads(self._recipe, inner.learned, inner.asked, default_epochs(n))
        return better(*self.trials)


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

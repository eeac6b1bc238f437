"""What `train` says on the terminal when it is done."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from finegraft.cli.headlines import headlines
from finegraft.cli.output import percent
from finegraft.cli.printable import printable
from finegraft.cli.slices import standing_out
from finegraft.data.balance import balance
from finegraft.evaluation.growth import LearningCurve
from finegraft.evaluation.kinds import AnyEvaluation
from finegraft.evaluation.leakage import Leakage, leakage
from finegraft.evaluation.result import Evaluation
from finegraft.evaluation.run import Run

if TYPE_CHECKING:
    from finegraft.training.learner import Learner

_FEW_SHOWN = 3  # classes with very few photos that are named


def summary(run: Run, learner: Learner, evaluation: AnyEvaluation) -> list[str]:
    """The lines: how good, what flatters, what would help, how long it took, where the report is, what to type next."""
    stored, dataset = run.settings, learner.data
    seconds = " · ".join(f"{name} {value:.1f}" for name, value in stored["seconds"].items())
    left_out, growth = len(dataset.left_out), stored["learning_curve"]
    return [
        *_judged(learner, evaluation, stored["settings"]["metric"]),
        *standing_out(stored["slices"]),
        f"Learned from {stored['n_train']:,} photos; {left_out:,} {'file was' if left_out == 1 else 'files were'} "
        f"left out. Head: {stored['settings']['head']}, learning rate {stored['lr']:.2g}.",
        *_fine_tuning(learner),
        *_growth(None if growth is None else LearningCurve.from_json(growth)),
        *_balance(learner),
        f"Seconds: {seconds}.",
        f"Report: {run.report}",
        f"Next: finegraft predict {shlex.quote(str(run.path))} photo.jpg",
    ]


def _fine_tuning(learner: Learner) -> list[str]:
    """What letting the network learn too has brought; nothing where it did not."""
    tuned = learner.tuned
    return [] if tuned is None else [tuned.sentence]


def _judged(learner: Learner, evaluation: AnyEvaluation, asked: str | None) -> list[str]:
    """How good the answers are, and what flatters."""
    part = learner.data.judged_on
    told = headlines(evaluation, part, asked)
    return (
        told if not isinstance(evaluation, Evaluation) else [*told, *_leaked(leakage(learner.data, evaluation), part)]
    )


def _leaked(found: Leakage | None, part: str) -> list[str]:
    """What copies between the given splits are worth; nothing where there are none."""
    if found is None:
        return []
    many = f"Of the {part} part, {found.leaked:,} have a copy or one of their group in another part"
    if found.without is None or found.optimism is None:
        return [f"{many}: all of it. Nothing is known about photos it has not seen."]
    low, high = found.without.interval or (0.0, 1.0)
    return [
        f"{many}. Without them {percent(found.without.value)} are right ({percent(low)} to {percent(high)}): "
        f"the split flatters by {100 * found.optimism:+.1f} points."
    ]


def _growth(curve: LearningCurve | None) -> list[str]:
    """What twice the photos would bring, or why it cannot be told; and the classes that need more most."""
    if curve is None:
        return []
    twice = curve.twice
    if twice is None:
        return [] if curve.reason is None else [curve.reason]
    low, high = twice.interval
    expected = f"{percent(twice.accuracy)} ({percent(low)} to {percent(high)})"
    wanting = [row.label for row in curve.classes if row.stands_out][:_FEW_SHOWN]
    most = f" More of {', '.join(wanting)} would help most." if wanting else ""
    return [printable(f"Twice the photos would bring about {expected} right.{most}")]


def _balance(learner: Learner) -> list[str]:
    """What was done about unbalanced classes, and the classes with very few photos; nothing where there are none."""
    weights = [learner.class_weights.reason] if learner.class_weights.unbalanced else []
    few = [finding.note for finding in balance(learner.data.usable) if finding.kind == "few"]
    if len(few) > _FEW_SHOWN:
        few[_FEW_SHOWN:] = [f"{len(few) - _FEW_SHOWN:,} more classes have very few photos: the report names them."]
    return [printable(line) for line in (*weights, *few)]
